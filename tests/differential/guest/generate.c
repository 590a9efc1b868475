/* SPDX-License-Identifier: MIT */
#include "program.h"

#include "string.h"

static const struct feature *const lists[] = {register_features, access_features, flow_features};

static const struct feature *feature_at(u32 number)
{
    for (u32 list = 0; list < ARRAY_SIZE(lists); list++)
        for (const struct feature *f = lists[list]; f->name != NULL; f++)
            if (number-- == 0)
                return f;
    return NULL;
}

const char *feature_name(u32 number)
{
    const struct feature *feature = feature_at(number);

    return feature != NULL ? feature->name : NULL;
}

static u32 feature_pick(struct random *random)
{
    static u32 total;
    u32 left, number = 0;

    if (total == 0)
        for (u32 i = 0; feature_at(i) != NULL; i++)
            total += feature_at(i)->weight;
    left = random_below(random, total);
    while (left >= feature_at(number)->weight)
        left -= feature_at(number++)->weight;
    return number;
}

u32 pick_register(struct program *program)
{
    static const u8 usable[] = {0,  1,  2,  3,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14,
                                15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 28, 29, 30, 31};

    return usable[random_below(&program->random, ARRAY_SIZE(usable))];
}

u64 pick_value(struct program *program)
{
    u64 bits = random_bits(&program->random);

    switch (random_below(&program->random, 6)) {
    case 0:
        return 0;
    case 1:
        return ~0UL;
    case 2:
        return BIT(bits % 64);
    case 3:
        return ~BIT(bits % 64);
    case 4:
        return bits & 0xfffff;
    default:
        return bits;
    }
}

static u64 pick_page(struct program *program)
{
    struct random *random = &program->random;
    u64 small = (u64)random_below(random, SMALL_PAGES) << PAGE_SHIFT;
    u64 data = (u64)random_below(random, DATA_PAGES) << PAGE_SHIFT;
    u32 what = random_below(random, 100);

    if (what < 35)
        return VA_SMALL + small;
    if (what < 60)
        return VA_SECOND + small;
    if (what < 70)
        return VA_LARGE + data;
    if (what < 75)
        return VA_AGAIN + small;
    if (what < 83)
        return VA_HUGE + ((u64)area - MEMORY_BASE) + data;
    if (what < 88)
        return VA_HIGH + small + (random_percent(random, 50) ? LARGE_BYTES : 0);
    if (what < 96)
        return (u64)area + data;
    return what < 98 ? VA_NOWHERE + small : VA_NOT_CANONICAL + small;
}

u64 pick_address(struct program *program, u32 align)
{
    struct random *random = &program->random;
    u32 offset = random_below(random, DATA_WORDS_BYTES) & ~(align - 1);

    switch (random_below(random, 3)) {
    case 0:
        return pick_page(program) + DATA_MIDDLE + offset;
    case 1:
        return pick_page(program) + DATA_LAST + offset % sizeof(u64);
    default:
        return pick_page(program) + DATA_WORDS + offset;
    }
}

/* The first instructions of each slot: where it begins, and that it was begun. */
static void slot_begin(struct code *code, u32 slot)
{
    enum { FUNCTION_SLLI = 1, FUNCTION_OR = 6, RD_SHIFT = 7 };

    code_word(code, OPCODE_AUIPC | REGISTER_SLOT << RD_SHIFT);
    code_i(code, OPCODE_IMMEDIATE, 0, REGISTER_SCRATCH, 0, 1);
    code_i(code, OPCODE_IMMEDIATE, FUNCTION_SLLI, REGISTER_SCRATCH, REGISTER_SCRATCH, (i32)slot);
    code_r(code, OPCODE_REGISTER, FUNCTION_OR, 0, REGISTER_EXECUTED, REGISTER_EXECUTED,
           REGISTER_SCRATCH);
}

/* A slot whose instructions do not fit is made again, of something else. */
static void slot_make(struct program *program, u32 slot)
{
    enum { JUMP_BYTES = 4 };
    u8 *start = (u8 *)area_address(AREA_CODE) + slot * SLOT_BYTES;
    struct code *code = &program->code;

    do {
        u32 feature = feature_pick(&program->random);

        *code = (struct code){.at = start, .end = start + SLOT_BYTES - JUMP_BYTES};
        slot_begin(code, slot);
        feature_at(feature)->make(program);
        program->features[slot] = (u8)feature;
    } while (code->full);
    code->end = start + SLOT_BYTES;
    code_jump(code, (i32)(start + SLOT_BYTES - code->at));
}

void program_make(struct program *program, u64 number)
{
    enum { SLOTS_MIN = 12 };
    struct random *random = &program->random;
    struct code *code = &program->code;

    *program = (struct program){.number = number, .random = {number}, .decisions = {~number}};
    (void)random_bits(random);
    plan_make(&program->plan, random);
    program->slots = SLOTS_MIN + random_below(random, SLOTS_MAX - SLOTS_MIN);
    memset((void *)area_address(AREA_CODE), 0, CODE_PAGES * PAGE_BYTES);
    for (u32 slot = 0; slot < program->slots; slot++)
        slot_make(program, slot);
    code->at = (u8 *)area_address(AREA_CODE) + program->slots * SLOT_BYTES;
    code->end = code->at + SLOT_BYTES;
    slot_begin(code, program->slots);
    code_word(code, CODE_EBREAK);
}
