/* SPDX-License-Identifier: MIT */
/*
 * exec: a new space is built beside the old one, and only when nothing can fail any more does the
 * process change over.
 *
 * Arguments are collected in pages that become the top of the new stack: first the strings, as they
 * come, at the low end; when all are there they move to the high end and the arrays go below them.
 */
#include "kernel/exec.h"

#include "elf.h"
#include "kernel/fs/path.h"
#include "kernel/kmalloc.h"
#include "kernel/space.h"
#include "kernel/syscall.h"
#include "string.h"

enum exec_limits {
    ARGUMENT_PAGES_MAX = 16,
    ARGUMENT_PAGES_STEP = 4, /* each try has so many times more */
    STACK_ALIGN = 16,
};

struct arguments {
    pa_t pages; /* 0: none */
    u64 page_count;
    char *text;
    u64 size;
    u64 used;
    u64 argc;
    u64 envc;
};

static int arguments_init(struct arguments *arguments, u64 page_count)
{
    memset(arguments, 0, sizeof(*arguments));
    arguments->pages = page_count == 1 ? page_alloc() : page_alloc_run(page_count);
    if (arguments->pages == 0)
        return -ENOMEM;
    arguments->page_count = page_count;
    arguments->text = pa_to_kva(arguments->pages);
    arguments->size = page_count * PAGE_SIZE;
    for (u64 i = 0; i < page_count; i++)
        arch_page_zero(arguments->text + i * PAGE_SIZE);
    return 0;
}

/* Give back the pages that no space has taken over. */
static void arguments_free(struct arguments *arguments)
{
    for (u64 i = 0; i < arguments->page_count; i++)
        page_put(arguments->pages + i * PAGE_SIZE);
    arguments->page_count = 0;
}

/* Copy the strings of a user's array. -E2BIG: they do not fit. */
static int arguments_add_user(struct arguments *arguments, uva_t array, u64 *count)
{
    uva_t string;
    long length;

    if (array == 0)
        return 0;
    for (;; array += sizeof(string)) {
        if (copy_from_user(&string, array, sizeof(string)) != 0)
            return -EFAULT;
        if (string == 0)
            return 0;
        length = copy_string_from_user(arguments->text + arguments->used, string,
                                       arguments->size - arguments->used);
        if (length < 0)
            return length == -ENAMETOOLONG ? -E2BIG : (int)length;
        arguments->used += (u64)length + 1;
        ++*count;
    }
}

static int arguments_add_word(struct arguments *arguments, const char *word, u64 length)
{
    if (length + 1 > arguments->size - arguments->used)
        return -E2BIG;
    memcpy(arguments->text + arguments->used, word, length);
    arguments->used += length + 1;
    arguments->argc++;
    return 0;
}

/* Write a zero-ended array of pointers to the next `count` strings. */
static u64 *write_array(u64 *word, u64 count, const char **string, u64 to_user)
{
    for (u64 i = 0; i < count; i++) {
        *word++ = (u64)*string + to_user;
        *string += strlen(*string) + 1;
    }
    *word++ = 0;
    return word;
}

/* Bring strings and arrays into the form that a program finds. *sp is where the count lies. */
static int arguments_finish(struct arguments *arguments, uva_t *sp)
{
    u64 words = 1 + arguments->argc + 1 + arguments->envc + 1;
    u64 strings = arguments->size - arguments->used;
    u64 to_user = USER_TOP - ((u64)arguments->text + arguments->size);
    const char *string = arguments->text + strings;
    u64 start, *word;

    if (arguments->used + words * sizeof(*word) + STACK_ALIGN > arguments->size)
        return -E2BIG;
    memmove(arguments->text + strings, arguments->text, arguments->used);
    start = ALIGN_DOWN(strings - words * sizeof(*word), (u64)STACK_ALIGN);
    word = (u64 *)(arguments->text + start);
    *sp = (u64)word + to_user;
    *word++ = arguments->argc;
    word = write_array(word, arguments->argc, &string, to_user);
    write_array(word, arguments->envc, &string, to_user);
    return 0;
}

