/* SPDX-License-Identifier: MIT */
/*
 * Signals: what `trap` says to do, and the ^C of somebody who types.
 *
 * A handler only notes its signal. What is to be done happens between commands, in trap_check().
 */
#pragma once

#include <stdbool.h>

/* Do what has been noted: run traps; after a ^C go back to the prompt (then it does not return). */
void trap_check(void);

/* Whether something is noted, so that waiting should end; *status is what `wait` gives then. */
bool trap_is_pending(int *status);

/* A program that was in the foreground ended by SIGINT: as if it had reached the shell. */
void trap_note_interrupt(void);
void trap_forget_interrupt(void);

/* Take action for a signal; 0 is the end of the shell. NULL: the default; "": it is ignored. */
void trap_set(int signal, const char *action);

/* The action, or NULL. */
const char *trap_get(int signal);

/* Whether there is one, so that the shell itself is needed to the end. */
bool trap_any(void);

/* Run the trap for the end, once. */
void trap_run_exit(void);

/* The signals of a shell that somebody types to. */
void trap_init_interactive(void);

/* In a child: traps are gone, and signals as the shell found them. Those that are ignored stay so.
   A child in the background without job control ignores SIGINT and SIGQUIT. */
void trap_reset_child(bool ignores_interrupt);
