/* SPDX-License-Identifier: MIT */
/*
 * The monitor: Candor's command line, behind the console's key prefix.
 *
 * Commands run in steps of one line each, from the console's interrupt, so that no VM waits for
 * them (but `audit`, which stops the machine and says so). What is typed meanwhile is kept. Called
 * on the console's hart, without its lock.
 */
#pragma once

#include "types.h"

/* The console's focus has come to the monitor: shows the prompt. */
void monitor_enter(void);

/* The focus goes from the monitor to a VM: what goes on until a key is typed ends, and no prompt
 * follows any more. */
void monitor_leave(void);

/* A typed byte. */
void monitor_input(u8 byte);

/* Starts a command as if it had been typed, without a prompt; ignored while another one runs. */
void monitor_run(const char *command);

/*
 * A byte of what a program sends on the control channel (console.h): lines `NUMBER COMMAND`. The
 * answer is records of JSON with that number as "id": any count of {"id":N,"row":{...}}, then
 * {"id":N,"ok":true,"error":""}, or false and the reason. One at a time: a line that comes before
 * the answer to the last is dropped.
 */
void monitor_request(u8 byte);

/* The command with that number in the list of all; "(none)": there is none. */
const char *monitor_command_name(u32 number);

/* The time has come that a command waited for: its next step comes with the next interrupt of the
 * console, which this asks for. */
void monitor_alarm(void);

/* Whether a command still has something to say; monitor_continue makes a step of one, if there is
 * one that can go on, and says whether. */
bool monitor_busy(void);
bool monitor_continue(void);
