/* SPDX-License-Identifier: MIT */
/*
 * The decoder against the disassembler of binutils: every compressed encoding, and every
 * combination of opcode, funct3 and funct7 (and rs2, where it counts) of the 32-bit ones, must mean
 * the same to both, operands included. What only one of the two knows is listed here.
 */
#include "check.h"

#include <stdio.h>
#include <unistd.h>

#include "virt/shadow/csr_table.h"
#include "virt/shadow/decode.h"

enum {
    COMPRESSED = 1 << 16,
    OPCODES = 32,
    ENCODINGS_MAX = 400000,
    LINE_BYTES = 256,
    TEXT_BYTES = 64,
    OPCODE_MISC_MEM = 0x0f,
};
#define UNIMPLEMENTED 0xc0001073U

static u32 *encodings;
static u32 count;

/* ---- an instruction as the disassembler writes it, without aliases and with numbered registers */

static void write_operands(char *text, const struct instruction *i)
{
    char file = i->floating ? 'f' : 'x', csr[TEXT_BYTES];
    const struct csr_rule *rule = csr_find(i->csr);

    switch (i->kind) {
    case INSTRUCTION_LOAD:
    case INSTRUCTION_STORE:
        sprintf(text, "%c%u,%ld(x%u)", file, i->kind == INSTRUCTION_LOAD ? i->rd : i->rs2,
                (long)i->offset, i->rs1);
        return;
    case INSTRUCTION_LOAD_RESERVED:
        sprintf(text, "x%u,(x%u)", i->rd, i->rs1);
        return;
    case INSTRUCTION_STORE_CONDITIONAL:
    case INSTRUCTION_ATOMIC:
        sprintf(text, "x%u,x%u,(x%u)", i->rd, i->rs2, i->rs1);
        return;
    case INSTRUCTION_CSR:
        if (rule != NULL)
            sprintf(csr, "%s", rule->name);
        else
            sprintf(csr, "0x%x", i->csr);
        sprintf(text, i->csr_immediate ? "x%u,%s,%u" : "x%u,%s,x%u", i->rd, csr, i->rs1);
        return;
    case INSTRUCTION_SFENCE_VMA:
        sprintf(text, "x%u,x%u", i->rs1, i->rs2);
        return;
    default:
        text[0] = '\0';
    }
}

static const char *atomic_name(enum atomic_op op)
{
    switch (op) {
    case ATOMIC_ADD:
        return "add";
    case ATOMIC_SWAP:
        return "swap";
    case ATOMIC_XOR:
        return "xor";
    case ATOMIC_OR:
        return "or";
    case ATOMIC_AND:
        return "and";
    case ATOMIC_MIN:
        return "min";
    case ATOMIC_MAX:
        return "max";
    case ATOMIC_MIN_UNSIGNED:
        return "minu";
    default:
        return "maxu";
    }
}

static void write_memory_name(char *name, const struct instruction *i)
{
    static const char letters[] = "?bh?w???d";
    bool load = i->kind == INSTRUCTION_LOAD;

    sprintf(name, "%s%s%s%c%s%s", i->bytes == 2 ? "c." : "", i->floating ? "f" : "",
            load ? "l" : "s", letters[i->size], load && !i->sign_extend && !i->floating ? "u" : "",
            i->bytes == 2 && i->rs1 == 2 ? "sp" : "");
}

static void write_name(char *name, const struct instruction *i, u32 bits)
{
    static const char *const plain[] = {
        [INSTRUCTION_SRET] = "sret",   [INSTRUCTION_MRET] = "mret",
        [INSTRUCTION_WFI] = "wfi",     [INSTRUCTION_SFENCE_VMA] = "sfence.vma",
        [INSTRUCTION_FENCE] = "fence", [INSTRUCTION_FENCE_I] = "fence.i",
        [INSTRUCTION_ECALL] = "ecall", [INSTRUCTION_EBREAK] = "ebreak",
    };
    static const char *const csr_ops[] = {[CSR_WRITE] = "w", [CSR_SET] = "s", [CSR_CLEAR] = "c"};
    static const char *const orders[] = {"", ".rl", ".aq", ".aqrl"};
    char width = i->size == 4 ? 'w' : 'd';

    switch (i->kind) {
    case INSTRUCTION_LOAD:
    case INSTRUCTION_STORE:
        write_memory_name(name, i);
        return;
    case INSTRUCTION_LOAD_RESERVED:
    case INSTRUCTION_STORE_CONDITIONAL:
        sprintf(name, "%s.%c%s", i->kind == INSTRUCTION_LOAD_RESERVED ? "lr" : "sc", width,
                orders[bits >> 25 & 3]);
        return;
    case INSTRUCTION_ATOMIC:
        sprintf(name, "amo%s.%c%s", atomic_name(i->atomic_op), width, orders[bits >> 25 & 3]);
        return;
    case INSTRUCTION_CSR: {
        /* which of set and clear a mere read is, only the encoding says */
        u32 op = i->csr_op == CSR_READ ? (bits >> 12 & 3) : i->csr_op;

        assert_true(i->csr_op != CSR_READ || op == CSR_SET || op == CSR_CLEAR);
        assert_int_equal(i->csr_op == CSR_READ, op != CSR_WRITE && i->rs1 == 0);
        sprintf(name, "csrr%s%s", csr_ops[op], i->csr_immediate ? "i" : "");
        return;
    }
    default:
        sprintf(name, "%s%s", i->bytes == 2 ? "c." : "", plain[i->kind]);
    }
}

