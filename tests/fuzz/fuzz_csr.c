/* SPDX-License-Identifier: MIT */
/*
 * What privileged code does to a guest's CSRs, by the table and by its model (host/lib/csr_pair.h).
 * The input is cut into records of 16 bytes: an instruction, which is decoded, what is done when it
 * is none that concerns CSRs, and an operand.
 */
#include <stdlib.h>
#include <string.h>

#include "csr_pair.h"
#include "endian.h"
#include "model/csr_model.h"
#include "virt/shadow/csr_table.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

enum {
    RECORD_BYTES = 16,
    OPCODE_SYSTEM = 0x73,
    CSR_SHIFT = 20,
};

/* Every other word is made a CSR instruction on a CSR that there is. */
static u32 instruction_word(const u8 *record)
{
    u32 word = load_le32(record);

    if ((record[4] & 1) == 0)
        return word;
    return (word & 0x000fff80U) | OPCODE_SYSTEM |
           csr_model_number(record[5] % CSR_MODEL_COUNT) << CSR_SHIFT;
}

static void check_instruction(const struct instruction *i)
{
    if ((i->bytes != 2 && i->bytes != 4) || i->rd > 31 || i->rs1 > 31 || i->rs2 > 31 ||
        i->size > 8 || i->offset < -2048 || i->offset > 2047 || i->csr >= CSR_NUMBERS)
        abort();
}

static void otherwise(const u8 *record, u64 operand)
{
    switch (record[6] % 6) {
    case 0:
        csr_pair_trap(record[7] % 64, operand, operand >> 8);
        break;
    case 1:
        (void)csr_pair_interrupt(operand);
        break;
    case 2:
        csr_pair_lines(operand & (BIT(IRQ_S_TIMER) | BIT(IRQ_S_EXTERNAL)));
        break;
    case 3:
        csr_pair_counters(operand, operand + 1, operand + 2);
        break;
    case 4:
        csr_pair_mode(record[7] & 1);
        break;
    default:
        if (csr_pair_privilege() == MODE_S)
            csr_pair_sret();
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
    csr_pair_start(bytes % 2 != 0);
    for (; bytes >= RECORD_BYTES; data += RECORD_BYTES, bytes -= RECORD_BYTES) {
        struct instruction decoded;
        u64 operand = load_le64(data + 8);
        bool known = instruction_decode(instruction_word(data), &decoded);

        if (known)
            check_instruction(&decoded);
        if (known && decoded.kind == INSTRUCTION_CSR)
            (void)csr_pair_access(decoded.csr, decoded.csr_op,
                                  decoded.csr_immediate ? decoded.rs1 : operand);
        else
            otherwise(data, operand);
    }
    csr_pair_compare();
    return 0;
}
