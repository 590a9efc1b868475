/* SPDX-License-Identifier: MIT */
/*
 * Random privileged programs, one after another, the same on each machine that this image is booted
 * on: bare, under OpenSBI, and in a virtual machine. Its arguments: first=N count=N every=N, and
 * `show`. After every so many programs a line `state N HASH`; at the end counts, and the end of the
 * machine. What the lines say must not depend on the machine.
 */
#include <stdarg.h>

#include "fdt.h"
#include "riscv.h"
#include "run.h"
#include "sbi.h"
#include "string.h"

enum { LINE_BYTES = 512, TREE_LIMIT_BYTES = 1 << 20, DECIMAL = 10 };

/* The serial port of QEMU's machine `virt`, a 16550. */
#define UART_BASE 0x10000000UL
enum { UART_DATA = 0, UART_LINE_STATUS = 5, UART_ROOM = 0x20 };

NORETURN void harness_failed(u64 cause, u64 value, u64 pc);

struct arguments {
    u64 first, count, every;
    bool show;
};

static void put_character(char c)
{
    volatile u8 *uart = (volatile u8 *)UART_BASE;

    while ((uart[UART_LINE_STATUS] & UART_ROOM) == 0) {
    }
    uart[UART_DATA] = (u8)c;
}

/* Where a program's traps say something, its tables translate: only the identity is sure. The lines
 * are kept until it has ended. */
static char kept[1 << 20];
static size_t kept_bytes;

void say(const char *format, ...)
{
    va_list arguments;
    size_t room = sizeof(kept) - kept_bytes;

    va_start(arguments, format);
    kept_bytes += min((size_t)vsnprintf(kept + kept_bytes, room - 1, format, arguments), room - 2);
    va_end(arguments);
    kept[kept_bytes++] = '\n';
}

static void said(void)
{
    for (size_t i = 0; i < kept_bytes; i++)
        put_character(kept[i]);
    kept_bytes = 0;
}

static NORETURN void finish(u64 reason)
{
    said();
    for (;;)
        sbi_call(SBI_SRST, SBI_SRST_RESET, SBI_SRST_SHUTDOWN, reason);
}

void harness_failed(u64 cause, u64 value, u64 pc)
{
    say("FAIL: the harness trapped: cause %lx value %lx at %lx", cause, value, pc);
    finish(SBI_SRST_FAILURE);
}

/* ---- arguments ---- */

static u64 number_of(const char *text)
{
    u64 number = 0;

    for (; *text >= '0' && *text <= '9'; text++)
        number = number * DECIMAL + (u64)(*text - '0');
    return number;
}

static bool word_is(const char *word, const char *name)
{
    return strncmp(word, name, strlen(name)) == 0;
}

static struct arguments read_arguments(const void *blob)
{
    struct arguments arguments = {.first = 0, .count = 1, .every = 1};
    struct fdt tree;
    const char *word = "";

    if (fdt_open(&tree, blob, TREE_LIMIT_BYTES) == FDT_OK &&
        fdt_find_path(&tree, "/chosen") != FDT_NONE)
        word = fdt_property_string(&tree, fdt_find_path(&tree, "/chosen"), "bootargs");
    while (word != NULL && *word != '\0') {
        if (word_is(word, "first="))
            arguments.first = number_of(word + strlen("first="));
        else if (word_is(word, "count="))
            arguments.count = number_of(word + strlen("count="));
        else if (word_is(word, "every="))
            arguments.every = max(number_of(word + strlen("every=")), 1UL);
        else if (word_is(word, "show"))
            arguments.show = true;
        word = strchr(word, ' ');
        word = word != NULL ? word + 1 : NULL;
    }
    return arguments;
}

/* ---- counts ---- */

static void say_traps(const struct counts *counts, u32 kind, u32 user)
{
    for (u32 cause = 0; cause < COUNTED_CAUSES; cause++)
        if (counts->traps[kind][user][cause] != 0)
            say("count %s-%d-from-%c %ld", kind != 0 ? "interrupt" : "exception", (int)cause,
                user != 0 ? 'u' : 's', counts->traps[kind][user][cause]);
}

static void say_counts(void)
{
    const struct counts *counts = run_counts();

    say("count programs %ld", counts->programs);
    for (u32 i = 0; feature_name(i) != NULL; i++)
        say("count %s %ld of %ld", feature_name(i), counts->executed[i], counts->made[i]);
    for (u32 which = 0; which < 4; which++)
        say_traps(counts, which >> 1, which & 1);
    say("count traps-in-bare %ld", counts->bare);
    say("count traps-by-vector %ld", counts->vectored);
}

void guest_main(u64 hart, const void *tree)
{
    struct arguments arguments = read_arguments(tree);
    u64 hash = 0;

    (void)hart;
    for (u64 i = 1; i <= arguments.count; i++) {
        hash = run_program(arguments.first + i - 1, hash, arguments.show);
        if (i % arguments.every == 0 || i == arguments.count) {
            say("state %ld %lx", arguments.first + i - 1, hash);
            hash = 0;
        }
        said();
    }
    say_counts();
    finish(SBI_SRST_NO_REASON);
}
