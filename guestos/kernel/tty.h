/* SPDX-License-Identifier: MIT */
/* The terminal: line editing between the platform's console and /dev/console. */
#pragma once

#include "kernel/fs/inode.h"

/* Set up the terminal. Before tty_input() or the inode is used. */
void tty_init(void);

/*
 * Characters typed at the console. Called by the platform from its interrupt path, with interrupts
 * off and no lock of level LOCK_TTY or above held. Echoes; never sleeps. What does not fit the
 * line buffer is dropped with a bell.
 */
void tty_input(const char *characters, size_t count);

/* The leader of a session has ended: if the terminal is the session's, the foreground is hung up
   (SIGHUP, SIGCONT), and the terminal is free for another. Thread context, no lock held. */
void tty_end_session(i32 session);

/* The operations of /dev/console. */
extern const struct inode_ops tty_inode_ops;