/* Collect a user's argv and envp, in as few pages as will do. */
static int arguments_from_user(struct arguments *arguments, uva_t argv, uva_t envp, uva_t *sp)
{
    int error = -E2BIG;

    for (u64 pages = 1; pages <= ARGUMENT_PAGES_MAX && error == -E2BIG;
         pages *= ARGUMENT_PAGES_STEP) {
        error = arguments_init(arguments, pages);
        if (error != 0)
            return error;
        error = arguments_add_user(arguments, argv, &arguments->argc);
        if (error == 0)
            error = arguments_add_user(arguments, envp, &arguments->envc);
        if (error == 0)
            error = arguments_finish(arguments, sp);
        if (error != 0)
            arguments_free(arguments);
    }
    return error;
}

/* Make the stack of the pages that the arguments lie in. */
static int add_stack(struct space *space, struct arguments *arguments)
{
    struct region region = {
        .start = USER_TOP - arguments->size,
        .end = USER_TOP,
        .lowest = USER_TOP - STACK_MAX_BYTES,
        .kind = REGION_STACK,
        .prot = PLAT_PROT_READ | PLAT_PROT_WRITE,
    };
    int error = space_add_region(space, &region);

    for (u64 i = 0; i < arguments->page_count && error == 0; i++) {
        pa_t page = arguments->pages + i * PAGE_SIZE;

        error = space_map_page(space, region.start + i * PAGE_SIZE, page);
        if (error == 0)
            page_get(page);
    }
    return error;
}

static u32 prot_of_segment(const struct elf_segment *segment)
{
    u32 prot = 0;

    if ((segment->flags & ELF_READ) != 0)
        prot |= PLAT_PROT_READ;
    if ((segment->flags & ELF_WRITE) != 0)
        prot |= PLAT_PROT_READ | PLAT_PROT_WRITE;
    if ((segment->flags & ELF_EXECUTE) != 0)
        prot |= PLAT_PROT_EXEC;
    return prot;
}

/*
 * One segment becomes a region of the file, or of zeros if the file has none of it. What the file
 * holds behind a segment that is no longer in memory than in the file may show at its end, as with
 * mmap.
 */
static int add_segment(struct space *space, struct inode *inode, const struct elf_segment *segment)
{
    u64 into_page = segment->virtual_address & (PAGE_SIZE - 1);
    struct region region = {
        .start = page_floor(segment->virtual_address),
        .end = page_ceiling(segment->virtual_address + segment->memory_bytes),
        .kind = REGION_ANONYMOUS,
        .prot = prot_of_segment(segment),
    };
    int error;

    if (segment->virtual_address >= USER_TOP - STACK_MAX_BYTES ||
        region.end > USER_TOP - STACK_MAX_BYTES)
        return -ENOEXEC;
    if (segment->file_bytes > 0) {
        if ((segment->offset & (PAGE_SIZE - 1)) != into_page)
            return -ENOEXEC;
        region.kind = REGION_FILE;
        region.inode = inode;
        region.file_offset = segment->offset - into_page;
        region.file_bytes = into_page + segment->file_bytes;
        if (segment->file_bytes == segment->memory_bytes)
            region.file_bytes = page_ceiling(region.file_bytes);
    }
    error = space_add_region(space, &region);
    if (error != 0)
        return error == -EINVAL ? -ENOEXEC : error;
    if (region.kind == REGION_FILE && (region.prot & PLAT_PROT_WRITE) == 0)
        error = space_map_file(space, region.start);
    space->heap_start = max(space->heap_start, region.end);
    return error;
}

