/* SPDX-License-Identifier: MIT */
/*
 * One program: what it is made of follows from its number. Each slot is one feature: a few
 * instructions with one thing to try.
 */
#pragma once

#include "space.h"

struct program {
    u64 number;
    struct random random;    /* of what it is made of */
    struct random decisions; /* of what its traps do */
    struct plan plan;
    struct code code; /* of the slot being made */
    u32 slots;
    u8 features[SLOTS_MAX];
};

/* What fills a slot. */
struct feature {
    const char *name;
    u32 weight; /* how often, as against the others */
    void (*make)(struct program *program);
};

/* The three parts of the list: registers.c, accesses.c, flow.c; each ends with one without name. */
extern const struct feature register_features[];
extern const struct feature access_features[];
extern const struct feature flow_features[];

enum { FEATURES_MAX = 64 };

/* generate.c */
void program_make(struct program *program, u64 number);
const char *feature_name(u32 feature); /* NULL: there are no more */

/* A register that a program may use. */
u32 pick_register(struct program *program);

/* A number of the kind that finds mistakes: few bits, all bits, or any. */
u64 pick_value(struct program *program);

/* Somewhere in what the spaces show, in steps of `align` bytes; where data is. */
u64 pick_address(struct program *program, u32 align);

/* The registers that features compute with, so that they need no search for two that differ. */
enum {
    REGISTER_ADDRESS = 6, /* t1 */
    REGISTER_VALUE = 7,   /* t2 */
    REGISTER_OTHER = 28,  /* t3 */
};
