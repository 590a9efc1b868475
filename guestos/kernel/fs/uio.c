/* SPDX-License-Identifier: MIT */
/* Transfers between files and user or kernel memory; see uio.h. */
#include "kernel/fs/uio.h"

#include "frank/errno.h"
#include "string.h"

void uio_init_user(struct uio *uio, uva_t buffer, size_t size)
{
    uio->kernel_buffer = NULL;
    uio->user_buffer = buffer;
    uio->left_bytes = size;
}

void uio_init_kernel(struct uio *uio, void *buffer, size_t size)
{
    uio->kernel_buffer = buffer;
    uio->user_buffer = 0;
    uio->left_bytes = size;
}

static void uio_advance(struct uio *uio, size_t size)
{
    if (uio->kernel_buffer)
        uio->kernel_buffer += size;
    else
        uio->user_buffer += size;
    uio->left_bytes -= size;
}

int uio_put(struct uio *uio, const void *from, size_t size)
{
    if (size > uio->left_bytes)
        return -EFAULT;
    if (uio->kernel_buffer)
        memcpy(uio->kernel_buffer, from, size);
    else if (copy_to_user(uio->user_buffer, from, size) < 0)
        return -EFAULT;
    uio_advance(uio, size);
    return 0;
}

int uio_take(struct uio *uio, void *to, size_t size)
{
    if (size > uio->left_bytes)
        return -EFAULT;
    if (uio->kernel_buffer)
        memcpy(to, uio->kernel_buffer, size);
    else if (copy_from_user(to, uio->user_buffer, size) < 0)
        return -EFAULT;
    uio_advance(uio, size);
    return 0;
}

int uio_put_zeros(struct uio *uio, size_t size)
{
    if (size > uio->left_bytes)
        return -EFAULT;
    if (uio->kernel_buffer)
        memset(uio->kernel_buffer, 0, size);
    else if (zero_user(uio->user_buffer, size) < 0)
        return -EFAULT;
    uio_advance(uio, size);
    return 0;
}
