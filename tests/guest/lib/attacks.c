/* SPDX-License-Identifier: MIT */
/*
 * What families of attacks share: see attacks.h.
 */
#include "attacks.h"

#include "string.h"

void attacks_make(const struct attack *attacks, u32 count)
{
    bool found = false;

    for (u32 i = 0; i < count; i++) {
        if (start->args[0] != '\0' && strcmp(start->args, attacks[i].name) != 0)
            continue;
        found = true;
        guest_printf("ATTACK %s", attacks[i].name);
        attacks[i].make();
    }
    if (!found)
        fail(start->args, "there is no such attack");
}

u64 marked_page(u64 word)
{
    u64 page = take_page();

    *(volatile u64 *)gpa_to_pointer(page) = word;
    return page;
}

void leave_space(u64 root)
{
    must("switch to the boot root", candor_space_switch(start->boot_root_gpa));
    must("free the root", candor_table_free(root));
}

void expect_word(const char *name, u64 gva, u64 word)
{
    struct guest_trap trap;
    u64 value;

    if (!try_load(gva, &value, &trap))
        fail(name, "cause %lu at %lx", trap.cause, trap.value);
    else if (value != word)
        fail(name, "%lx is there, and not %lx", value, word);
    else
        pass(name);
}

void expect_absent(const char *name, u64 gva)
{
    struct guest_trap trap;
    u64 value;

    if (try_load(gva, &value, &trap))
        fail(name, "%lx could be read", value);
    else if (trap.cause != CAUSE_LOAD_FAULT || trap.value != gva)
        fail(name, "cause %lu at %lx", trap.cause, trap.value);
    else
        pass(name);
}
