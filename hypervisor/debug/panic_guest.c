/* SPDX-License-Identifier: MIT */
/*
 * What a panic says of the guest that was running: where it was, and the calls that its stack
 * holds.
 *
 * The guest's memory is read through its own tables by the walk that changes and trusts nothing
 * (virt.h), and only where a frame is the VM's own. Its stack need not be one. It has no frame
 * pointers: every word of the stack that a call could have left is shown, so a stale one can be
 * among them.
 */
#include "arch/arch.h"
#include "arch/arch_names.h"
#include "core/hart.h"
#include "core/vm.h"
#include "debug/backtrace.h"
#include "debug/panic_parts.h"
#include "symbol_table.h"
#include "virt/virt.h"

enum {
    STACK_WORDS_MAX = 1024,
    GUEST_CALLS_MAX = 16,
};

#define NEAR_CODE (1UL << 30) /* calls return to code that is no farther from the pc */

/* The page of the guest that was looked at last. */
struct window {
    const struct vcpu *vcpu;
    u64 page; /* guest-virtual; 1: none yet */
    const u8 *bytes;
    bool code; /* the guest can run it */
};

/* Where the guest's bytes at an address are, up to its page's end; NULL if they are not its own. */
static const u8 *guest_bytes(struct window *window, u64 address)
{
    u64 page = ALIGN_DOWN(address, (u64)FRAME_BYTES);

    if (window->page != page) {
        struct virt_walk walk;

        window->vcpu->vm->virt->walk(window->vcpu, gva(page), &walk);
        window->page = page;
        window->bytes = walk.mapped && walk.owned ? arch_frame_bytes(maddr_to_mfn(walk.machine))
                                                  : NULL;
        window->code = walk.mapped && (walk.kernel.fetch == NULL || walk.user.fetch == NULL);
    }
    return window->bytes != NULL ? window->bytes + (address - page) : NULL;
}

/* Whether a call could have left this word. */
static bool may_return_to(struct window *window, u64 address, u64 pc)
{
    u8 bytes[ARCH_CALL_BYTES];

    if (address % 2 != 0 || address - pc + NEAR_CODE > 2 * NEAR_CODE)
        return false;
    for (u32 i = 0; i < ARCH_CALL_BYTES; i++) {
        const u8 *at = guest_bytes(window, address - ARCH_CALL_BYTES + i);

        if (at == NULL || !window->code)
            return false;
        bytes[i] = *at;
    }
    return arch_ends_with_call(bytes);
}

const char *panic_guest_symbol(const struct vm *vm, u64 address, u64 *offset)
{
    const char *name = symbol_table_find(vm->config.symbols, vm->config.symbols_bytes, address,
                                         offset);

    if (name != NULL)
        return name;
    *offset = address;
    return "?";
}

static void say_place(const struct vm *vm, u64 address, u64 lookup)
{
    u64 offset;
    const char *name = panic_guest_symbol(vm, lookup, &offset);

    panic_say("    %016lx  %s+0x%lx\n", address, name, address - lookup + offset);
}

static void say_guest_calls(const struct vcpu *vcpu, const struct backtrace_start *where)
{
    struct window stack = {vcpu, 1, NULL, false}, code = stack;
    u64 last = where->pc;
    u32 calls = 0;

    say_place(vcpu->vm, where->pc, where->pc);
    if (may_return_to(&code, where->link, where->pc)) {
        say_place(vcpu->vm, where->link, where->link - 1);
        last = where->link;
    }
    for (u32 i = 0; i < STACK_WORDS_MAX && calls < GUEST_CALLS_MAX; i++) {
        const u8 *at = guest_bytes(&stack, ALIGN_DOWN(where->stack, 8UL) + i * sizeof(u64));
        u64 word;

        if (at == NULL)
            return;
        word = *(const u64 *)at;
        if (word == last || !may_return_to(&code, word, where->pc))
            continue;
        say_place(vcpu->vm, word, word - 1);
        last = word;
        calls++;
    }
}

void panic_say_guest(const struct hart *hart)
{
    const struct vcpu *vcpu = hart->loaded;
    struct backtrace_start where;

    if (vcpu == NULL) {
        panic_say("  no guest is loaded on this hart\n");
        return;
    }
    arch_vcpu_where(vcpu, &where);
    panic_say("  guest %s (%s), at its last entry: pc %016lx  sp %016lx  ra %016lx\n",
              vcpu->vm->name, vcpu->vm->virt->name, where.pc, where.stack, where.link);
    panic_say("  its calls, the innermost first (also stale ones):\n");
    say_guest_calls(vcpu, &where);
}
