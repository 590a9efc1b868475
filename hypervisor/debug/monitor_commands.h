/* SPDX-License-Identifier: MIT */
/*
 * How the monitor's commands are made: a command is a step function that puts out one piece and
 * says whether there is more. A job is one run of a command, for a person (what is typed) or for a
 * program (the control channel, console.h); each has its own, so neither waits for the other.
 *
 * A person gets text (monitor_say), a program gets rows (monitor_row*); both get errors.
 */
#pragma once

#include "bundle_reader.h"

#include "core/vm.h"
#include "debug/console.h"
#include "debug/line_editor.h"
#include "debug/trace.h"
#include "virt/virt.h"

struct monitor_job;

enum monitor_step {
    STEP_DONE,
    STEP_MORE, /* call again */
    STEP_WAIT, /* call again later: what monitor_wait returns */
};

struct monitor_command {
    const char *name;
    const char *argument; /* as the help shows it: "" without one */
    const char *help;
    enum monitor_step (*step)(struct monitor_job *job);
};

/* What a VM had done when a command last looked. */
struct monitor_sample {
    u32 serial; /* of the VM; 0: none was seen */
    u64 time;
    u64 running;
    u64 steal;
    u64 calls;
    u64 traps;
};

enum {
    MONITOR_LINE_BYTES = LINE_EDITOR_BYTES + 16, /* a program's has a number in front */
    MONITOR_ERROR_BYTES = 200,
    MONITOR_COUNTS_BYTES = 256,
    MONITOR_NAME_BYTES = 32,
    MONITOR_RECORDS_MAX = 256, /* of a trace, shown by one command */
    BASE_TEN = 10,
    MIB_SHIFT = 20,
};

/* A VM that a job comes back to in a later step, when it may be gone. */
struct monitor_target {
    u16 id;
    u32 serial;
};

/* Counts that are being put out: what has come of the line. */
struct monitor_counts {
    const char *title;
    u32 next; /* count */
    u64 others;
    char text[MONITOR_COUNTS_BYTES];
    u32 used;
    u32 items;
    u32 row_items;
};

/* Trace records that are being collected, the newest first. */
struct monitor_record {
    struct trace_record record;
    u16 hart;
    u16 vm;
};

struct monitor_records {
    u32 wanted;
    u32 count;
    u64 before; /* when collecting began: none is newer */
    struct monitor_record kept[MONITOR_RECORDS_MAX];
    u16 next[HARTS_MAX]; /* of each hart: behind the record that comes next, */
    u16 left[HARTS_MAX]; /* how many there can be, */
    u16 vm[HARTS_MAX];   /* and who had the hart then */
    bool settled[HARTS_MAX];
};

struct monitor_job {
    const struct monitor_command *command; /* NULL: nothing runs */
    const char *argument;                  /* without spaces around */
    u32 step;                              /* counts from 0 */
    bool for_program;
    bool prompt_after; /* the command was typed, not run by a key */
    bool waiting;
    u64 wake_at; /* while it waits */
    u32 request; /* a program's number for it */
    char line[MONITOR_LINE_BYTES];
    char error[MONITOR_ERROR_BYTES]; /* a program's answer; "" while all is well */
    u32 cursor;                      /* within a command's list, */
    u32 part;                        /* and within one of its items */
    u32 rows;                        /* put out so far */
    struct monitor_target target;
    struct bundle_vm_view plan;    /* of what is to be created */
    char text[MONITOR_NAME_BYTES]; /* that a later step shows */
    struct monitor_counts counts;
    struct monitor_sample samples[VMS_MAX];
    bool sampled;                     /* all of them */
    struct console_activity activity; /* as a command last saw it */
    bool undisturbed;                 /* nobody else has said anything since */
    struct monitor_records records;
    u64 address;           /* that was walked to, */
    struct virt_walk walk; /* as it was then */
};

/* All of them, the help's order. */
extern const struct monitor_command monitor_commands[];
extern const u32 monitor_command_count;

/* What the debug build has besides (debug/inject); the ordinary one has none (monitor_more.c). */
extern const struct monitor_command monitor_more_commands[];
extern const u32 monitor_more_count;

/* Text for a person; a program gets none of it. */
void monitor_say(const struct monitor_job *job, const char *format, ...) PRINTF_LIKE(2, 3);

/* The command has failed, for this reason: one clause, without its name. Returns STEP_DONE. */
enum monitor_step monitor_fail(struct monitor_job *job, const char *format, ...) PRINTF_LIKE(2, 3);

/* One row for a program, the inside of a JSON object, whole or in pieces. A person gets none of it.
 */
void monitor_row(const struct monitor_job *job, const char *format, ...) PRINTF_LIKE(2, 3);
void monitor_row_begin(const struct monitor_job *job);
void monitor_row_add(const struct monitor_job *job, const char *format, ...) PRINTF_LIKE(2, 3);
void monitor_row_end(const struct monitor_job *job);

/* The job's next step comes after that time. Returns STEP_WAIT. */
enum monitor_step monitor_wait(struct monitor_job *job, u64 ticks);

/* Takes the next word of a text that has no spaces at its start, and spaces after it. False if
 * there is none; one that is too long is cut. */
bool monitor_word(const char **text, char word[MONITOR_NAME_BYTES]);

/* The VM with that place in the list of all, or the next one behind it; NULL: there is no more. The
 * place becomes that VM's. */
struct vm *monitor_next_vm(u32 *place);

/* The VM that a word names: its name, or else its number. NULL after having failed the job. */
struct vm *monitor_vm(struct monitor_job *job, const char *word);

/* Ticks as seconds, with three digits after the point. */
struct monitor_time {
    char text[24];
};
struct monitor_time monitor_seconds(u64 ticks);

/* The state of a VM in one word. */
const char *monitor_state(const struct vm *vm);

/* The steps that stand in files of their own. */
enum monitor_step monitor_vms_step(struct monitor_job *job);
enum monitor_step monitor_top_step(struct monitor_job *job);
enum monitor_step monitor_pause_step(struct monitor_job *job);
enum monitor_step monitor_resume_step(struct monitor_job *job);
enum monitor_step monitor_kill_step(struct monitor_job *job);
enum monitor_step monitor_reboot_step(struct monitor_job *job);
enum monitor_step monitor_create_step(struct monitor_job *job);
enum monitor_step monitor_start_step(struct monitor_job *job);
enum monitor_step monitor_destroy_step(struct monitor_job *job);
enum monitor_step monitor_bundle_step(struct monitor_job *job);
enum monitor_step monitor_trace_step(struct monitor_job *job);
enum monitor_step monitor_walk_step(struct monitor_job *job);
enum monitor_step monitor_weight_step(struct monitor_job *job);
enum monitor_step monitor_audit_step(struct monitor_job *job);
enum monitor_step monitor_stay_step(struct monitor_job *job);
