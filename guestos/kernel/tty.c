/* SPDX-License-Identifier: MIT */
/*
 * The terminal: what is typed becomes lines, and is echoed.
 *
 * Characters arrive in interrupt context. In canonical mode they are edited right there: erase
 * (backspace or delete), ^W (erase a word), ^U (erase the line), ^D (give the line to the reader
 * as it is; an empty one is the end of file). A read then gets at most one line. In raw mode each
 * character can be read as soon as it is typed.
 *
 * ^C, ^Z and ^\\ throw away the line being typed, and the foreground process group gets SIGINT,
 * SIGTSTP or SIGQUIT. If no foreground is set, ^C gives the reader, who is then at a prompt or
 * about to be, EINTR once it has read the lines that were complete before. With a foreground, the
 * other groups of the terminal's session are its background: process_use_terminal() tells what they
 * may.
 *
 * The buffer is a ring with three positions, counted from the beginning of time:
 * head <= committed <= tail: [head, committed) may be read, [committed, tail) is being edited.
 */
#include "kernel/tty.h"

#include "frank/tty.h"
#include "kernel/fs/poll.h"
#include "kernel/process_group.h"
#include "kernel/uaccess.h"
#include "kernel/wait.h"

enum tty_sizes {
    TTY_INPUT_BYTES = 1024,
    TTY_COPY_BYTES = 128,   /* one piece on the stack */
    TTY_RETRY_NS = 1000000, /* between looks at a console that is full */
    NS_PER_TENTH = 100000000,
};

enum tty_character {
    TTY_INTERRUPT = 3, /* ^C */
    TTY_END = 4,       /* ^D */
    TTY_BELL = 7,
    TTY_BACKSPACE = 8,
    TTY_TAB = 9,
    TTY_RETURN = 13,
    TTY_KILL_LINE = 21,    /* ^U */
    TTY_ERASE_WORD = 23,   /* ^W */
    TTY_SUSPEND = 26,      /* ^Z */
    TTY_QUIT = 28,         /* ^\\ */
    TTY_CARET_OFFSET = 64, /* ^X is shown as '^' and the character that much above */
    TTY_DELETE = 127,
};

static struct {
    struct spinlock lock; /* level LOCK_TTY; guards all of it */
    u8 ring[TTY_INPUT_BYTES];
    u64 head;
    u64 committed;
    u64 tail;
    u32 mode;            /* enum frank_tty_mode */
    i32 session;         /* whose controlling terminal it is, or 0 */
    i32 foreground;      /* a process group of that session, or 0 */
    bool is_interrupted; /* a ^C met no foreground, and no reader has been told yet */
    u64 interrupted_at;  /* the end of the lines that were complete then */
    struct wait_queue readers;
} tty;

void tty_init(void)
{
    spin_init(&tty.lock, "tty", LOCK_TTY);
    wait_queue_init(&tty.readers);
    tty.mode = FRANK_TTY_COOKED;
}

/* ---- input -------------------------------------------------------------------------------------
 */

static u8 *ring_at(u64 position)
{
    return &tty.ring[position % TTY_INPUT_BYTES];
}

/* Echoed as "^X"; tabs and line ends are shown as they are. */
static bool is_shown_with_caret(u8 c)
{
    return (c < ' ' && c != TTY_TAB && c != '\n') || c == TTY_DELETE;
}

static void echo_bytes(const char *text, size_t size)
{
    if (tty.mode & FRANK_TTY_ECHO)
        (void)plat_console_write(text, size); /* what there is no room for is not echoed */
}

static void echo(u8 c)
{
    bool caret = is_shown_with_caret(c);
    char shown[2] = {'^', (char)(caret ? c ^ TTY_CARET_OFFSET : c)};

    echo_bytes(caret ? shown : shown + 1, caret ? 2 : 1);
}

/* The second and later bytes of a character in UTF-8. */
static bool is_continuation(u8 c)
{
    return (c & 0xc0) == 0x80;
}

/* Take back the last character typed, all its bytes. False if the line is empty. */
static bool erase_character(void)
{
    u8 c;

    if (tty.tail == tty.committed)
        return false;
    do {
        c = *ring_at(--tty.tail);
    } while (is_continuation(c) && tty.tail != tty.committed);
    echo_bytes("\b \b", 3);
    if (is_shown_with_caret(c))
        echo_bytes("\b \b", 3);
    return true;
}

/* The blanks at the end of the line, and what stands before them up to a blank. */
static void erase_word(void)
{
    for (bool in_word = false; tty.tail != tty.committed; erase_character()) {
        u8 c = *ring_at(tty.tail - 1);
        bool is_blank = c == ' ' || c == TTY_TAB;

        if (is_blank && in_word)
            break;
        in_word = !is_blank;
    }
}

