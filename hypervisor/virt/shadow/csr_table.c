/* SPDX-License-Identifier: MIT */
/*
 * The table of CSRs: see csr_table.h.
 */
#include "virt/shadow/csr_table.h"

enum {
    CSR_PRIVILEGE_SHIFT = 8, /* of a number's field: the lowest mode that may access it (2.1) */
    CSR_PRIVILEGE_MASK = 3,
    CSR_READ_ONLY = 3 << 10,
    FRM_SHIFT = 5,
    FRM_MASK = 7,
    FFLAGS_MASK = 0x1f,
    FCSR_MASK = 0xff,
    SENVCFG_FIOM = 1 << 0,
    STVEC_MODE = 3,
    STVEC_VECTORED = 1,
    STVEC_ENTRY_BYTES = 4,
    COUNTEREN_ALL = COUNTEREN_CYCLE | COUNTEREN_TIME | COUNTEREN_INSTRET,
};

#define SSTATUS_SD BIT(63)
#define INTERRUPTS_ALL (BIT(IRQ_S_SOFT) | BIT(IRQ_S_TIMER) | BIT(IRQ_S_EXTERNAL))
#define ALL_BITS (~0UL)

static u64 sstatus_fixed(const struct guest_csrs *state)
{
    return MSTATUS_UXL_64 | ((state->sstatus & MSTATUS_FS) == MSTATUS_FS ? SSTATUS_SD : 0);
}

static u64 sip_lines(const struct guest_csrs *state)
{
    return state->lines & (BIT(IRQ_S_TIMER) | BIT(IRQ_S_EXTERNAL));
}

static u64 stvec_legal(u64 old, u64 value)
{
    return (value & STVEC_MODE) > STVEC_VECTORED ? old : value;
}

/* A write with a mode that is not there has no effect at all (4.1.11). */
static u64 satp_legal(u64 old, u64 value)
{
    return (value & SATP_MODE) == 0 || (value & SATP_MODE) == SATP_SV39 ? value : old;
}

static bool stimecmp_exists(const struct guest_csrs *state, u32 privilege)
{
    (void)privilege;
    return state->sstc;
}

static bool counter_exists(const struct guest_csrs *state, u32 privilege, u64 bit)
{
    return privilege != MODE_U || (state->scounteren & bit) != 0;
}

static bool cycle_exists(const struct guest_csrs *state, u32 privilege)
{
    return counter_exists(state, privilege, COUNTEREN_CYCLE);
}

static bool time_exists(const struct guest_csrs *state, u32 privilege)
{
    return counter_exists(state, privilege, COUNTEREN_TIME);
}

static bool instret_exists(const struct guest_csrs *state, u32 privilege)
{
    return counter_exists(state, privilege, COUNTEREN_INSTRET);
}

#define FIELD(name) .field = offsetof(struct guest_csrs, name)
#define PLAIN(member, bits) .name = #member, FIELD(member), .visible = (bits), .writable = (bits)
#define COUNTER(member) .name = #member, FIELD(member), .visible = ALL_BITS
#define RULE(id, ...) [CSR_SLOT(id)] = {.number = (id), __VA_ARGS__}

static const struct csr_rule rules[CSR_SLOTS] = {
    RULE(CSR_FFLAGS, .name = "fflags", FIELD(fcsr), .floating = true, .visible = FFLAGS_MASK,
         .writable = FFLAGS_MASK, .effects = CSR_EFFECT_FLOATING),
    RULE(CSR_FRM, .name = "frm", FIELD(fcsr), .shift = FRM_SHIFT, .floating = true,
         .visible = FRM_MASK, .writable = FRM_MASK, .effects = CSR_EFFECT_FLOATING),
    RULE(CSR_FCSR, PLAIN(fcsr, FCSR_MASK), .floating = true, .effects = CSR_EFFECT_FLOATING),
    RULE(CSR_SSTATUS, PLAIN(sstatus, MSTATUS_GUEST_FIELDS),
         .effects = CSR_EFFECT_VIEW | CSR_EFFECT_INTERRUPTS | CSR_EFFECT_FLOATING,
         .also_read = sstatus_fixed),
    RULE(CSR_SIE, PLAIN(sie, INTERRUPTS_ALL), .effects = CSR_EFFECT_INTERRUPTS),
    RULE(CSR_STVEC, PLAIN(stvec, ALL_BITS), .legal = stvec_legal),
    RULE(CSR_SCOUNTEREN, PLAIN(scounteren, COUNTEREN_ALL), .effects = CSR_EFFECT_COUNTERS),
    RULE(CSR_SENVCFG, PLAIN(senvcfg, SENVCFG_FIOM)),
    RULE(CSR_SSCRATCH, PLAIN(sscratch, ALL_BITS)),
    RULE(CSR_SEPC, PLAIN(sepc, ~BIT(0))),
    RULE(CSR_SCAUSE, PLAIN(scause, ALL_BITS)),
    RULE(CSR_STVAL, PLAIN(stval, ALL_BITS)),
    RULE(CSR_SIP, PLAIN(sip, BIT(IRQ_S_SOFT)), .effects = CSR_EFFECT_INTERRUPTS,
         .also_read = sip_lines),
    RULE(CSR_STIMECMP, PLAIN(stimecmp, ALL_BITS), .effects = CSR_EFFECT_TIMER,
         .exists = stimecmp_exists),
    RULE(CSR_SATP, PLAIN(satp, ALL_BITS), .effects = CSR_EFFECT_TRANSLATION, .legal = satp_legal),
    RULE(CSR_CYCLE, COUNTER(cycle), .exists = cycle_exists),
    RULE(CSR_TIME, COUNTER(time), .exists = time_exists),
    RULE(CSR_INSTRET, COUNTER(instret), .exists = instret_exists),
};

