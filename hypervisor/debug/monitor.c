/* SPDX-License-Identifier: MIT */
/*
 * The monitor: lines that are typed or that a program sends, jobs, and the smaller commands.
 *
 * Everything here runs in the console's interrupt, which the interrupt controller hands to one hart
 * at a time, or in that hart's alarm: no lock.
 */
#include "debug/monitor.h"

#include "printf.h"
#include "string.h"

#include "arch/arch.h"
#include "core/machine.h"
#include "core/sched.h"
#include "core/vm_list.h"
#include "debug/monitor_commands.h"
#include "debug/stay.h"
#include "driver/devices.h"

enum {
    MONITOR_TYPED_BYTES = 512, /* kept while a command runs */
    MONITOR_ROOM_BYTES = 2048, /* of console room before a step: more than any step prints */
    MONITOR_TEXT_BYTES = 256,
    MONITOR_ROW_BYTES = 3072,
    MONITOR_ROWS_ROOM = 2 * MONITOR_ROW_BYTES, /* of room for records before a step */
    THOUSAND = 1000,
    KEY_LOST = 0, /* among what is kept: nothing was, from here to a later line's start */
};

static const char prompt[] = "candor> ";

static struct {
    struct line_editor editor;
    struct monitor_job typed_job;
    struct byte_ring typed;
    u8 typed_bytes[MONITOR_TYPED_BYTES];
    bool typed_lost; /* what is typed is not kept */
    bool has_focus;

    struct monitor_job program_job;
    u32 request_used;
    char request[MONITOR_LINE_BYTES];
    bool program_next; /* each makes a step in turn */
    u32 row_used;      /* of the program's row */
    char row[MONITOR_ROW_BYTES];
} monitor;

/* ---- output ---- */

void monitor_say(const struct monitor_job *job, const char *format, ...)
{
    char text[MONITOR_TEXT_BYTES];
    va_list arguments;

    if (job->for_program)
        return;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    console_system_write(text, min((u32)length, (u32)sizeof(text) - 1));
}

/* The prompt, and what was typed behind it. */
static void say_prompt(void)
{
    console_line_begins();
    monitor_say(&monitor.typed_job, "%s%.*s", prompt, (int)monitor.editor.used,
                monitor.editor.line);
}

/* A line of Candor's has ended the one with the prompt. */
static bool prompt_is_cut(void)
{
    return READ_ONCE(monitor.has_focus) && READ_ONCE(monitor.typed_job.command) == NULL &&
           console_line_is_cut();
}

enum monitor_step monitor_fail(struct monitor_job *job, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(job->error, sizeof(job->error), format, arguments);
    va_end(arguments);
    monitor_say(job, "%s: %s\n", job->command->name, job->error);
    return STEP_DONE;
}

/* What does not fit is cut off, and so is not JSON: no row is that long. */
static void row_format(const char *format, va_list arguments)
{
    u32 room = MONITOR_ROW_BYTES - monitor.row_used;
    int length = vsnprintf(monitor.row + monitor.row_used, room, format, arguments);

    monitor.row_used += min((u32)length, room - 1);
}

void monitor_row_add(const struct monitor_job *job, const char *format, ...)
{
    va_list arguments;

    if (!job->for_program)
        return;
    va_start(arguments, format);
    row_format(format, arguments);
    va_end(arguments);
}

void monitor_row_begin(const struct monitor_job *job)
{
    if (!job->for_program)
        return;
    monitor.row_used = 0;
    monitor_row_add(job, "{\"id\":%u,\"row\":{", job->request);
}

void monitor_row_end(const struct monitor_job *job)
{
    monitor_row_add(job, "}}");
    if (job->for_program)
        console_record_write(monitor.row, monitor.row_used);
}

void monitor_row(const struct monitor_job *job, const char *format, ...)
{
    va_list arguments;

    if (!job->for_program)
        return;
    monitor_row_begin(job);
    va_start(arguments, format);
    row_format(format, arguments);
    va_end(arguments);
    monitor_row_end(job);
}

/* A program's last record: how it went. The error may quote what was sent: printable ASCII. */
static void answer(const struct monitor_job *job)
{
    char text[2 * MONITOR_ERROR_BYTES + MONITOR_TEXT_BYTES];
    int used = snprintf(text, sizeof(text), "{\"id\":%u,\"ok\":%s,\"error\":\"", job->request,
                        job->error[0] == '\0' ? "true" : "false");

    for (const char *c = job->error; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            text[used++] = '\\';
        text[used++] = *c;
    }
    text[used++] = '"';
    text[used++] = '}';
    console_record_write(text, (u32)used);
}

