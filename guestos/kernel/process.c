/* SPDX-License-Identifier: MIT */
/*
 * The tree of processes: fork, exit, wait. process.h tells what a process owns; lock LOCK_PROCESS.
 */
#include "kernel/process.h"

#include "frank/procinfo.h"
#include "frank/wait.h"
#include "kernel/account.h"
#include "kernel/exec.h"
#include "kernel/kmalloc.h"
#include "kernel/printk.h"
#include "kernel/process_group.h"
#include "kernel/space.h"
#include "kernel/syscall.h"
#include "kernel/tty.h"
#include "kernel/wait.h"
#include "string.h"

enum process_pids {
    PID_INIT = 1,
    PID_ANY = -1,
};

struct spinlock process_lock = SPINLOCK_INITIALIZER("processes", LOCK_PROCESS);
struct list_node process_list = {&process_list, &process_list};
static u64 count_of_all;
static i32 last_pid;
static struct process *init_process;

/* Any state. process_lock is held. */
static struct process *find_any_locked(i32 pid)
{
    struct process *process;

    list_for_each (process, &process_list, all_node)
        if (process->pid == pid)
            return process;
    return NULL;
}

struct process *process_find_locked(i32 pid)
{
    struct process *process = find_any_locked(pid);

    return process != NULL && process->state == PROCESS_ALIVE ? process : NULL;
}

/* Give the process a pid and a place among all and under its parent. -EAGAIN: too many. */
static int enter_locked(struct process *process, struct process *parent)
{
    struct process *other;

    if (count_of_all >= PROCESS_COUNT_MAX)
        return -EAGAIN;
    do {
        last_pid = last_pid < PROCESS_PID_MAX ? last_pid + 1 : PID_INIT + 1;
    } while (find_any_locked(last_pid) != NULL);
    process->pid = last_pid;
    process->group = parent != NULL ? parent->group : PID_INIT;
    process->session = parent != NULL ? parent->session : PID_INIT;
    process->parent = parent;
    process->parent_pid = parent != NULL ? parent->pid : 0;
    list_for_each (other, &process_list, all_node)
        if (other->pid > process->pid)
            break;
    list_insert_before(&other->all_node, &process->all_node);
    if (parent != NULL)
        list_push_back(&parent->children, &process->sibling_node);
    count_of_all++;
    return 0;
}

static void leave_locked(struct process *process)
{
    list_remove(&process->all_node);
    list_remove(&process->sibling_node);
    count_of_all--;
}

static struct process *process_create(struct thread *thread)
{
    struct process *process = kmalloc(sizeof(*process));

    if (process == NULL)
        return NULL;
    memset(process, 0, offsetof(struct process, actions)); /* they count as set_actions says */
    list_init(&process->children);
    list_init(&process->sibling_node);
    list_init(&process->all_node);
    list_init(&process->threads);
    wait_queue_init(&process->child_wait);
    wait_queue_init(&process->stop_wait);
    thread->process = process;
    list_push_back(&process->threads, &thread->process_node);
    process->thread_count = 1;
    process->last_thread_number = thread->number = 1;
    return process;
}

static void begin_init(void *arguments)
{
    int error = exec_init(process_current()->name, arguments);

    if (error != 0)
        panic("cannot run %s: error %d", process_current()->name, -error);
}

void process_start_init(const char *path, const char *arguments)
{
    struct thread *thread = thread_create(begin_init, (void *)arguments);

    if (thread == NULL || (init_process = process_create(thread)) == NULL)
        panic("no memory for the first process");
    strlcpy(init_process->name, path, sizeof(init_process->name));
    file_table_init(&init_process->files);
    spin_acquire(&process_lock);
    kassert(enter_locked(init_process, NULL) == 0);
    spin_release(&process_lock);
    thread_start(thread);
}

long sys_fork(void)
{
    struct process *parent = process_current(), *child;
    struct thread *thread = thread_create_like_this();
    int error = -ENOMEM;
    i32 pid;

    if (thread == NULL)
        return -ENOMEM;
    child = process_create(thread);
    if (child == NULL)
        goto free_thread;
    child->space = space_fork(parent->space);
    if (child->space == NULL)
        goto free_process;
    thread->frame->x[REG_A0] = 0;

    spin_acquire(&process_lock);
    memcpy(child->name, parent->name, sizeof(child->name));
    child->set_actions = parent->set_actions;
    for (int signal = 1; signal < SIGNAL_COUNT && parent->set_actions >> signal != 0; signal++)
        if ((parent->set_actions & 1U << signal) != 0)
            child->actions[signal] = parent->actions[signal];
    error = enter_locked(child, parent);
    pid = child->pid;
    spin_release(&process_lock);
    if (error != 0)
        goto free_space;
    file_table_clone(&child->files, &parent->files);
    thread_start(thread);
    return pid;

free_space:
    space_destroy(child->space);
free_process:
    kfree(child);
free_thread:
    thread_destroy(thread);
    return error;
}