/* Fill a space from the executable. *entry is where it begins. */
static int load(struct space *space, struct inode *inode, u64 *entry)
{
    struct elf_segment segment;
    struct elf_image image;
    u32 cursor = 0;
    pa_t head;
    int error = 0;

    if (inode->type != INODE_REGULAR || (inode->permissions & 0111) == 0)
        return -EACCES;
    if (inode->ops->get_page(inode, 0, false, &head) != 0)
        return -ENOEXEC;
    if (elf_open(&image, pa_to_kva(head), min(inode->size, (u64)PAGE_SIZE), inode->size) != ELF_OK)
        error = -ENOEXEC;
    while (error == 0 && elf_next_segment(&image, &cursor, &segment))
        error = add_segment(space, inode, &segment);
    if (error == 0)
        *entry = image.entry;
    page_put(head);
    space->heap_end = space->heap_start;
    return error;
}

/* The point of no return: the current process goes on in the new space. */
static void change_over(struct space *space, const char *path, u64 entry, uva_t sp,
                        const struct arguments *arguments)
{
    struct thread *thread = thread_current();
    struct process *process = thread->process;
    struct space *old = process->space;
    const char *name = strrchr(path, '/');

    arch_instruction_sync();
    spin_acquire(&process_lock);
    process->space = space;
    space_switch(space);
    strlcpy(process->name, name != NULL ? name + 1 : path, sizeof(process->name));
    for (int signal = 1; signal < SIGNAL_COUNT && process->set_actions >> signal != 0; signal++)
        if (process->actions[signal].handler != FRANK_SIG_IGN)
            process->set_actions &= ~(1U << signal);
    process->has_execed = true;
    process->last_thread_number = thread->number = 1;
    thread->signal_stack_bytes = 0;
    arch_fp_reset(thread);
    spin_release(&process_lock);

    arch_frame_init(thread->frame, entry, sp);
    thread->frame->x[REG_A0] = arguments->argc;
    thread->frame->x[REG_A1] = sp + sizeof(u64);
    thread->frame->x[REG_A2] = sp + sizeof(u64) * (1 + arguments->argc + 1);
    file_table_close_on_exec(&process->files);
    if (old != NULL)
        space_destroy(old);
}

static int exec_with(const char *path, struct arguments *arguments, uva_t sp)
{
    struct space *space = NULL;
    struct inode *inode;
    u64 entry;
    int error = path_lookup(path, &inode);

    if (error != 0)
        return error;
    space = space_create();
    error = space != NULL ? load(space, inode, &entry) : -ENOMEM;
    if (error == 0)
        error = add_stack(space, arguments);
    inode_put(inode);
    if (error == 0)
        error = process_end_other_threads();
    if (error == 0)
        change_over(space, path, entry, sp, arguments);
    else if (space != NULL)
        space_destroy(space);
    return error;
}

int exec_init(const char *path, const char *words)
{
    struct arguments arguments;
    uva_t sp = 0;
    int error = arguments_init(&arguments, 1);

    if (error != 0)
        return error;
    error = arguments_add_word(&arguments, path, strlen(path));
    while (error == 0 && *words != 0) {
        const char *end = strchr(words, ' ');
        u64 length = end != NULL ? (u64)(end - words) : strlen(words);

        if (length > 0)
            error = arguments_add_word(&arguments, words, length);
        words += length + (end != NULL);
    }
    if (error == 0)
        error = arguments_finish(&arguments, &sp);
    if (error == 0)
        error = exec_with(path, &arguments, sp);
    arguments_free(&arguments);
    return error;
}

long sys_execve(u64 path_address, u64 argv, u64 envp)
{
    struct arguments arguments;
    char *path = kmalloc(FRANK_PATH_SIZE);
    uva_t sp = 0;
    long error;

    if (path == NULL)
        return -ENOMEM;
    error = copy_string_from_user(path, path_address, FRANK_PATH_SIZE);
    if (error >= 0)
        error = arguments_from_user(&arguments, argv, envp, &sp);
    if (error == 0) {
        error = exec_with(path, &arguments, sp);
        if (error == 0)
            error = (long)arguments.argc; /* what the new program finds in a0 */
        arguments_free(&arguments);
    }
    kfree(path);
    return error;
}