struct monitor_time monitor_seconds(u64 ticks)
{
    struct monitor_time t;
    u64 hz = max(machine.timebase_hz, (u64)1);

    snprintf(t.text, sizeof(t.text), "%lu.%03lu", ticks / hz, ticks % hz * THOUSAND / hz);
    return t;
}

struct vm *monitor_vm(struct monitor_job *job, const char *word)
{
    u32 number = 0;
    const char *c = word;

    if (*word == '\0') {
        monitor_fail(job, "of which VM? Give its number or its name");
        return NULL;
    }
    if (vm_find(word) != NULL)
        return vm_find(word);
    for (; *c >= '0' && *c <= '9' && number <= VMS_MAX; c++)
        number = number * BASE_TEN + (u32)(*c - '0');
    if (*c == '\0' && number >= 1 && number <= vm_count && vms[number - 1] != NULL)
        return vms[number - 1];
    monitor_fail(job, "there is no VM %s: `vms` lists them", word);
    return NULL;
}

struct vm *monitor_next_vm(u32 *place)
{
    while (*place < vm_count && vms[*place] == NULL)
        ++*place;
    return *place < vm_count ? vms[*place] : NULL;
}

bool monitor_word(const char **text, char word[MONITOR_NAME_BYTES])
{
    u32 length = 0;

    for (; **text != '\0' && **text != ' '; ++*text) {
        if (length < MONITOR_NAME_BYTES - 1)
            word[length++] = **text;
    }
    word[length] = '\0';
    while (**text == ' ')
        ++*text;
    return length > 0;
}

/* ---- the smaller commands ---- */

static enum monitor_step switch_step(struct monitor_job *job)
{
    const struct vm *vm = monitor_vm(job, job->argument);

    if (vm == NULL)
        return STEP_DONE;
    if (!console_switch(vm->id))
        return monitor_fail(job, "%s has ended: `start %s` starts it again", vm->name, vm->name);
    job->prompt_after = false;
    return STEP_DONE;
}

static enum monitor_step quit_step(struct monitor_job *job)
{
    if (job->for_program)
        answer(job);
    console_drain();
    machine_stop(0);
    return STEP_DONE;
}

/* NULL past the last. */
static const struct monitor_command *command_at(u32 place)
{
    if (place < monitor_command_count)
        return &monitor_commands[place];
    place -= monitor_command_count;
    return place < monitor_more_count ? &monitor_more_commands[place] : NULL;
}

static u32 command_number(const struct monitor_command *command)
{
    u32 number = 0;

    while (command_at(number) != command)
        number++;
    return number;
}

static enum monitor_step help_step(struct monitor_job *job)
{
    const struct monitor_command *command = command_at(job->step), *one;
    bool more = command_at(job->step + 1) != NULL;
    u32 width = 0;

    if (*job->argument != '\0' && strcmp(job->argument, command->name) != 0) {
        if (!more && job->rows == 0)
            monitor_fail(job, "there is no command %s: `help` lists them", job->argument);
        return more ? STEP_MORE : STEP_DONE;
    }
    job->rows++;

    for (u32 i = 0; (one = command_at(i)) != NULL; i++)
        width = max(width, (u32)(strlen(one->name) + 1 + strlen(one->argument)));
    monitor_say(job, "%s %-*s  %s\n", command->name, (int)(width - strlen(command->name) - 1),
                command->argument, command->help);
    monitor_row(job, "\"command\":\"%s\",\"argument\":\"%s\",\"help\":\"%s\"", command->name,
                command->argument, command->help);
    return more ? STEP_MORE : STEP_DONE;
}

const struct monitor_command monitor_commands[] = {
    {"help", "[WORD]", "this list; help WORD: of that command", help_step},
    {"vms", "[-v]", "each VM: state, times, share since the last look; -v: counts (also: Ctrl-T v)",
     monitor_vms_step},
    {"top", "", "shares and rates, each second, until a key is typed", monitor_top_step},
    {"switch", "VM", "type to that VM, by number or name (also: Ctrl-T and its digit)",
     switch_step},
    {"pause", "VM", "it gets no turns until it is resumed; time goes on", monitor_pause_step},
    {"resume", "VM", "it goes on", monitor_resume_step},
    {"kill", "VM", "end it at once and for good", monitor_kill_step},
    {"reboot", "VM", "end it at once and start it again from its image", monitor_reboot_step},
    {"create", "NAME", "make a VM of the bundle: create NAME [from RECORD] [mem=SIZE]",
     monitor_create_step},
    {"start", "VM", "start one that is off again, from its image", monitor_start_step},
    {"destroy", "VM", "end it if it runs, and give all that it had back", monitor_destroy_step},
    {"bundle", "", "the records that VMs can be made of, and the memory that is free",
     monitor_bundle_step},
    {"weight", "VM [N]", "its part of a busy hart beside others: show it, or set it to 1..10000",
     monitor_weight_step},
    {"trace", "[WORD]", "what is traced; on, detail or off switches it; last [N] shows records",
     monitor_trace_step},
    {"walk", "VM ADDR", "what a guest-virtual address translates to, and who may use it",
     monitor_walk_step},
    {"audit", "", "check every invariant of the VMs' memory; stops the machine meanwhile",
     monitor_audit_step},
    {"stay", "", "the longest stay in the hypervisor by entry, in instructions (debug builds)",
     monitor_stay_step},
    {"quit", "", "power the machine off", quit_step},
};
const u32 monitor_command_count = ARRAY_SIZE(monitor_commands);