/* Hand the children of an ending process to init. */
static void orphan_children_locked(struct process *process)
{
    struct list_node *node;

    while ((node = list_pop_front(&process->children)) != NULL) {
        struct process *child = list_entry(node, struct process, sibling_node);

        child->parent = init_process;
        WRITE_ONCE(child->parent_pid, init_process->pid);
        list_push_back(&init_process->children, node);
        if (child->state == PROCESS_ZOMBIE)
            wake_all(&init_process->child_wait);
    }
}

/* Tell the parent of a process that has just ended. Whether nobody will wait for it. */
static bool tell_end_locked(struct process *process)
{
    const struct process *parent = process->parent;
    const struct frank_sigaction *action = &parent->actions[SIGCHLD];
    int by = process->exit_status & WAIT_STATUS_SIGNAL;

    process_tell_parent_locked(process, by != 0 ? FRANK_CLD_KILLED : FRANK_CLD_EXITED,
                               by != 0 ? by : process->exit_status >> WAIT_STATUS_CODE_SHIFT);
    return (parent->set_actions & 1U << SIGCHLD) != 0 &&
           (action->handler == FRANK_SIG_IGN || (action->flags & FRANK_SA_NOCLDWAIT) != 0);
}

/* The last thread of a process gives back what the process owns and leaves a zombie. */
static void become_zombie(struct process *process)
{
    struct space *space = process->space;
    bool is_gone;

    if (process->pid == PID_INIT) {
        printk("frank: init has ended (status 0x%x)\n", (unsigned)process->exit_status);
        plat_poweroff(true);
    }
    file_table_close_all(&process->files);
    spin_acquire(&process_lock);
    process->space = NULL;
    spin_release(&process_lock);
    space_switch(NULL);
    if (space != NULL)
        space_destroy(space);

    if (process->session == process->pid)
        tty_end_session(process->session);
    spin_acquire(&process_lock);
    alarm_stop_locked(process);
    process_group_leave_locked(process);
    orphan_children_locked(process);
    account_unwatch_locked(process);
    thread_current()->process = NULL;
    process->state = PROCESS_ZOMBIE;
    is_gone = tell_end_locked(process);
    if (is_gone)
        leave_locked(process);
    spin_release(&process_lock);
    if (is_gone)
        kfree(process);
}

/* The process's threads are to leave, and what it says at its end is settled. */
static void begin_end_locked(struct process *process, int status)
{
    struct thread *other;

    if (process->is_ending)
        return;
    process->is_ending = true;
    process->exit_status = status;
    process_continue_locked(process, false);
    list_for_each (other, &process->threads, process_node)
        if (other != thread_current())
            thread_interrupt(other);
}

void process_leave_locked(void)
{
    struct thread *thread = thread_current();
    struct process *process = thread->process;
    struct thread_ticks ticks;
    bool is_last = process->thread_count == 1;

    if (is_last)
        begin_end_locked(process, wait_status_exited(0));
    arch_fp_reset(thread); /* nobody is to find what it leaves in the registers */
    list_remove(&thread->process_node);
    process->thread_count--;
    ticks = thread_ticks(thread);
    process->ended_run_ticks += ticks.run;
    process->ended_user_ticks += ticks.user;
    if (!is_last) {
        thread->process = NULL;
        space_switch(NULL); /* which another CPU may take apart from here on */
        if (process->survivor != NULL)
            wake_all(&process->stop_wait);
    }
    spin_release(&process_lock);
    if (is_last)
        become_zombie(process);
    thread_exit();
}

void process_exit(int status)
{
    thread_begin_exit();
    spin_acquire(&process_lock);
    begin_end_locked(process_current(), status);
    process_leave_locked();
}

long sys_exit(u64 code)
{
    process_exit(wait_status_exited((int)code));
}

static bool is_meant(const struct process *child, const struct process *parent, i32 pid)
{
    if (pid > 0)
        return child->pid == pid;
    return pid == PID_ANY || child->group == (pid == 0 ? parent->group : -pid);
}

/* Whether waitpid with these flags should report the child now. */
static bool has_news(const struct process *child, u64 flags)
{
    if (child->state == PROCESS_ZOMBIE)
        return true;
    return child->stop_status != 0 &&
           (flags & (child->stop_status == WAIT_STATUS_CONTINUED ? WCONTINUED : WUNTRACED)) != 0;
}

/* A child with news among those that `pid` names, or NULL; *exists says whether there is any such
   child. */
static struct process *find_child_locked(struct process *parent, i32 pid, u64 flags, bool *exists)
{
    struct process *child;

    *exists = false;
    list_for_each (child, &parent->children, sibling_node) {
        if (!is_meant(child, parent, pid))
            continue;
        *exists = true;
        if (has_news(child, flags))
            return child;
    }
    return NULL;
}

