/* SPDX-License-Identifier: MIT */
/* Process groups, sessions, stopped processes: see process_group.h. */
#include "kernel/process_group.h"

#include "frank/procinfo.h"
#include "frank/wait.h"
#include "kernel/syscall.h"
#include "kernel/wait.h"

static u64 stopped_count; /* guarded by process_lock */

/* ---- stopping and going on ---------------------------------------------------------------------
 */

/* Whether nobody could continue the group's processes, once `leaving` (NULL: nobody) is gone. */
static bool is_orphaned_locked(i32 group, const struct process *leaving)
{
    const struct process *process;

    list_for_each (process, &process_list, all_node) {
        const struct process *parent = process->parent;

        if (process->group == group && process->state == PROCESS_ALIVE && process != leaving &&
            parent != NULL && parent != leaving && parent->group != group &&
            parent->session == process->session)
            return false;
    }
    return true;
}

void process_tell_parent_locked(struct process *process, int code, int status)
{
    struct process *parent = process->parent;
    struct frank_siginfo info = {.signal = SIGCHLD, .code = code};
    bool is_end = code == FRANK_CLD_EXITED || code == FRANK_CLD_KILLED;

    info.pid = process->pid;
    info.status = status;
    if (is_end || (parent->set_actions & 1U << SIGCHLD) == 0 ||
        (parent->actions[SIGCHLD].flags & FRANK_SA_NOCLDSTOP) == 0)
        process_signal_locked(parent, &info);
    wake_all(&parent->child_wait);
}

void process_stop_locked(struct process *process, int signal)
{
    struct thread *thread;

    if (process->is_stopped || process->is_ending ||
        (signal != SIGSTOP && is_orphaned_locked(process->group, NULL)))
        return;
    process->is_stopped = true;
    process->stop_status = wait_status_stopped(signal);
    stopped_count++;
    list_for_each (thread, &process->threads, process_node) {
        __atomic_fetch_or(&thread->frame->work, FRAME_WORK_STOP, __ATOMIC_RELEASE);
        thread_notify(thread);
    }
    process_tell_parent_locked(process, FRANK_CLD_STOPPED, signal);
}

void process_continue_locked(struct process *process, bool tell)
{
    if (!process->is_stopped)
        return;
    process->is_stopped = false;
    process->stop_status = tell ? WAIT_STATUS_CONTINUED : 0;
    stopped_count--;
    wake_all(&process->stop_wait);
    if (tell)
        process_tell_parent_locked(process, FRANK_CLD_CONTINUED, SIGCONT);
}

void process_wait_while_stopped(void)
{
    struct process *process = process_current();
    SPIN_GUARD(&process_lock);

    while (process->is_stopped)
        wait_on_uninterruptible(&process->stop_wait, &process_lock);
}

/* ---- groups ------------------------------------------------------------------------------------
 */

static bool exists_locked(i32 group, i32 session)
{
    const struct process *process;

    list_for_each (process, &process_list, all_node)
        if (process->group == group && process->session == session)
            return true;
    return false;
}

bool process_group_exists(i32 group, i32 session)
{
    SPIN_GUARD(&process_lock);
    return exists_locked(group, session);
}

static bool has_stopped_locked(i32 group)
{
    const struct process *process;

    list_for_each (process, &process_list, all_node)
        if (process->group == group && process->is_stopped)
            return true;
    return false;
}

static void signal_group_locked(i32 group, int signal)
{
    struct frank_siginfo info = {.signal = signal, .code = FRANK_SI_KERNEL};
    struct process *process;

    list_for_each (process, &process_list, all_node)
        if (process->group == group && process->state == PROCESS_ALIVE)
            process_signal_locked(process, &info);
}

/* What `leaving` does to one group: to its own, or to that of a child. */
static void leave_group_locked(i32 group, const struct process *leaving)
{
    if (!has_stopped_locked(group) || is_orphaned_locked(group, NULL) ||
        !is_orphaned_locked(group, leaving))
        return;
    signal_group_locked(group, SIGHUP);
    signal_group_locked(group, SIGCONT);
}

void process_group_leave_locked(struct process *process)
{
    struct process *child;

    if (stopped_count == 0)
        return;
    leave_group_locked(process->group, process);
    list_for_each (child, &process->children, sibling_node)
        leave_group_locked(child->group, process);
}

int process_use_terminal(i32 session, i32 foreground, int signal)
{
    struct process *process = process_current();

    if (foreground == 0 || process->session != session || process->group == foreground)
        return 0;
    SPIN_GUARD(&process_lock);
    if (process_holds_off_locked(process, signal))
        return signal == SIGTTIN ? -EIO : 0;
    if (is_orphaned_locked(process->group, NULL))
        return -EIO;
    signal_group_locked(process->group, signal);
    thread_restart_call();
    thread_interrupt(thread_current());
    return -EINTR;
}

/* ---- the calls ---------------------------------------------------------------------------------
 */

static long set_group_locked(struct process *process, i32 group)
{
    const struct process *caller = process_current();

    if (process != caller && process->parent != caller)
        return -ESRCH;
    if (process->pid == process->session || process->session != caller->session)
        return -EPERM;
    if (process != caller && process->has_execed)
        return -EACCES;
    if (group != process->pid && !exists_locked(group, caller->session))
        return -EPERM;
    process->group = group;
    return 0;
}

long sys_setpgid(u64 pid, u64 group)
{
    struct process *process = process_current();

    if ((i32)group < 0)
        return -EINVAL;
    SPIN_GUARD(&process_lock);
    if (pid != 0 && (process = process_find_locked((i32)pid)) == NULL)
        return -ESRCH;
    return set_group_locked(process, group != 0 ? (i32)group : process->pid);
}

/* No process may be in the group that the caller is to lead. */
static long new_session_locked(struct process *caller)
{
    if (exists_locked(caller->pid, caller->session))
        return -EPERM;
    caller->group = caller->pid;
    caller->session = caller->pid;
    return caller->pid;
}

long sys_pgroup(u64 which, u64 pid)
{
    struct process *process = process_current();
    SPIN_GUARD(&process_lock);

    if (which == FRANK_NEW_SESSION)
        return new_session_locked(process);
    if (which != FRANK_GET_GROUP && which != FRANK_GET_SESSION)
        return -EINVAL;
    if (pid != 0 && (process = process_find_locked((i32)pid)) == NULL)
        return -ESRCH;
    return which == FRANK_GET_GROUP ? process->group : process->session;
}
