/* SPDX-License-Identifier: MIT */
/* Bounds checks before the copies of the architecture. Kernel addresses are refused here, since the
   kernel itself could touch them. */
#include "kernel/uaccess.h"

#include "arch.h"

static bool is_user_range(uva_t start, size_t bytes)
{
    return bytes <= USER_TOP && start <= USER_TOP - bytes;
}

int copy_from_user(void *to, uva_t from, size_t bytes)
{
    if (!is_user_range(from, bytes))
        return -EFAULT;
    return (int)arch_user_copy(to, (const void *)from, bytes);
}

int copy_to_user(uva_t to, const void *from, size_t bytes)
{
    if (!is_user_range(to, bytes))
        return -EFAULT;
    return (int)arch_user_copy((void *)to, from, bytes);
}

int zero_user(uva_t to, size_t bytes)
{
    if (!is_user_range(to, bytes))
        return -EFAULT;
    return (int)arch_user_zero((void *)to, bytes);
}

long copy_string_from_user(char *to, uva_t from, size_t size)
{
    size_t limit = size;
    long length;

    if (from >= USER_TOP)
        return -EFAULT;
    if (limit > USER_TOP - from)
        limit = USER_TOP - from;
    length = arch_user_string(to, (const void *)from, limit);
    if (length >= 0 && (size_t)length == limit)
        return limit < size ? -EFAULT : -ENAMETOOLONG;
    return length;
}