/* ---- lines and jobs ---- */

/* Finds the command, whose words are taken apart; false after having failed the job. */
static bool find_command(struct monitor_job *job, const char *name)
{
    static const struct monitor_command none = {.name = "candor"};

    for (u32 i = 0; command_at(i) != NULL; i++) {
        if (strcmp(name, command_at(i)->name) == 0)
            job->command = command_at(i);
    }
    if (job->command == NULL) {
        job->command = &none;
        monitor_fail(job, "unknown command: %s (try help)", name);
    } else if (*job->argument != '\0' && *job->command->argument == '\0') {
        monitor_fail(job, "'%s' is too much: it takes nothing; nothing is done", job->argument);
    } else {
        return true;
    }
    job->command = NULL;
    return false;
}

static void start(struct monitor_job *job)
{
    char *text = job->line;

    job->step = job->cursor = job->part = job->rows = 0;
    job->waiting = job->sampled = false;
    job->error[0] = '\0';
    while (*text == ' ')
        text++;
    char *end = text;
    while (*end != ' ' && *end != '\0')
        end++;
    char *rest = end;
    while (*rest == ' ')
        rest++;
    size_t rest_length = strlen(rest);
    while (rest_length > 0 && rest[rest_length - 1] == ' ')
        rest[--rest_length] = '\0';
    job->argument = rest;
    *end = '\0';
    if ((*text != '\0' || job->for_program) && find_command(job, text))
        return;
    if (job->for_program)
        answer(job);
    else if (job->prompt_after)
        say_prompt();
}

static void start_typed(const char *line, bool prompt_after)
{
    strlcpy(monitor.typed_job.line, line, sizeof(monitor.typed_job.line));
    monitor.typed_job.prompt_after = prompt_after;
    start(&monitor.typed_job);
}

static void set_alarm(void)
{
    const struct monitor_job *typed = &monitor.typed_job, *program = &monitor.program_job;
    u64 first = typed->waiting ? typed->wake_at : TIME_NEVER;

    if (program->waiting)
        first = min(first, program->wake_at);
    sched_alarm(first, monitor_alarm);
}

enum monitor_step monitor_wait(struct monitor_job *job, u64 ticks)
{
    job->wake_at = arch_time_now() + ticks;
    return STEP_WAIT;
}

const char *monitor_command_name(u32 number)
{
    const struct monitor_command *command = command_at(number);

    return command != NULL ? command->name : "(none)";
}

/* One step of a job that is ready to go on. */
static void step(struct monitor_job *job)
{
    enum monitor_step more;

    stay_is(STAY_COMMANDS + command_number(job->command));
    more = job->command->step(job);

    job->step++;
    if (more == STEP_MORE)
        return;
    if (more == STEP_WAIT) {
        job->waiting = true;
        set_alarm();
        return;
    }
    job->command = NULL;
    if (job->for_program)
        answer(job);
    else if (job->prompt_after)
        say_prompt();
}

void monitor_alarm(void)
{
    struct monitor_job *jobs[] = {&monitor.typed_job, &monitor.program_job};

    for (u32 i = 0; i < ARRAY_SIZE(jobs); i++) {
        if (jobs[i]->waiting && jobs[i]->wake_at <= arch_time_now())
            jobs[i]->waiting = false;
    }
    set_alarm();
    console_feed();
}

/* ---- what is typed ---- */

static void edit_line(u8 byte)
{
    char echo[LINE_EDITOR_ECHO_BYTES];
    u32 echo_bytes;
    enum line_event event = line_editor_byte(&monitor.editor, byte, echo, &echo_bytes);

    console_system_write(echo, echo_bytes);
    if (event == LINE_EDITING)
        return;
    line_editor_reset(&monitor.editor);
    if (event == LINE_COMPLETE)
        start_typed(monitor.editor.line, true);
    else
        say_prompt();
}

/* Ends a command that goes on until a key is typed; false if the one that runs is not of that kind.
 */
