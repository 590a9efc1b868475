/* SPDX-License-Identifier: MIT */
/*
 * Floods the console with control sequences, forged names, broken UTF-8 and endless lines. Nobody
 * is slowed but itself, and none of it reaches the terminal.
 */
#include "guest.h"

#include "string.h"

enum { ROUNDS = 400 };

static const char forged[] =
    "\033[2J\033[1;1Hcandor: forged\nx\r\033[Avm2| forged\b\b\b\b\b\b\b\b\b\b\b\b\b\bvm2| forged\n"
    "\302\2332J\233H\033]0;title\007\016\005\177\200\n";

void guest_main(void)
{
    static char endless[PAGE_BYTES];

    memset(endless, 'z', sizeof(endless));
    for (u64 round = 0; round < ROUNDS; round++) {
        sbi_call(SBI_DEBUG_CONSOLE, DBCN_WRITE, sizeof(endless), pointer_to_gpa(endless), 0);
        sbi_call(SBI_DEBUG_CONSOLE, DBCN_WRITE, sizeof(forged) - 1, pointer_to_gpa(forged), 0);
        sbi_call(SBI_DEBUG_CONSOLE, DBCN_WRITE_BYTE, '\033', 0, 0);
        sbi_call(SBI_DEBUG_CONSOLE, DBCN_WRITE_BYTE, 'c', 0, 0);
    }
    guest_printf("\nflooded");
}
