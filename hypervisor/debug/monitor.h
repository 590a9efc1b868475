/* SPDX-License-Identifier: MIT */
/*
 * The monitor: Candor's command line, behind the console's key prefix.
 *
 * Commands run in steps of one line each, from the console's interrupt, so that no VM waits for
 * them (but `audit`, which stops the machine and says so). What is typed meanwhile is kept. Called
 * on any hart, without the console's lock; the monitor's own lock is tried, never waited for.
 */
#ifndef DEBUG_MONITOR_H
#define DEBUG_MONITOR_H

#include "types.h"

/* The console's focus has come to the monitor: shows the prompt. */
void monitor_enter(void);

/* A typed byte. */
void monitor_input(u8 byte);

/* Starts a command as if it had been typed, without a prompt; ignored while another one runs. */
void monitor_run(const char *command);

/* Whether a command still has something to say; monitor_continue takes its next step. */
bool monitor_busy(void);
void monitor_continue(void);

#endif
