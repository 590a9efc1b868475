/* SPDX-License-Identifier: MIT */
/* Signals by the names that the commands `kill` and `trap` know. */
#ifndef FRANK_LIBC_SIGNAL_NAME_H
#define FRANK_LIBC_SIGNAL_NAME_H

/* A number, or a name with or without SIG before it; -1 if it is neither. */
int signal_number(const char *text);

/* Without SIG; NULL if it has none. */
const char *signal_name(int signal);

#endif