static void wake_readers(void)
{
    wake_all(&tty.readers);
    poll_changed();
}

static void commit(void)
{
    tty.committed = tty.tail;
    wake_readers();
}

/* Add a character; one place is kept free for what ends the line. */
static void append(u8 c, bool ends_line)
{
    u64 limit = ends_line ? TTY_INPUT_BYTES : TTY_INPUT_BYTES - 1;

    if (tty.tail - tty.head >= limit) {
        char bell = TTY_BELL;
        echo_bytes(&bell, 1);
        return;
    }
    *ring_at(tty.tail++) = c;
    if (c != TTY_END)
        echo(c);
}

static int signal_of(u8 c)
{
    return c == TTY_INTERRUPT ? SIGINT : c == TTY_SUSPEND ? SIGTSTP : c == TTY_QUIT ? SIGQUIT : 0;
}

static void signal_foreground(int signal)
{
    struct frank_siginfo info = {.signal = signal, .code = FRANK_SI_KERNEL};

    (void)process_signal_group(tty.foreground, &info);
}

static void input_signal(u8 c)
{
    tty.tail = tty.committed;
    echo(c);
    echo('\n');
    if (tty.foreground) {
        signal_foreground(signal_of(c));
    } else if (c == TTY_INTERRUPT) {
        tty.is_interrupted = true;
        tty.interrupted_at = tty.committed;
        wake_readers();
    }
}

static void input_canonical(u8 c)
{
    switch (c) {
    case TTY_BACKSPACE:
    case TTY_DELETE:
        erase_character();
        break;
    case TTY_ERASE_WORD:
        erase_word();
        break;
    case TTY_KILL_LINE:
        while (erase_character()) {
        }
        break;
    case TTY_RETURN:
    case '\n':
    case TTY_END:
        append(c == TTY_END ? TTY_END : '\n', true);
        commit();
        break;
    default:
        append(c, false);
        break;
    }
}

static void input_character(u8 c)
{
    if (signal_of(c) != 0 && (tty.mode & FRANK_TTY_SIGNALS)) {
        input_signal(c);
    } else if (tty.mode & FRANK_TTY_CANONICAL) {
        input_canonical(c);
    } else {
        append(c, true);
        commit();
    }
}

void tty_input(const char *characters, size_t count)
{
    SPIN_GUARD(&tty.lock);
    for (size_t i = 0; i < count; i++)
        input_character((u8)characters[i]);
}

/* ---- the inode's operations --------------------------------------------------------------------
 */

/*
 * Take up to `size` bytes that may be read, in canonical mode to the end of a line. *line_ended
 * says that a read should stop here. A ^D right behind a full buffer belongs to this read: it is no
 * end of file for the next. The lock is held.
 */
static size_t take_locked(u8 *bytes, size_t size, bool *line_ended)
{
    bool canonical = (tty.mode & FRANK_TTY_CANONICAL) != 0;
    size_t taken = 0;

    *line_ended = false;
    while (tty.head != tty.committed && !*line_ended) {
        u8 c = *ring_at(tty.head);
        bool is_end = canonical && c == TTY_END;

        if (taken == size && !is_end)
            return taken;
        tty.head++;
        if (canonical && c == TTY_RETURN) /* typed ahead in raw mode */
            c = '\n';
        *line_ended = is_end || (canonical && c == '\n');
        if (!is_end)
            bytes[taken++] = c;
    }
    *line_ended = *line_ended || !canonical;
    return taken;
}

/* Whether the caller may use the terminal now, as process_use_terminal() says. */
static int use_terminal_locked(int signal)
{
    return process_use_terminal(tty.session, tty.foreground, signal);
}

/* Wait until something may be read, or a read should find nothing: 0, or an error. The lock is
   held. */
static int wait_for_input_locked(bool may_wait)
{
    u64 tenths = tty.mode >> FRANK_TTY_TENTHS_SHIFT;
    u64 deadline = timer_deadline(tenths * NS_PER_TENTH);

    for (;;) {
        int error = use_terminal_locked(SIGTTIN);

        if (error)
            return error;

        if (tty.is_interrupted && tty.head >= tty.interrupted_at) {
            tty.is_interrupted = false;
            return -EINTR;
        }
        if (tty.head != tty.committed)
            return 0;
        if (!may_wait)
            return -EAGAIN;
        if (tty.mode & FRANK_TTY_NO_WAIT && !(tty.mode & FRANK_TTY_CANONICAL))
            error = wait_on_until(&tty.readers, &tty.lock, deadline);
        else
            error = wait_on(&tty.readers, &tty.lock);
        if (error == -ETIMEDOUT)
            return 0;
        if (error)
            return error;
    }
}

