/* SPDX-License-Identifier: MIT */
/*
 * Integer types and small compile-time helpers, used by every part that runs without a C library.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t i8;
typedef int16_t i16;
typedef int32_t i32;
typedef int64_t i64;

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* Each argument is evaluated once; both must have the same type. */
#define min(a, b) CHOOSE_(<, a, b, __COUNTER__)
#define max(a, b) CHOOSE_(>, a, b, __COUNTER__)
#define CHOOSE_(relation, a, b, unique) CHOOSE_NAMED_(relation, a, b, unique)
#define CHOOSE_NAMED_(relation, a, b, unique)                                                 \
    ({                                                                                        \
        __typeof__(a) choose_a_##unique = (a);                                                \
        __typeof__(b) choose_b_##unique = (b);                                                \
        (void)(&choose_a_##unique == &choose_b_##unique);                                     \
        choose_a_##unique relation choose_b_##unique ? choose_a_##unique : choose_b_##unique; \
    })

/* `align` is a power of two. ALIGN_UP wraps to 0 past the end of the type: check the range first.
 */
#define ALIGN_DOWN(value, align) ((value) & ~((__typeof__(value))(align)-1))
#define ALIGN_UP(value, align) ALIGN_DOWN((value) + ((__typeof__(value))(align)-1), align)
#define IS_ALIGNED(value, align) (((value) & ((__typeof__(value))(align)-1)) == 0)

#define BIT(n) (1UL << (n))

#define MUST_CHECK __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))
/* Of what is rare: the common case then saves no registers for it. */
#define OUT_OF_LINE __attribute__((noinline))
#define PACKED __attribute__((packed))
/* Of a local variable: call the function with its address when its block is left, in any way. */
#define CLEANUP(function) __attribute__((cleanup(function), unused))
#define ALIGNED(bytes) __attribute__((aligned(bytes)))
#define PRINTF_LIKE(format_index, first_index) \
    __attribute__((format(printf, format_index, first_index)))

/* One access of exactly the object's size: for words that another hart or a guest may change. */
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))
