/* SPDX-License-Identifier: MIT */
/*
 * Unmodified test guests' small machine: see bare.h.
 */
#include "bare.h"

#include "fdt.h"
#include "printf.h"
#include "string.h"

enum {
    LINE_BYTES = 256,
    UART_LINE_STATUS = 5,
    UART_EMPTY = 0x20,
    FINISHER_PASS = 0x5555,
    FINISHER_FAIL = 0x13333,
    TREE_MOST_BYTES = 1 << 20,
    DEVICES_BITS = PTE_DATA,
};

u64 bare_memory_end;
u64 bare_tree;
bool bare_machine;
const char *bare_args = "";
struct bare_trap last_trap;
u64 last_result;
static u32 failures;
static u64 next_page, first_page;
static u32 code[2] __attribute__((aligned(8)));

void bare_start(u64 hart, const void *tree);
void bare_unexpected_trap(u64 cause, u64 value, u64 pc);

/* ---- console and verdicts ---- */

static void print(const char *text)
{
    volatile u8 *uart = (volatile u8 *)UART_BASE;

    for (; *text != '\0'; text++) {
        while ((uart[UART_LINE_STATUS] & UART_EMPTY) == 0)
            ;
        uart[0] = (u8)*text;
    }
}

static void print_line(const char *prefix, const char *format, va_list arguments)
{
    static char line[LINE_BYTES];
    size_t used = strlcpy(line, prefix, sizeof(line));

    (void)vsnprintf(line + used, sizeof(line) - used, format, arguments);
    print(line);
    print("\n");
}

void bare_printf(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_line("", format, arguments);
    va_end(arguments);
}

void pass(const char *name)
{
    bare_printf("PASS %s", name);
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

void expect_none(const char *name, u64 wrong)
{
    if (wrong == 0)
        pass(name);
    else
        fail(name, "%lu times wrong; the last trap: cause %lx value %lx at %lx", wrong,
             last_trap.cause, last_trap.value, last_trap.pc);
}

void bare_finish(void)
{
    space_leave();
    bare_printf("DONE");
    for (;;)
        *(volatile u32 *)FINISHER_BASE = failures > 0 ? FINISHER_FAIL : FINISHER_PASS;
}

void bare_unexpected_trap(u64 cause, u64 value, u64 pc)
{
    csr_put(satp, 0);
    fail("no trap", "cause %lx value %lx at %lx", cause, value, pc);
    bare_finish();
}

void attacks_make(const struct attack *attacks, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        if (bare_args[0] != '\0' && strcmp(bare_args, attacks[i].name) != 0)
            continue;
        bare_printf("ATTACK %s", attacks[i].name);
        attacks[i].make();
        csr_put(sie, 0);
        csr_off(sstatus, SSTATUS_SIE | SSTATUS_SUM | SSTATUS_MXR);
        space_leave();
        pages_again();
    }
}

/* ---- memory and spaces ---- */

u64 *page_take(void)
{
    u64 *page = (u64 *)next_page;

    next_page += PAGE_BYTES;
    if (next_page > bare_memory_end - TREE_MOST_BYTES)
        bare_unexpected_trap(0, next_page, 0);
    memset(page, 0, PAGE_BYTES);
    return page;
}

void pages_again(void)
{
    next_page = first_page;
}

u64 *space_make(void)
{
    u64 *root = page_take();

    root[0] = entry_of((void *)0, DEVICES_BITS);
    root[RAM_BASE / GIGAPAGE_BYTES] = entry_of((void *)RAM_BASE, PTE_ALL);
    return root;
}

static u32 index_of(u64 address, u32 level)
{
    return address >> (PAGE_SHIFT + 9 * level) & (TABLE_WORDS - 1);
}

/* A large leaf on the way, as the devices' is, becomes a table that says the same. */
static u64 *table_below(u64 *entry, u32 level)
{
    u64 *table;

    if ((*entry & PTE_V) != 0 && (*entry & (PTE_R | PTE_W | PTE_X)) == 0)
        return (u64 *)(*entry >> 10 << PAGE_SHIFT);
    table = page_take();
    for (u64 i = 0; i < TABLE_WORDS && (*entry & PTE_V) != 0; i++)
        table[i] = *entry + ((i << 9 * (level - 1)) << 10);
    *entry = entry_of(table, PTE_V);
    return table;
}

u64 *map_page(u64 *root, u64 address, u64 entry)
{
    u64 *table = root;

    for (u32 level = LEVELS - 1; level > 0; level--)
        table = table_below(&table[index_of(address, level)], level);
    table[index_of(address, 0)] = entry;
    return &table[index_of(address, 0)];
}

void space_use(const u64 *root, u64 asid)
{
    csr_put(satp, SATP_SV39 | asid << 44 | (u64)root >> PAGE_SHIFT);
    fence_all();
}

void space_leave(void)
{
    csr_put(satp, 0);
    fence_all();
}

/* ---- traps ---- */

struct access {
    u64 address, value;
};

static void do_load(void *argument)
{
    struct access *a = argument;

    a->value = *(volatile u64 *)a->address;
}

static void do_store(void *argument)
{
    struct access *a = argument;

    *(volatile u64 *)a->address = a->value;
}

static void do_fetch(void *argument)
{
    struct access *a = argument;

    ((void (*)(void))a->address)();
}

static void do_return(void *argument)
{
    struct access *a = argument;

    bare_return(a->address, a->value);
}