static ssize_t tty_read(struct inode *inode, uva_t to, size_t size, u64 *offset)
{
    u8 piece[TTY_COPY_BYTES];
    bool line_ended = false;
    size_t done = 0;

    (void)inode;
    while (done < size && !line_ended) {
        size_t taken;
        int error;

        spin_acquire(&tty.lock);
        error = done ? 0 : wait_for_input_locked(*offset != INODE_OFFSET_NO_WAIT);
        taken = error ? 0 : take_locked(piece, min(size - done, sizeof(piece)), &line_ended);
        spin_release(&tty.lock);
        if (!error && taken > 0)
            error = copy_to_user(to + done, piece, taken);
        if (error || taken == 0)
            return done ? (ssize_t)done : error;
        done += taken;
    }
    return (ssize_t)done;
}

/* Print, in thread context: while the device is full, other threads run. How many bytes were
   printed before a signal came. */
static size_t print(const char *text, size_t size)
{
    size_t done = plat_console_write(text, size);

    while (done < size) {
        if (thread_sleep_until(timer_deadline(TTY_RETRY_NS)) != 0)
            break;
        done += plat_console_write(text + done, size - done);
    }
    return done;
}

static ssize_t tty_write(struct inode *inode, uva_t from, size_t size, u64 *offset)
{
    char piece[TTY_COPY_BYTES];
    size_t done = 0;

    (void)inode, (void)offset;
    if (READ_ONCE(tty.mode) & FRANK_TTY_STOP_WRITERS) {
        int error;

        SPIN_GUARD(&tty.lock);
        error = use_terminal_locked(SIGTTOU);
        if (error)
            return error;
    }
    while (done < size) {
        size_t chunk = min(size - done, sizeof(piece)), printed;
        int error = copy_from_user(piece, from + done, chunk);

        if (error)
            return done ? (ssize_t)done : error;
        printed = print(piece, chunk);
        done += printed;
        if (printed < chunk)
            return done ? (ssize_t)done : -EINTR;
    }
    return (ssize_t)done;
}

/* Going to raw mode makes what was being edited readable as it is. */
static int set_mode_locked(u64 mode)
{
    int error = use_terminal_locked(SIGTTOU);

    if (mode & ~(u64)FRANK_TTY_MODE_MASK)
        return -EINVAL;
    if (error)
        return error;
    tty.mode = (u32)mode;
    if (!(mode & FRANK_TTY_CANONICAL) && tty.committed != tty.tail)
        commit();
    return 0;
}

/* No group, 0, can be named by every process of the session. */
static int set_foreground_locked(i32 group)
{
    int error = 0;

    if (process_current()->session != tty.session)
        return -ENOTTY;
    if (group != 0)
        error = process_group_exists(group, tty.session) ? use_terminal_locked(SIGTTOU) : -EPERM;
    if (error == 0)
        tty.foreground = group;
    return error;
}

static int attach_locked(const struct process *process)
{
    if (process->pid != process->session || (tty.session != 0 && tty.session != process->session))
        return -EPERM;
    tty.session = process->session;
    return 0;
}

void tty_end_session(i32 session)
{
    SPIN_GUARD(&tty.lock);
    if (tty.session != session)
        return;
    if (tty.foreground != 0) {
        signal_foreground(SIGHUP);
        signal_foreground(SIGCONT);
    }
    tty.session = 0;
    tty.foreground = 0;
}

static int tty_control(struct inode *inode, u64 request, u64 argument)
{
    (void)inode;
    SPIN_GUARD(&tty.lock);
    switch (request) {
    case FRANK_TTY_GET_MODE:
        return (int)tty.mode;
    case FRANK_TTY_SET_MODE:
        return set_mode_locked(argument);
    case FRANK_TTY_SET_FOREGROUND:
        return (i32)argument >= 0 ? set_foreground_locked((i32)argument) : -EINVAL;
    case FRANK_TTY_GET_FOREGROUND:
        return process_current()->session == tty.session ? tty.foreground : -ENOTTY;
    case FRANK_TTY_ATTACH:
        return attach_locked(process_current());
    default:
        return -EINVAL;
    }
}

static u32 tty_ready(struct inode *inode)
{
    (void)inode;
    SPIN_GUARD(&tty.lock);
    return FRANK_POLL_OUT | (tty.head != tty.committed || tty.is_interrupted ? FRANK_POLL_IN : 0);
}

const struct inode_ops tty_inode_ops = {
    .read = tty_read,
    .write = tty_write,
    .ready = tty_ready,
    .control = tty_control,
};
