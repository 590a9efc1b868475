/* SPDX-License-Identifier: MIT */
/*
 * The model of a guest's CSRs: see csr_model.h.
 */
#include "csr_model.h"

#include <string.h>

#define NOTHING_16 "................"
#define WRITABLE_8 "wwwwwwww"
#define WRITABLE_16 WRITABLE_8 WRITABLE_8
#define WRITABLE_48 WRITABLE_16 WRITABLE_16 WRITABLE_16

enum { FFLAGS, FRM, FCSR, SSTATUS, SCOUNTEREN = 6, SEPC = 8, SCAUSE, STVAL };

/*
 * Bit 63 first. '.' reads as 0; '1' reads as 1; 'w' is kept; 'D' says whether FS is Dirty; 'T' and
 * 'E' are the timer's and the external line; 'c' belongs to a counter.
 */
static const struct {
    u32 number;
    const char *picture;
} csrs[CSR_MODEL_COUNT] = {
    {0x001, NOTHING_16 NOTHING_16 NOTHING_16 "...........wwwww"},
    {0x002, NOTHING_16 NOTHING_16 NOTHING_16 ".............www"},
    {0x003, NOTHING_16 NOTHING_16 NOTHING_16 "........wwwwwwww"},
    /*       SD             UXL=2                MXR SUM      FS     SPP SPIE SIE */
    {0x100, "D.............."
            "."
            "..............1."
            "............ww.."
            ".ww....w..w...w."},
    {0x104, NOTHING_16 NOTHING_16 NOTHING_16 "......w...w...w."},
    {0x105, WRITABLE_48 WRITABLE_16},
    {0x106, NOTHING_16 NOTHING_16 NOTHING_16 ".............www"},
    {0x140, WRITABLE_48 WRITABLE_16},
    {0x141, WRITABLE_48 "wwwwwwwwwwwwwww."},
    {0x142, WRITABLE_48 WRITABLE_16},
    {0x143, WRITABLE_48 WRITABLE_16},
    {0x144, NOTHING_16 NOTHING_16 NOTHING_16 "......E...T...w."},
    {0x14d, WRITABLE_48 WRITABLE_16},
    {0x180, WRITABLE_48 WRITABLE_16},
    {0x10a, NOTHING_16 NOTHING_16 NOTHING_16 "...............w"},
    {0xc00, "c"},
    {0xc01, "c"},
    {0xc02, "c"},
};

static int index_of(u32 number)
{
    for (int i = 0; i < CSR_MODEL_COUNT; i++)
        if (csrs[i].number == number)
            return i;
    return -1;
}

u32 csr_model_number(u32 index)
{
    return csrs[index].number;
}

static bool fs_is(const struct csr_model *model, bool high, bool low)
{
    return model->bits[SSTATUS][14] == high && model->bits[SSTATUS][13] == low;
}

static bool shown_bit(const struct csr_model *model, int csr, int bit)
{
    switch (csrs[csr].picture[CSR_MODEL_BITS - 1 - bit]) {
    case '1':
        return true;
    case 'w':
        return model->bits[csr][bit];
    case 'D':
        return fs_is(model, true, true);
    case 'T':
        return model->timer_line;
    case 'E':
        return model->external_line;
    default:
        return false;
    }
}

u64 csr_model_value(const struct csr_model *model, u32 number)
{
    int csr = index_of(number);
    u64 value = 0;

    if (csrs[csr].picture[0] == 'c')
        return model->counters[number - 0xc00];
    for (int bit = 0; bit < CSR_MODEL_BITS; bit++)
        value |= (u64)shown_bit(model, csr, bit) << bit;
    return value;
}

static void keep(struct csr_model *model, int csr, u64 value)
{
    for (int bit = 0; bit < CSR_MODEL_BITS; bit++)
        if (csrs[csr].picture[CSR_MODEL_BITS - 1 - bit] == 'w')
            model->bits[csr][bit] = value >> bit & 1;
}

static bool is_legal(const struct csr_model *model, u32 number, bool writes)
{
    if (index_of(number) < 0)
        return false;
    if (number >> 10 == 3 && writes)
        return false; /* read-only */
    if (model->user && (number >> 8 & 3) != 0)
        return false; /* the supervisor's */
    if (number <= 3 && fs_is(model, false, false))
        return false; /* the unit is off */
    if (number == 0x14d && !model->sstc)
        return false;
    if (number >= 0xc00 && model->user)
        return model->bits[SCOUNTEREN][number - 0xc00];
    return true;
}

/* fflags and frm are windows on fcsr, and each write makes the unit's state Dirty. */
static void after_floating_write(struct csr_model *model, u32 number, u64 value)
{
    u64 flags = csr_model_value(model, 1), mode = csr_model_value(model, 2);

    if (number == 3) {
        flags = value & 31;
        mode = value >> 5 & 7;
    }
    keep(model, FFLAGS, flags);
    keep(model, FRM, mode);
    keep(model, FCSR, mode * 32 + flags);
    model->bits[SSTATUS][13] = model->bits[SSTATUS][14] = true;
}

bool csr_model_access(struct csr_model *model, u32 number, enum csr_model_op op, u64 operand,
                      u64 *old)
{
    u64 value = 0;

    if (!is_legal(model, number, op != CSR_MODEL_READ))
        return false;
    *old = csr_model_value(model, number);
    if (op == CSR_MODEL_READ)
        return true;
    for (int bit = 0; bit < CSR_MODEL_BITS; bit++) {
        bool was = *old >> bit & 1, given = operand >> bit & 1;
        bool is = op == CSR_MODEL_WRITE ? given : given ? op == CSR_MODEL_SET : was;

        value |= (u64)is << bit;
    }
    if (number == 0x105 && (value & 2) != 0)
        return true; /* modes 2 and 3 are reserved: stvec stays */
    if (number == 0x180 && value >> 60 != 0 && value >> 60 != 8)
        return true; /* neither Bare nor Sv39: satp stays */
    keep(model, index_of(number), value);
    if (number <= 3)
        after_floating_write(model, number, value);
    return true;
}

u64 csr_model_trap(struct csr_model *model, bool interrupt, u64 code, u64 value, u64 pc)
{
    bool *sstatus = model->bits[SSTATUS];
    u64 vector = csr_model_value(model, 0x105);

    sstatus[8] = !model->user;
    sstatus[5] = sstatus[1];
    sstatus[1] = false;
    keep(model, SEPC, pc);
    keep(model, SCAUSE, code + (interrupt ? 1UL << 63 : 0));
    keep(model, STVAL, value);
    model->user = false;
    return vector / 4 * 4 + (interrupt && vector % 4 == 1 ? 4 * code : 0);
}

u64 csr_model_sret(struct csr_model *model)
{
    bool *sstatus = model->bits[SSTATUS];

    model->user = !sstatus[8];
    sstatus[1] = sstatus[5];
    sstatus[5] = true;
    sstatus[8] = false;
    return csr_model_value(model, 0x141);
}

int csr_model_interrupt(const struct csr_model *model)
{
    u64 pending = csr_model_value(model, 0x144), enabled = csr_model_value(model, 0x104);

    if (!model->user && !model->bits[SSTATUS][1])
        return -1;
    if (pending >> 9 & enabled >> 9 & 1)
        return 9;
    if (pending >> 1 & enabled >> 1 & 1)
        return 1;
    if (pending >> 5 & enabled >> 5 & 1)
        return 5;
    return -1;
}