/* ---- comparison */

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Instructions of these names are ours to decode. */
static bool is_ours(const char *name)
{
    static const char *const ours[] = {
        "lb",      "lbu",     "lh",      "lhu",      "lw",        "lwu",    "ld",         "sb",
        "sh",      "sw",      "sd",      "flw",      "fld",       "fsw",    "fsd",        "c.lw",
        "c.ld",    "c.sw",    "c.sd",    "c.fld",    "c.fsd",     "c.lwsp", "c.ldsp",     "c.swsp",
        "c.sdsp",  "c.fldsp", "c.fsdsp", "sret",     "mret",      "wfi",    "sfence.vma", "fence",
        "fence.i", "ecall",   "ebreak",  "c.ebreak", "fence.tso",
    };

    for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
        if (strcmp(name, ours[i]) == 0)
            return true;
    return starts(name, "amo") || starts(name, "lr.") || starts(name, "sc.") ||
           starts(name, "csrr");
}

/* fence and fence.i with reserved fields: the disassembler does not know them, an implementation
 * ignores the fields. */
static bool is_reserved_fence(u32 bits)
{
    return (bits & 0x7f) == OPCODE_MISC_MEM && (bits >> 12 & 7) <= 1;
}

static void compare_named(u32 bits, const char *name, const char *operands)
{
    struct instruction decoded;
    char our_name[TEXT_BYTES], our_operands[TEXT_BYTES];
    bool known = instruction_decode(bits, &decoded);

    if (is_reserved_fence(bits)) {
        assert_true(known);
        assert_int_equal(decoded.kind,
                         (bits >> 12 & 7) == 0 ? INSTRUCTION_FENCE : INSTRUCTION_FENCE_I);
        return;
    }
    if (known != is_ours(name))
        fail_msg("%08x is %s %s: %s", bits, name, operands, known ? "decoded" : "not decoded");
    if (!known)
        return;
    assert_int_equal(decoded.bytes, (bits & 3) == 3 ? 4 : 2);
    write_name(our_name, &decoded, bits);
    write_operands(our_operands, &decoded);
    if (decoded.kind == INSTRUCTION_CSR && csr_find(decoded.csr) == NULL &&
        strstr(operands, ",0x") == NULL) { /* a CSR that only the disassembler can name */
        *strchr(our_operands, ',') = '\0';
        assert_true(starts(operands, our_operands));
        strcpy(our_operands, operands);
    }
    if (strcmp(name, our_name) != 0 || strcmp(operands, our_operands) != 0)
        fail_msg("%08x is %s %s, decoded as %s %s", bits, name, operands, our_name, our_operands);
}

static void compare(u32 bits, const char *name, const char *operands)
{
    if (bits == UNIMPLEMENTED) { /* an alias that the disassembler writes all the same */
        name = "csrrw";
        operands = "x0,cycle,x0";
    }
    compare_named(bits, name, operands);
}

/* A line is "  address:\tcode\tname\toperands # remark". */
static bool split_line(char *line, char **name, char **operands)
{
    static char none[] = "";
    char *at = strchr(line, '\t');

    at = at == NULL ? NULL : strchr(at + 1, '\t');
    if (at == NULL)
        return false;
    *name = at + 1;
    at = strpbrk(*name, "\t\n");
    *operands = *at == '\t' ? at + 1 : none;
    *at = '\0';
    (*operands)[strcspn(*operands, " \n")] = '\0';
    return true;
}