/* A child's news, which nobody hears twice. A zombie leaves its parent, and is the caller's. */
static int take_news_locked(struct process *parent, struct process *child)
{
    int status = child->stop_status;

    if (child->state == PROCESS_ALIVE) {
        child->stop_status = 0;
        return status;
    }
    parent->children_run_ticks += child->ended_run_ticks + child->children_run_ticks;
    parent->children_user_ticks += child->ended_user_ticks + child->children_user_ticks;
    leave_locked(child);
    return child->exit_status;
}

/* Whether the status can be stored is tried before a child is given up for it. */
long sys_waitpid(u64 pid, u64 status_address, u64 flags)
{
    struct process *parent = process_current(), *child, *zombie = NULL;
    int error = 0, status = 0;
    bool exists;
    long result = 0;

    if ((flags & ~(u64)(WNOHANG | WUNTRACED | WCONTINUED)) != 0)
        return -EINVAL;
    if (status_address != 0 && zero_user(status_address, sizeof(status)) != 0)
        return -EFAULT;
    spin_acquire(&process_lock);
    while ((child = find_child_locked(parent, (i32)pid, flags, &exists)) == NULL && error == 0) {
        if (!exists)
            error = -ECHILD;
        else if ((flags & WNOHANG) != 0)
            break;
        else
            error = wait_on(&parent->child_wait, &process_lock);
    }
    if (child != NULL) {
        error = 0;
        result = child->pid;
        zombie = child->state == PROCESS_ZOMBIE ? child : NULL;
        status = take_news_locked(parent, child);
    }
    spin_release(&process_lock);
    if (zombie != NULL)
        kfree(zombie);
    if (child != NULL && status_address != 0)
        error = copy_to_user(status_address, &status, sizeof(status));
    return error != 0 ? error : result;
}

long sys_getpid(void)
{
    return process_current()->pid;
}

long sys_getppid(void)
{
    return READ_ONCE(process_current()->parent_pid);
}

long sys_sched_yield(void)
{
    schedule_preempt();
    return 0;
}

/* What one process looks like from outside. */
static void report_locked(struct process *process, struct frank_procinfo *info)
{
    static const u8 states[] = {
        [THREAD_NEW] = FRANK_PROCESS_RUNNABLE,      [THREAD_RUNNING] = FRANK_PROCESS_RUNNING,
        [THREAD_RUNNABLE] = FRANK_PROCESS_RUNNABLE, [THREAD_SLEEPING] = FRANK_PROCESS_SLEEPING,
        [THREAD_DEAD] = FRANK_PROCESS_RUNNING,
    };
    struct thread *thread;
    u64 ticks = process->ended_run_ticks, user_ticks = process->ended_user_ticks;

    memset(info, 0, sizeof(*info));
    info->pid = process->pid;
    info->parent_pid = process->parent_pid;
    info->group = process->group;
    info->session = process->session;
    info->thread_count = process->thread_count;
    info->page_count = process->space != NULL ? process->space->page_count : 0;
    info->state = FRANK_PROCESS_ZOMBIE;
    list_for_each (thread, &process->threads, process_node) {
        struct thread_ticks own = thread_ticks(thread);

        ticks += own.run;
        user_ticks += own.user;
        info->state = min(info->state, (u32)states[READ_ONCE(thread->state)]);
        info->cpu = READ_ONCE(thread->cpu)->number;
    }
    if (process->is_stopped)
        info->state = FRANK_PROCESS_STOPPED;
    info->run_ns = timer_ns_from_ticks(ticks);
    info->user_ns = timer_ns_from_ticks(user_ticks);
    memcpy(info->name, process->name, sizeof(info->name));
}

long sys_usage(u64 who, u64 address)
{
    struct process *process = process_current();
    struct frank_procinfo self;
    struct frank_usage usage;

    if (who > FRANK_USAGE_CHILDREN)
        return -EINVAL;
    spin_acquire(&process_lock);
    report_locked(process, &self);
    usage.run_ns = timer_ns_from_ticks(process->children_run_ticks);
    usage.user_ns = timer_ns_from_ticks(process->children_user_ticks);
    spin_release(&process_lock);
    if (who == FRANK_USAGE_SELF)
        usage = (struct frank_usage){self.run_ns, self.user_ns};
    return copy_to_user(address, &usage, sizeof(usage));
}

u64 process_report(i32 first, struct frank_procinfo *info, u64 count)
{
    struct process *process;
    u64 done = 0;
    SPIN_GUARD(&process_lock);

    list_for_each (process, &process_list, all_node)
        if (process->pid >= first && done < count)
            report_locked(process, &info[done++]);
    return done;
}

u64 process_count(void)
{
    return READ_ONCE(count_of_all);
}