const struct csr_rule *csr_find(u16 number)
{
    const struct csr_rule *rule = &rules[CSR_SLOT(number)];

    return rule->number == number && rule->name != NULL ? rule : NULL;
}

const char *csr_slot_name(u32 slot)
{
    return rules[slot].name;
}

static u64 *field_of(const struct csr_rule *rule, struct guest_csrs *state)
{
    return (u64 *)(void *)((u8 *)state + rule->field);
}

static bool access_allowed(const struct csr_rule *rule, const struct guest_csrs *state,
                           u32 privilege, enum csr_op op)
{
    if ((rule->number >> CSR_PRIVILEGE_SHIFT & CSR_PRIVILEGE_MASK) > privilege)
        return false;
    if (op != CSR_READ && (rule->number & CSR_READ_ONLY) == CSR_READ_ONLY)
        return false;
    if (rule->floating && (state->sstatus & MSTATUS_FS) == 0)
        return false;
    return rule->exists == NULL || rule->exists(state, privilege);
}

static u64 combine(enum csr_op op, u64 old, u64 operand)
{
    switch (op) {
    case CSR_SET:
        return old | operand;
    case CSR_CLEAR:
        return old & ~operand;
    default:
        return operand;
    }
}

/* Of what a change of sstatus could mean, what this one does. */
static u32 sstatus_effects(u64 changed)
{
    return ((changed & (MSTATUS_SUM | MSTATUS_MXR)) != 0 ? CSR_EFFECT_VIEW : 0) |
           ((changed & MSTATUS_SIE) != 0 ? CSR_EFFECT_INTERRUPTS : 0) |
           ((changed & MSTATUS_FS) != 0 ? CSR_EFFECT_FLOATING : 0);
}

/* Writes and returns the effects. */
static u32 write_rule(const struct csr_rule *rule, struct guest_csrs *state, u64 value)
{
    u64 *field = field_of(rule, state), before = *field, fs = state->sstatus & MSTATUS_FS;
    u64 old = before >> rule->shift & rule->visible;
    u64 left = rule->legal != NULL ? rule->legal(old, value) : value;
    u64 changed = (old ^ left) & rule->writable;
    u32 effects = changed != 0 ? rule->effects : 0;

    *field = before ^ changed << rule->shift;
    if (rule->number == CSR_SSTATUS)
        effects &= sstatus_effects(changed);
    if (rule->floating && fs != MSTATUS_FS) {
        state->sstatus |= MSTATUS_FS;
        effects |= CSR_EFFECT_FLOATING;
    }
    return effects;
}

bool csr_access(struct guest_csrs *state, u16 number, u32 privilege, enum csr_op op, u64 operand,
                u64 *old, u32 *effects)
{
    const struct csr_rule *rule = csr_find(number);

    if (rule == NULL || !access_allowed(rule, state, privilege, op))
        return false;
    *old = *field_of(rule, state) >> rule->shift & rule->visible;
    if (rule->also_read != NULL)
        *old |= rule->also_read(state);
    *effects = op == CSR_READ ? 0 : write_rule(rule, state, combine(op, *old, operand));
    return true;
}

void guest_csrs_start(struct guest_csrs *state, bool sstc)
{
    *state = (struct guest_csrs){
        .sstc = sstc,
        .sstatus = MSTATUS_FS,
        .scounteren = COUNTEREN_ALL,
        .stimecmp = ALL_BITS,
    };
}

u64 guest_trap_enter(struct guest_csrs *state, u64 cause, u64 value, u64 pc, u32 from_privilege)
{
    u64 base = state->stvec & ~(u64)STVEC_MODE;
    bool enabled = (state->sstatus & MSTATUS_SIE) != 0;

    state->sstatus &= ~(u64)(MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP);
    state->sstatus |= (enabled ? MSTATUS_SPIE : 0) |
                      (from_privilege == MODE_U ? 0 : (u64)MSTATUS_SPP);
    state->sepc = pc & ~BIT(0);
    state->scause = cause;
    state->stval = value;
    if ((state->stvec & STVEC_MODE) == STVEC_VECTORED && (cause & CAUSE_INTERRUPT) != 0)
        return base + (cause & ~CAUSE_INTERRUPT) * STVEC_ENTRY_BYTES;
    return base;
}

struct guest_return guest_sret(struct guest_csrs *state)
{
    u32 privilege = (state->sstatus & MSTATUS_SPP) != 0 ? MODE_S : MODE_U;
    bool enabled = (state->sstatus & MSTATUS_SPIE) != 0;

    state->sstatus &= ~(u64)(MSTATUS_SIE | MSTATUS_SPP);
    state->sstatus |= MSTATUS_SPIE | (enabled ? (u64)MSTATUS_SIE : 0);
    return (struct guest_return){.pc = state->sepc, .privilege = privilege};
}

static u64 interrupts_ready(const struct guest_csrs *state)
{
    return (state->sip | sip_lines(state)) & state->sie;
}

bool guest_interrupt_wakes(const struct guest_csrs *state)
{
    return interrupts_ready(state) != 0;
}

bool guest_interrupt_due(const struct guest_csrs *state, u32 privilege, u64 *cause)
{
    static const u8 order[] = {IRQ_S_EXTERNAL, IRQ_S_SOFT, IRQ_S_TIMER};
    u64 ready = interrupts_ready(state);

    if (ready == 0 || (privilege != MODE_U && (state->sstatus & MSTATUS_SIE) == 0))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        if ((ready & BIT(order[i])) != 0) {
            *cause = CAUSE_INTERRUPT | order[i];
            return true;
        }
    }
    return false;
}
