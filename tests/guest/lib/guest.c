/* SPDX-License-Identifier: MIT */
/*
 * The test guests' small machine: see guest.h.
 */
#include "guest.h"

#include "printf.h"
#include "string.h"

enum { LINE_BYTES = 256 };

const struct start_info *start;
static u32 failures;
static u64 next_page;
static u64 next_pool_frame;

void guest_start(const struct start_info *info);
void guest_unexpected_trap(u64 cause, u64 value, u64 pc);

/* ---- console and verdicts ---- */

struct hc_result sbi_call(u64 extension, u64 function, u64 a0, u64 a1, u64 a2)
{
    register u64 r0 __asm__("a0") = a0;
    register u64 r1 __asm__("a1") = a1;
    register u64 r2 __asm__("a2") = a2;
    register u64 r6 __asm__("a6") = function;
    register u64 r7 __asm__("a7") = extension;

    __asm__ volatile("ecall" : "+r"(r0), "+r"(r1) : "r"(r2), "r"(r6), "r"(r7) : "memory");
    return (struct hc_result){(i64)r0, r1};
}

static void print(const char *text, size_t length)
{
    while (length > 0) {
        struct hc_result r = sbi_call(SBI_DEBUG_CONSOLE, DBCN_WRITE, length, pointer_to_gpa(text),
                                      0);

        if (r.error != HC_OK)
            return;
        if (r.value == 0)
            candor_yield();
        text += r.value;
        length -= r.value;
    }
}

static void print_line(const char *prefix, const char *format, va_list arguments)
{
    static char line[LINE_BYTES];
    size_t used = strlcpy(line, prefix, sizeof(line));

    used += (size_t)vsnprintf(line + used, sizeof(line) - used - 1, format, arguments);
    used = min(used, sizeof(line) - 2);
    line[used++] = '\n';
    print(line, used);
}

void guest_printf(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_line("", format, arguments);
    va_end(arguments);
}

void pass(const char *name)
{
    guest_printf("PASS %s", name);
}

void fail(const char *name, const char *format, ...)
{
    char prefix[LINE_BYTES / 2];
    va_list arguments;

    failures++;
    snprintf(prefix, sizeof(prefix), "FAIL %s: ", name);
    va_start(arguments, format);
    print_line(prefix, format, arguments);
    va_end(arguments);
}

void expect_error(const char *name, struct hc_result result, i64 error)
{
    if (result.error == error)
        pass(name);
    else
        fail(name, "error %ld (value %lx), expected %ld", result.error, result.value, error);
}

void expect_true(const char *name, bool condition)
{
    if (condition)
        pass(name);
    else
        fail(name, "it does not hold");
}

u64 must(const char *what, struct hc_result result)
{
    if (result.error != HC_OK) {
        fail(what, "error %ld", result.error);
        guest_finish();
    }
    return result.value;
}

void guest_finish(void)
{
    guest_printf("DONE");
    for (;;)
        sbi_call(SBI_SYSTEM_RESET, 0, SRST_SHUTDOWN, failures > 0 ? SRST_FAILURE : 0, 0);
}

void guest_expect_end(const char *why)
{
    guest_printf("EXPECT end: %s", why);
}

/* ---- memory ---- */

u64 take_page(void)
{
    u64 page = next_page;

    if (page == ALIGN_DOWN(start->start_info_gpa, PAGE_BYTES))
        page += PAGE_BYTES;
    next_page = page + PAGE_BYTES;
    return page;
}

u64 take_pool_frame(void)
{
    u64 frame = next_pool_frame;

    next_pool_frame += PAGE_BYTES;
    return frame;
}

u64 make_table(u64 level)
{
    u64 limit = start->pool_base_gpa + start->pool_bytes;

    while (next_pool_frame < limit) {
        u64 frame = take_pool_frame();
        struct hc_result r = candor_table_make(frame, level);

        if (r.error == HC_OK)
            return frame;
        if (r.error != HC_EXISTS)
            must("table_make", r);
    }
    must("table_make", (struct hc_result){HC_NO_SPACE, 0});
    return 0;
}

u64 make_space(u64 gva, u64 *last)
{
    u64 root = make_table(2), middle = make_table(1), pages = make_table(0);

    must("link level 1", candor_table_link(root, gva, middle));
    must("link level 0", candor_table_link(root, gva, pages));
    if (last != NULL)
        *last = pages;
    return root;
}

/* ---- traps ---- */

struct access {
    u64 gva;
    u64 value;
};

static void do_load(void *argument)
{
    struct access *a = argument;

    a->value = *(volatile u64 *)a->gva;
}

static void do_store(void *argument)
{
    struct access *a = argument;

    *(volatile u64 *)a->gva = a->value;
}

static void do_execute(void *argument)
{
    struct access *a = argument;

    ((void (*)(void))a->gva)();
}

bool try_load(u64 gva, u64 *value, struct guest_trap *trap)
{
    struct access a = {gva, 0};
    bool worked = guest_try(do_load, &a, trap) == 0;

    if (value != NULL)
        *value = a.value;
    return worked;
}

bool try_store(u64 gva, u64 value, struct guest_trap *trap)
{
    struct access a = {gva, value};

    return guest_try(do_store, &a, trap) == 0;
}

bool try_execute(u64 gva, struct guest_trap *trap)
{
    struct access a = {gva, 0};

    return guest_try(do_execute, &a, trap) == 0;
}

void guest_unexpected_trap(u64 cause, u64 value, u64 pc)
{
    fail("no trap", "cause %lu value %lx at %lx", cause, value, pc);
    guest_finish();
}

void guest_start(const struct start_info *info)
{
    enum {
        DIRECT_CAUSES = 1 << CAUSE_BREAKPOINT | 1 << CAUSE_USER_CALL | 1 << CAUSE_FETCH_FAULT |
                        1 << CAUSE_LOAD_FAULT | 1 << CAUSE_STORE_FAULT
    };

    static struct start_info own;

    /* A wild call may well write over the page that it came in. */
    own = *info;
    start = &own;
    next_page = ALIGN_UP(info->image_base_gpa + info->image_bytes, (u64)PAGE_BYTES);
    next_page = max(next_page, ALIGN_UP(info->initrd_gpa + info->initrd_bytes, (u64)PAGE_BYTES));
    next_pool_frame = info->pool_base_gpa;
    must("trap_register", candor_trap_register((u64)guest_trap_entry, DIRECT_CAUSES));
    guest_main();
    guest_finish();
}
