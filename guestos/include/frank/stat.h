/* SPDX-License-Identifier: MIT */
/* What stat and fstat fill in. For both sides. */
#pragma once

#include <stdint.h>

struct frank_stat {
    uint64_t device;
    uint64_t inode;
    uint32_t mode;
    uint32_t links;
    uint64_t size_bytes;
    uint64_t blocks; /* of 512 bytes */
    int64_t modified_ns;
};