/* Has the encodings disassembled and compares each. */
static void compare_all(void)
{
    char path[] = "/tmp/candor-decode-XXXXXX", command[LINE_BYTES], line[LINE_BYTES];
    int file = mkstemp(path);
    u32 next = 0;

    assert_true(file >= 0);
    FILE *out = fdopen(file, "wb");
    for (u32 i = 0; i < count; i++)
        assert_int_equal(fwrite(&encodings[i], instruction_bytes((u16)encodings[i]), 1, out), 1);
    assert_int_equal(fclose(out), 0);
    snprintf(command, sizeof(command),
             "riscv64-unknown-elf-objdump -D -z -b binary -m riscv:rv64 -M no-aliases,numeric %s",
             path);
    FILE *in = popen(command, "r");
    assert_non_null(in);
    while (fgets(line, sizeof(line), in) != NULL) {
        char *name, *operands;

        if (!split_line(line, &name, &operands))
            continue;
        assert_true(next < count);
        compare(encodings[next++], name, operands);
    }
    assert_int_equal(pclose(in), 0);
    assert_int_equal(next, count);
    unlink(path);
}

static void add(u32 bits)
{
    assert_true(count < ENCODINGS_MAX);
    encodings[count++] = bits;
}

static int start(void **state)
{
    (void)state;
    encodings = malloc(ENCODINGS_MAX * sizeof(*encodings));
    count = 0;
    return encodings == NULL ? -1 : 0;
}

static int stop(void **state)
{
    (void)state;
    free(encodings);
    return 0;
}

static void test_each_compressed_encoding_means_what_the_disassembler_says(void **state)
{
    (void)state;
    for (u32 bits = 0; bits < COMPRESSED; bits++)
        if ((bits & 3) != 3)
            add(bits);
    compare_all();
}

/* Whether instructions of the opcode are ours, some at least. */
static bool opcode_counts(u32 opcode)
{
    static const u8 ours[] = {0x00, 0x01, 0x03, 0x08, 0x09, 0x0b, 0x1c};

    return memchr(ours, (int)opcode, sizeof(ours)) != NULL;
}

/* All of opcode, funct3 and funct7, and of rs2 where it may count; rd and rs1 take every value over
 * them. */
static void test_each_full_encoding_means_what_the_disassembler_says(void **state)
{
    (void)state;
    for (u32 opcode = 0; opcode < OPCODES; opcode++)
        for (u32 rest = 0; (opcode & 7) != 7 && rest < 1U << 15; rest++) {
            u32 rd = (rest * 7 + 3 + (rest >> 9)) & 31, rs1 = (rest * 11 + 5 + (rest >> 8)) & 31;

            if (rest >> 3 & 30 && !opcode_counts(opcode))
                continue;
            add(rest >> 3 << 20 | rs1 << 15 | (rest & 7) << 12 | rd << 7 | opcode << 2 | 3);
        }
    compare_all();
}

/* System and memory-ordering instructions mostly have no registers: they are told apart there. */
static void test_encodings_without_registers_mean_what_the_disassembler_says(void **state)
{
    static const u32 opcodes[] = {0x00, 0x03, 0x0b, 0x1c};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(opcodes); i++)
        for (u32 rest = 0; rest < 1U << 15; rest++)
            add(rest >> 3 << 20 | (rest & 7) << 12 | opcodes[i] << 2 | 3);
    compare_all();
}

static void test_longer_instructions_are_not_decoded(void **state)
{
    struct instruction decoded;

    (void)state;
    for (u32 bits = 0; bits < COMPRESSED; bits++)
        if ((bits & 0x1f) == 0x1f)
            assert_false(instruction_decode(0x12340000 | bits, &decoded));
}

static void test_bits_above_a_compressed_instruction_do_not_count(void **state)
{
    struct instruction one = {0}, other = {0};

    (void)state;
    for (u32 bits = 0; bits < COMPRESSED; bits++) {
        if ((bits & 3) == 3)
            continue;
        assert_int_equal(instruction_decode(bits, &one),
                         instruction_decode(0xffff0000 | bits, &other));
        assert_memory_equal(&one, &other, sizeof(one));
    }
}

#define listed(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        listed(test_each_compressed_encoding_means_what_the_disassembler_says),
        listed(test_each_full_encoding_means_what_the_disassembler_says),
        listed(test_encodings_without_registers_mean_what_the_disassembler_says),
        cmocka_unit_test(test_longer_instructions_are_not_decoded),
        cmocka_unit_test(test_bits_above_a_compressed_instruction_do_not_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
