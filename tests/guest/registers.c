/* SPDX-License-Identifier: MIT */
/*
 * What a call leaves in the registers: its result in a0 and a1, nothing of Candor's in those that
 * it gives up, and all others as they were; whichever of its ways through Candor a call takes.
 * Calls of the standard firmware keep all but a0 and a1.
 */
#include "guest.h"

enum {
    REGISTERS = 32,
    RA = 1,
    T0 = 5,
    T2 = 7,
    A0 = 10,
    A1 = 11,
    A2 = 12,
    A6 = 16,
    A7 = 17,
    T3 = 28,
    T6 = 31,
    RIGHTS = PTE_R | PTE_W | PTE_U,
};

#define PLACE 0x40000000UL
#define PATTERN 0x5eed00000000cafeUL

/* Loads x1 to x31 from all[], makes the call, and stores them there. */
void call_with_registers(u64 all[REGISTERS]);

__asm__(".text\n"
        "call_with_registers:\n"
        "    addi    sp, sp, -240\n"
        "    .irp    n, 1, 3, 4, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27\n"
        "    sd      x\\n, 8 * \\n(sp)\n"
        "    .endr\n"
        "    sd      a0, 224(sp)\n"
        "    csrw    sscratch, sp\n"
        "    mv      x31, a0\n"
        "    .irp    n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, "
        "21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n"
        "    ld      x\\n, 8 * \\n(x31)\n"
        "    .endr\n"
        "    ecall\n"
        "    csrrw   sp, sscratch, sp\n"
        "    sd      t0, 232(sp)\n"
        "    ld      t0, 224(sp)\n"
        "    .irp    n, 1, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, "
        "23, 24, 25, 26, 27, 28, 29, 30, 31\n"
        "    sd      x\\n, 8 * \\n(t0)\n"
        "    .endr\n"
        "    ld      t1, 232(sp)\n"
        "    sd      t1, 40(t0)\n"
        "    csrr    t1, sscratch\n"
        "    sd      t1, 16(t0)\n"
        "    .irp    n, 1, 3, 4, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27\n"
        "    ld      x\\n, 8 * \\n(sp)\n"
        "    .endr\n"
        "    addi    sp, sp, 240\n"
        "    ret\n");

static bool given_up(u32 n)
{
    return (n >= T0 && n <= T2) || (n >= A2 && n <= A7) || n >= T3;
}

static void check_call(const char *name, u64 extension, u64 number, u64 a0, u64 a1, u64 a2,
                       i64 error)
{
    u64 all[REGISTERS], before[REGISTERS];

    for (u32 i = RA; i < REGISTERS; i++)
        all[i] = PATTERN + ((u64)i << 16);
    all[A0] = a0;
    all[A1] = a1;
    all[A2] = a2;
    all[A6] = number;
    all[A7] = extension;
    for (u32 i = RA; i < REGISTERS; i++)
        before[i] = all[i];
    call_with_registers(all);
    if ((i64)all[A0] != error)
        fail(name, "it returns %ld", (i64)all[A0]);
    for (u32 i = RA; i < REGISTERS; i++) {
        bool may_be_lost = extension == CANDOR_EXTENSION && given_up(i);

        if (i != A0 && i != A1 && all[i] != before[i] && !(may_be_lost && all[i] == 0))
            fail(name, "x%u holds %lx", i, all[i]);
    }
    pass(name);
}

static void check_own(const char *name, u64 number, u64 a0, u64 a1, u64 a2, i64 error)
{
    check_call(name, CANDOR_EXTENSION, number, a0, a1, a2, error);
}

void guest_main(void)
{
    u64 root = make_space(PLACE, NULL), boot = start->boot_root_gpa, page = take_page();

    for (u32 round = 0; round < 2; round++) {
        check_own("version", HC_CALL_VERSION, 0, 0, 0, HC_OK);
        check_own("yield", HC_CALL_YIELD, 0, 0, 0, HC_OK);
        check_own("a call that is none", HC_CALL_COUNT, 0, 0, 0, HC_NOT_SUPPORTED);
        check_own("space_switch", HC_CALL_SPACE_SWITCH, root, 0, 0, HC_OK);
        check_own("space_switch to no root", HC_CALL_SPACE_SWITCH, page, 0, 0, HC_NOT_POOL);
        check_own("space_switch back", HC_CALL_SPACE_SWITCH, boot, 0, 0, HC_OK);
        check_own("pte_set", HC_CALL_PTE_SET, root, PLACE, leaf(page, RIGHTS), HC_OK);
        check_own("pte_set over an entry", HC_CALL_PTE_SET, root, PLACE, leaf(page, PTE_R), HC_OK);
        check_own("pte_set of nothing", HC_CALL_PTE_SET, root, PLACE, 0, HC_OK);
        check_own("pte_set refused", HC_CALL_PTE_SET, root, PLACE, leaf(boot, RIGHTS), HC_IS_POOL);
        check_own("pte_get", HC_CALL_PTE_GET, root, PLACE, 0, HC_OK);
        check_own("flush", HC_CALL_FLUSH, root, PLACE, 1, HC_OK);
        check_call("a call of the firmware", SBI_BASE, 0, 0, 0, 0, HC_OK);
        check_call("an extension that is none", 0x12345, 0, 0, 0, 0, HC_NOT_SUPPORTED);
    }
}
