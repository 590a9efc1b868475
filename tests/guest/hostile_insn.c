/* SPDX-License-Identifier: MIT */
/*
 * Executes one instruction in its kernel, given in `args` as hexadecimal words: one that is
 * Candor's. It ends the machine.
 */
#include "attacks.h"

enum { TEXT = 0x400000, HEX = 16, RETURN = 0x8082, LETTER_VALUE = 10, WORD_DIGITS = 8 };

static u32 parse_word(const char *text)
{
    u32 word = 0;

    for (u32 i = 0; i < WORD_DIGITS && text[i] != '\0'; i++)
        word = word * HEX + (u32)(text[i] >= 'a' ? text[i] - 'a' + LETTER_VALUE : text[i] - '0');
    return word;
}

void guest_main(void)
{
    u64 root = make_space(TEXT, NULL), page = take_page();
    u32 *code = gpa_to_pointer(page);

    code[0] = parse_word(start->args);
    code[1] = RETURN;
    must("map text", candor_pte_set(root, TEXT, leaf(page, PTE_R | PTE_X)));
    must("switch", candor_space_switch(root));
    csr_put(scounteren, UINT64_MAX);
    csr_put(senvcfg, UINT64_MAX);
    __asm__ volatile("fence.i; csrs sstatus, %0" : : "r"(SSTATUS_FS));
    guest_printf("EXECUTES %s", start->args);
    ((void (*)(void))TEXT)();
    guest_printf("EXECUTED %s", start->args);
}
