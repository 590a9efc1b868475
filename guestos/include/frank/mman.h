/* SPDX-License-Identifier: MIT */
/* What the calls on memory take. For both sides. */
#pragma once

/* Rights to pages. WRITE comes with READ. */
enum frank_prot {
    FRANK_PROT_NONE = 0,
    FRANK_PROT_READ = 1,
    FRANK_PROT_WRITE = 2,
    FRANK_PROT_EXEC = 4,
};

/* Exactly one of the first two. */
enum frank_map_flag {
    FRANK_MAP_SHARED = 1,
    FRANK_MAP_PRIVATE = 2,
    FRANK_MAP_FIXED = 0x10, /* in place of whatever is there */
    FRANK_MAP_ANONYMOUS = 0x20,
};

enum frank_msync_flag {
    FRANK_MS_ASYNC = 1,
    FRANK_MS_INVALIDATE = 2, /* nothing to do: there is one copy */
    FRANK_MS_SYNC = 4,
};
