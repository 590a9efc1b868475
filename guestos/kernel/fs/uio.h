/* SPDX-License-Identifier: MIT */
/*
 * A transfer between a file and memory that belongs to a user or to the kernel.
 *
 * An inode operation does not know whose buffer it fills: it moves bytes through a uio, which
 * counts down what is left and turns a bad user address into -EFAULT.
 */
#ifndef FRANK_KERNEL_FS_UIO_H
#define FRANK_KERNEL_FS_UIO_H

#include "kernel/uaccess.h"
#include "types.h"

struct uio {
    u8 *kernel_buffer; /* the buffer if it is the kernel's, else NULL */
    uva_t user_buffer; /* the buffer if kernel_buffer is NULL */
    size_t left_bytes; /* what is still to move */
};

/* A transfer to or from `size` bytes at a user address. The address is checked when bytes move. */
void uio_init_user(struct uio *uio, uva_t buffer, size_t size);

/* A transfer to or from `size` bytes of kernel memory, which must outlive the uio. */
void uio_init_kernel(struct uio *uio, void *buffer, size_t size);

/*
 * Move up to `size` bytes (never more than are left) from `from` into the uio's buffer, from the
 * buffer to `to`, or zeros into the buffer. All bytes move or none: 0 or -EFAULT.
 * May fault pages in, so it may sleep: hold no spin lock.
 */
int MUST_CHECK uio_put(struct uio *uio, const void *from, size_t size);
int MUST_CHECK uio_take(struct uio *uio, void *to, size_t size);
int MUST_CHECK uio_put_zeros(struct uio *uio, size_t size);

#endif
