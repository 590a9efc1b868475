/* SPDX-License-Identifier: MIT */
/* What getdents fills in: an array of these. For both sides. */
#pragma once

#include <stdint.h>

enum frank_name_size {
    FRANK_NAME_SIZE = 256,  /* of one path component, with the zero at its end */
    FRANK_PATH_SIZE = 1024, /* of a whole path, with the zero at its end */
};

struct frank_dirent {
    uint64_t inode;
    uint32_t mode; /* the type bits only */
    uint32_t reserved;
    char name[FRANK_NAME_SIZE];
};
