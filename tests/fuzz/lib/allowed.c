/* SPDX-License-Identifier: MIT */
#include "allowed.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/vm.h"
#include "csr.h"
#include "shadow_machine.h"
#include "sv39.h"

#define RIGHTS ((u64)(SV39_R | SV39_W | SV39_X))

static const u64 flags_ad = SV39_A | SV39_D;

struct model model;

void __attribute__((noreturn)) broken(const char *what)
{
    fprintf(stderr, "difference: %s\n", what);
    abort();
}

/* ---- what may have been read of the guest's tables */

static void see(u32 table, u32 slot)
{
    u64 value = model.entries[table][slot];
    u32 i = 0;

    if (model.space == BARE)
        return;
    while (i < model.seen[model.space][table][slot].count &&
           model.seen[model.space][table][slot].values[i].value != value)
        i++;
    if (i == SEEN_MAX)
        broken("the fuzzer's own list is full");
    model.seen[model.space][table][slot].values[i] = (struct seen){value, LIVE};
    if (i == model.seen[model.space][table][slot].count)
        model.seen[model.space][table][slot].count++;
}

void see_all(void)
{
    for (u32 i = 0; i < TABLES * SLOTS; i++)
        see(i / SLOTS, i % SLOTS);
}

/* What stands there now is so no longer, for who uses the tables now. */
void see_the_last_of(u32 table, u32 slot)
{
    if (model.space == BARE)
        return;
    for (u32 i = 0; i < model.seen[model.space][table][slot].count; i++) {
        struct seen *one = &model.seen[model.space][table][slot].values[i];

        one->until = one->until == LIVE ? model.now : one->until;
    }
    model.now++;
}

void entry_becomes(u32 table, u32 slot, u64 value)
{
    see_the_last_of(table, slot);
    model.entries[table][slot] = value;
    see(table, slot);
}

bool nearly_full(void)
{
    for (u32 i = 0; i < SPACES * TABLES * SLOTS; i++)
        if (model.seen[i / (TABLES * SLOTS)][i / SLOTS % TABLES][i % SLOTS].count + SEEN_SPARE >
            SEEN_MAX)
            return true;
    return false;
}

/* ---- the architecture's walk */

u32 slot_at(const struct access *access, u32 level)
{
    return access->page / (level == 2 ? SLOTS * SLOTS : level == 1 ? SLOTS : 1) % SLOTS;
}

u32 table_of(u64 frame)
{
    return frame >= guest_frame(0) && frame < guest_frame(TABLES) ? (u32)(frame - guest_frame(0))
                                                                  : TABLES;
}

bool in_memory(u64 frame)
{
    return mfn_valid(p2m_lookup(&vm->p2m, frame));
}

static bool is_link(u64 entry, u32 level)
{
    return level > 0 && (entry & (SV39_V | RIGHTS | SV39_U | flags_ad)) == SV39_V &&
           entry >> 54 == 0;
}

bool lets(u64 entry, u32 level, u64 right)
{
    bool users = (entry & SV39_U) != 0;

    if (!(entry & SV39_V) || !(entry & (SV39_R | SV39_X)) || entry >> 54 != 0 ||
        ((entry & SV39_W) && !(entry & SV39_R)) ||
        (entry >> 10) % (1UL << SV39_INDEX_BITS * level) != 0)
        return false;
    if (users != !model.kernel &&
        !(users && model.kernel && right != SV39_X && (model.status & MSTATUS_SUM)))
        return false;
    if (right == SV39_R && (model.status & MSTATUS_MXR) && (entry & SV39_X))
        return true;
    return (entry & right) != 0;
}

static u64 frame_at(u64 entry, u32 level, u64 address)
{
    return (entry >> 10) + (address >> FRAME_SHIFT) % (1UL << SV39_INDEX_BITS * level);
}

enum outcome walk_now(const struct access *access, u64 *frame, u32 *table, u32 *slot)
{
    u64 at = guest_frame(model.space / ASIDS);

    *table = TABLES;
    if (model.space == BARE || access->windows) {
        *frame = access->address >> FRAME_SHIFT;
        if (model.space != BARE)
            *frame -= WINDOW >> FRAME_SHIFT;
        return in_memory(*frame) ? DONE : NO_MEMORY;
    }
    if (access->wrong)
        return PAGE_FAULT;
    for (u32 level = SV39_LEVELS; level-- > 0;) {
        u64 entry;

        if (!in_memory(at))
            return ACCESS_FAULT;
        *table = table_of(at);
        *slot = slot_at(access, level);
        entry = *table < TABLES ? model.entries[*table][*slot] : 0;
        if (is_link(entry, level)) {
            at = entry >> 10;
            continue;
        }
        if (!lets(entry, level, access->right))
            return PAGE_FAULT;
        *frame = frame_at(entry, level, access->address);
        return in_memory(*frame) ? DONE : NO_MEMORY;
    }
    return PAGE_FAULT;
}

/* Whether some walk of what may have been read so far leads there. */
static bool may_lead(const struct access *access, u64 table_frame, u32 level, u64 frame)
{
    u32 table = table_of(table_frame), slot = slot_at(access, level);
    const u64 needed = SV39_A | (access->right == SV39_W ? SV39_D : 0);

    if (table == TABLES)
        return false;
    for (u32 i = 0; i < model.seen[model.space][table][slot].count; i++) {
        const struct seen *one = &model.seen[model.space][table][slot].values[i];

        if (is_link(one->value, level)
                ? may_lead(access, one->value >> 10, level - 1, frame)
                : lets(one->value, level, access->right) && (one->value & needed) == needed &&
                      one->until >= model.fenced[model.space][access->page] &&
                      frame_at(one->value, level, access->address) == frame)
            return true;
    }
    return false;
}

bool permitted(const struct access *access, u64 frame)
{
    u64 now;
    u32 table, slot;

    if (model.space == BARE || access->windows)
        return walk_now(access, &now, &table, &slot) == DONE && now == frame;
    return !access->wrong &&
           may_lead(access, guest_frame(model.space / ASIDS), SV39_ROOT_LEVEL, frame);
}
