/* SPDX-License-Identifier: MIT */
/*
 * How the monitor's commands are made: a command is a step function that puts out one piece and
 * says whether there is more. A job is one run of a command, for a person (what is typed) or for a
 * program (the control channel, console.h); each has its own, so neither waits for the other.
 *
 * A person gets text (monitor_say), a program gets rows (monitor_row*); both get errors.
 */
#pragma once

#include "core/vm.h"
#include "debug/console.h"
#include "debug/line_editor.h"
#include "virt/virt.h"

struct monitor_job;

enum monitor_step {
    STEP_DONE,
    STEP_MORE, /* call again */
    STEP_WAIT, /* call again in a second; for people only, and only until a key is typed */
};

struct monitor_command {
    const char *name;
    const char *argument; /* as the help shows it: "" without one */
    const char *help;
    enum monitor_step (*step)(struct monitor_job *job);
};

/* What a VM had done when a command last looked. */
struct monitor_sample {
    u64 time;
    u64 running;
    u64 steal;
    u64 calls;
    u64 traps;
};

enum {
    MONITOR_LINE_BYTES = LINE_EDITOR_BYTES + 16, /* a program's has a number in front */
    MONITOR_ERROR_BYTES = 160,
};

struct monitor_job {
    const struct monitor_command *command; /* NULL: nothing runs */
    const char *argument;                  /* without spaces around */
    u32 step;                              /* counts from 0 */
    bool for_program;
    bool prompt_after; /* the command was typed, not run by a key */
    bool waiting;
    u32 request; /* a program's number for it */
    char line[MONITOR_LINE_BYTES];
    char error[MONITOR_ERROR_BYTES]; /* a program's answer; "" while all is well */
    struct monitor_sample samples[VMS_MAX];
    struct console_activity activity; /* as a command last saw it */
    bool undisturbed;                 /* nobody else has said anything since */
    u64 address;                      /* that was walked to, */
    struct virt_walk walk;            /* as it was then */
};

/* All of them, the help's order. */
extern const struct monitor_command monitor_commands[];
extern const u32 monitor_command_count;

/* Text for a person; a program gets none of it. */
void monitor_say(const struct monitor_job *job, const char *format, ...) PRINTF_LIKE(2, 3);

/* The command has failed, for this reason: one clause, without its name. Returns STEP_DONE. */
enum monitor_step monitor_fail(struct monitor_job *job, const char *format, ...) PRINTF_LIKE(2, 3);

/* One row for a program, the inside of a JSON object, whole or in pieces. A person gets none of it.
 */
void monitor_row(const struct monitor_job *job, const char *format, ...) PRINTF_LIKE(2, 3);
void monitor_row_begin(const struct monitor_job *job);
void monitor_row_add(const char *format, ...) PRINTF_LIKE(1, 2);
void monitor_row_end(void);

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
enum monitor_step monitor_walk_step(struct monitor_job *job);