static bool stop_endless(void)
{
    struct monitor_job *job = &monitor.typed_job;

    if (job->command == NULL || job->command->step != monitor_top_step)
        return false;
    job->command = NULL;
    job->waiting = false;
    set_alarm();
    return true;
}

void monitor_enter(void)
{
    stop_endless();
    monitor.has_focus = true;
    monitor.typed_lost = false;
    line_editor_reset(&monitor.editor);
    if (monitor.typed_job.command != NULL)
        monitor.typed_job.prompt_after = true;
    else
        say_prompt();
}

void monitor_leave(void)
{
    stop_endless();
    monitor.has_focus = false;
    monitor.typed_job.prompt_after = false;
}

/* Keeps what is typed for later. When there is no more room whole lines are lost and not single
 * keys: a command that is half another one is worse than none. */
static void keep_typed(u8 byte)
{
    u32 room = byte_ring_room(&monitor.typed);
    bool ends = byte == '\r' || byte == '\n' || byte == LINE_EDITOR_CANCEL;

    if (monitor.typed_lost) {
        monitor.typed_lost = !ends || room <= LINE_EDITOR_BYTES;
    } else if (room > 1) {
        byte_ring_put(&monitor.typed, byte);
    } else {
        byte_ring_put(&monitor.typed, KEY_LOST);
        monitor.typed_lost = true;
    }
}

static void edit_kept(void)
{
    u8 byte = byte_ring_take(&monitor.typed);

    if (byte != KEY_LOST) {
        edit_line(byte);
        return;
    }
    line_editor_reset(&monitor.editor);
    monitor_say(&monitor.typed_job,
                "\ntoo much was typed at once: this line is lost, and lines behind it\n%s", prompt);
}

void monitor_input(u8 byte)
{
    if (stop_endless()) {
        if (monitor.typed_job.prompt_after)
            say_prompt();
        return;
    }
    if (monitor.typed.size == 0)
        byte_ring_init(&monitor.typed, monitor.typed_bytes, MONITOR_TYPED_BYTES);
    if (monitor.typed_job.command == NULL && byte_ring_used(&monitor.typed) == 0 &&
        !monitor.typed_lost)
        edit_line(byte);
    else if (byte != KEY_LOST)
        keep_typed(byte);
}

void monitor_run(const char *command)
{
    if (monitor.typed_job.command == NULL)
        start_typed(command, false);
}

/* ---- what a program sends ---- */

void monitor_request(u8 byte)
{
    struct monitor_job *job = &monitor.program_job;
    const char *c = monitor.request;
    u32 number = 0;

    if (byte != '\n') {
        if (byte >= ' ' && byte <= '~' && monitor.request_used < MONITOR_LINE_BYTES - 1)
            monitor.request[monitor.request_used++] = (char)byte;
        return;
    }
    monitor.request[monitor.request_used] = '\0';
    bool too_long = monitor.request_used == MONITOR_LINE_BYTES - 1;
    monitor.request_used = 0;
    if (job->command != NULL)
        return; /* the last one has no answer yet: whoever asks waits for it */
    for (; *c >= '0' && *c <= '9'; c++)
        number = number * BASE_TEN + (u32)(*c - '0');
    job->for_program = true;
    job->request = number;
    strlcpy(job->line, too_long ? "a-line-that-is-too-long" : c, sizeof(job->line));
    start(job);
}

/* ---- steps ---- */

bool monitor_busy(void)
{
    const struct monitor_job *typed = &monitor.typed_job, *program = &monitor.program_job;
    bool typed_runs = READ_ONCE(typed->command) != NULL;

    return (READ_ONCE(program->command) != NULL && !program->waiting) ||
           (typed_runs ? !typed->waiting : byte_ring_used(&monitor.typed) > 0 || prompt_is_cut());
}

/* True if it made a step. */
static bool continue_program(void)
{
    struct monitor_job *job = &monitor.program_job;

    if (job->command == NULL || job->waiting || console_record_room() < MONITOR_ROWS_ROOM)
        return false;
    step(job);
    return true;
}

static bool continue_typed(void)
{
    struct monitor_job *job = &monitor.typed_job;

    if (console_system_room() < MONITOR_ROOM_BYTES)
        return false;
    if (prompt_is_cut())
        say_prompt();
    if (job->command == NULL) {
        if (byte_ring_used(&monitor.typed) > 0)
            edit_kept();
        return false;
    }
    if (job->waiting)
        return false;
    step(job);
    return true;
}

bool monitor_continue(void)
{
    monitor.program_next = !monitor.program_next;
    if (monitor.program_next)
        return continue_program() || continue_typed();
    return continue_typed() || continue_program();
}
