/* SPDX-License-Identifier: MIT */
/* Running trees. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "memory.h"
#include "syntax.h"

/* ---- run.c -------------------------------------------------------------------------------------
 */

/* Run all of a tree that the parser has just made, and give it back: its status. is_last: nothing
   comes after it, so a program may take the shell's place. */
int run_tree(struct tree *tree, bool is_last);

/* Run a part of a tree, which need not be the one under way: its status, which becomes $?. What
   it leaves by break, continue, return is in shell.unwind. */
int run_part(struct tree *tree, const struct node *node, bool is_last);

/* The tree under way: functions that are defined keep it. */
struct tree *run_current_tree(void);

/* ---- command.c ---------------------------------------------------------------------------------
 */

/* Run a simple command. If it is the last one the program takes the shell's place. */
int run_command(const struct node *node, bool is_last);

/* Become the program words[0]. Returns only if that fails: the status, which was told. */
int command_exec(char **words);

/* Where a program is along PATH, in shell.scratch, or NULL. */
char *command_find(const char *name);

/* Run words as a command; without functions if so said. */
int command_run_words(struct words *words, bool functions);

/* Whether a function has that name; define one; forget one. */
bool function_exists(const char *name);
void function_define(struct tree *tree, const struct node *node);
bool function_remove(const char *name);
void functions_each(void (*visit)(const char *name, void *argument), void *argument);

/* Arguments for a while: they are put back by arguments_restore() with the earlier count. */
void arguments_push(char **words, int count);
size_t arguments_pushed(void);
void arguments_restore(size_t count);
/* Those of now, by copies: what `set` does. */
void arguments_replace(char **words, int count);

/* ---- redirect.c --------------------------------------------------------------------------------
 */

/* Do what redirections say: 0, or -1 and it was told. With `saves`, redirect_undo() undoes it. */
int redirect(const struct redirection *redirection, bool saves);
size_t redirect_mark(void);
void redirect_undo(size_t mark);

/* In a child: the descriptors that were put aside are none of its business. */
void redirect_forget(void);