static u64 cause_of(void (*function)(void *), struct access *access)
{
    return bare_try(function, access, &last_trap) == 0 ? 0 : last_trap.cause;
}

u64 load_cause(u64 address, u64 *value)
{
    struct access a = {address, 0};
    u64 cause = cause_of(do_load, &a);

    if (value != NULL)
        *value = a.value;
    return cause;
}

u64 store_cause(u64 address, u64 value)
{
    struct access a = {address, value};

    return cause_of(do_store, &a);
}

u64 fetch_cause(u64 address)
{
    struct access a = {address, 0};

    return cause_of(do_fetch, &a);
}

u64 return_cause(u64 pc, u64 status)
{
    struct access a = {pc, status};

    return cause_of(do_return, &a);
}

void user_code_map(u64 *root)
{
    u64 *page = page_take();

    memcpy(page, (const void *)bare_user_load, (u64)bare_user_end - (u64)bare_user_load);
    __asm__ volatile("fence.i");
    map_page(root, USER_CODE, entry_of(page, PTE_V | PTE_R | PTE_X | PTE_U | PTE_A | PTE_D));
}

struct user_access {
    u64 pc, address, value;
};

static void do_user(void *argument)
{
    struct user_access *a = argument;
    register u64 r0 __asm__("a0") = a->address;
    register u64 r1 __asm__("a1") = a->value;

    __asm__ volatile("csrw sepc, %0\n\tcsrc sstatus, %1\n\tsret"
                     :
                     : "r"(a->pc), "r"((u64)SSTATUS_SPP), "r"(r0), "r"(r1)
                     : "memory");
}

/* The ecall that ends it is no trap of the access. */
static u64 user_cause(void (*what)(void), u64 address, u64 value)
{
    struct user_access a = {USER_CODE + (u64)what - (u64)bare_user_load, address, value};

    if (bare_try(do_user, &a, &last_trap) == 0)
        return 0;
    return last_trap.cause == CAUSE_USER_CALL ? 0 : last_trap.cause;
}

u64 user_load_cause(u64 address, u64 *value)
{
    u64 cause = user_cause(bare_user_load, address, 0);

    if (value != NULL)
        *value = last_trap.a0;
    return cause;
}

u64 user_store_cause(u64 address, u64 value)
{
    return user_cause(bare_user_store, address, value);
}

u64 user_fetch_cause(u64 address)
{
    return user_cause(bare_user_jump, address, 0);
}

static void do_code(void *argument)
{
    struct access *a = argument;
    register u64 r0 __asm__("a0") = a->value;

    __asm__ volatile("jalr %1"
                     : "+r"(r0)
                     : "r"(code)
                     : "ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a1", "a2", "a3", "a4", "a5",
                       "a6", "a7", "memory");
    a->value = r0;
}

u64 execute_cause(u32 word, u64 a0)
{
    enum { RETURN = 0x00008067 };

    struct access a = {0, a0};
    u64 cause;

    code[0] = word;
    code[1] = RETURN;
    __asm__ volatile("fence.i");
    cause = cause_of(do_code, &a);
    last_result = a.value;
    return cause;
}

/* ---- firmware ---- */

struct sbi_result sbi(u64 extension, u64 function, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4)
{
    register u64 r0 __asm__("a0") = a0;
    register u64 r1 __asm__("a1") = a1;
    register u64 r2 __asm__("a2") = a2;
    register u64 r3 __asm__("a3") = a3;
    register u64 r4 __asm__("a4") = a4;
    register u64 r6 __asm__("a6") = function;
    register u64 r7 __asm__("a7") = extension;

    __asm__ volatile("ecall"
                     : "+r"(r0), "+r"(r1)
                     : "r"(r2), "r"(r3), "r"(r4), "r"(r6), "r"(r7)
                     : "memory");
    return (struct sbi_result){(i64)r0, r1};
}

u64 random_next(void)
{
    static u64 state = 1;

    state = state * 6364136223846793005UL + 1442695040888963407UL;
    return state >> 33 ^ state << 31;
}

/* ---- beginning ---- */

static void tree_read(const void *blob)
{
    struct fdt_range range;
    struct fdt tree;
    const char *text;

    if (fdt_open(&tree, blob, TREE_MOST_BYTES) != FDT_OK)
        bare_unexpected_trap(0, (u64)blob, 0);
    for (i32 node = FDT_ROOT; node != FDT_NONE; node = fdt_next_node(&tree, node, NULL)) {
        if (fdt_property_lists(&tree, node, "device_type", "memory") &&
            fdt_reg(&tree, node, 0, &range) == FDT_OK)
            bare_memory_end = range.base + range.size_bytes;
    }
    text = fdt_property_string(&tree, fdt_find_path(&tree, "/chosen"), "bootargs");
    if (text != NULL)
        bare_args = text;
    text = fdt_property_string(&tree, FDT_ROOT, "model");
    bare_machine = text == NULL || strcmp(text, "riscv-virtio,candor") != 0;
}

void bare_start(u64 hart, const void *tree)
{
    (void)hart;
    csr_on(sstatus, SSTATUS_FS);
    bare_tree = (u64)tree;
    first_page = ALIGN_UP((u64)bare_end, (u64)PAGE_BYTES);
    tree_read(tree);
    pages_again();
    bare_main();
    bare_finish();
}
