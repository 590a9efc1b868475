/* SPDX-License-Identifier: MIT */
#include "sv39.h"

enum { SV39_SIGN_SHIFT = 25 };

bool sv39_translate(mfn_t root, gva_t address, u64 (*read)(mfn_t table, u32 index),
                    struct sv39_translation *result)
{
    mfn_t table = root;

    if ((u64)((i64)(address.value << SV39_SIGN_SHIFT) >> SV39_SIGN_SHIFT) != address.value)
        return false;
    for (u32 level = SV39_LEVELS; level-- > 0;) {
        u64 entry = read(table, sv39_index(address, level));
        u64 span = 1UL << (FRAME_SHIFT + SV39_INDEX_BITS * level);

        if ((entry & SV39_V) == 0 || (entry & (SV39_R | SV39_W)) == SV39_W || entry >> 54 != 0)
            return false;
        if (!sv39_is_leaf(entry)) {
            if (entry & (SV39_U | SV39_A | SV39_D))
                return false;
            table = mfn(sv39_frame(entry));
            continue;
        }
        if (sv39_frame(entry) % (span >> FRAME_SHIFT) != 0)
            return false;
        result->entry = entry;
        result->level = level;
        result->address = maddr((sv39_frame(entry) << FRAME_SHIFT) + (address.value & (span - 1)));
        return true;
    }
    return false;
}
