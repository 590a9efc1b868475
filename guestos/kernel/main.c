/* SPDX-License-Identifier: MIT */
/* The start of the kernel: everything in order, then the first process. */
#include "kernel/main.h"

#include "kernel/block/ram_disk.h"
#include "kernel/fs/fs.h"
#include "kernel/kmalloc.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/tty.h"
#include "string.h"

enum main_sizes {
    KIB_PER_PAGE = PAGE_SIZE / 1024,
    INIT_PATH_SIZE = 64,
    US_PER_NS_DIVISOR = 1000,
};

const struct plat_info *kernel_plat_info;
static u64 started_ticks;

/* The first CPU's stack, which becomes its idle thread's. */
char kernel_boot_stack[THREAD_STACK_SIZE] ALIGNED(THREAD_STACK_SIZE);

/* The value of the word `key`=value of the boot's arguments, or false. */
static bool find_argument(const char *key, char *value, size_t size)
{
    const char *word = kernel_plat_info->args;
    size_t key_length = strlen(key);

    while (*word != 0) {
        const char *end = strchr(word, ' ');
        size_t length = end != NULL ? (size_t)(end - word) : strlen(word);

        if (length > key_length && strncmp(word, key, key_length) == 0 && word[key_length] == '=') {
            strlcpy(value, word + key_length + 1, min(size, length - key_length));
            return true;
        }
        word += length + (end != NULL);
    }
    return false;
}

static void mount_root(const struct plat_range *initrd)
{
    char disk[8] = "ram0";
    int error;

    if (initrd->bytes != 0 && ram_disk_register(initrd->base, initrd->bytes) != 0)
        panic("no memory for the disk in memory");
    plat_find_disks();
    find_argument("root", disk, sizeof(disk));
    error = fs_init(disk);
    if (error != 0)
        panic("root=%s cannot be mounted (error %d): is there such a disk (ram0: an initrd), made "
              "by mkfs?",
              disk, -error);
}

/* What the start does that may have to wait: in a thread, with interrupts. */
static void begin(void *unused)
{
    const struct plat_info *info = kernel_plat_info;
    char init_path[INIT_PATH_SIZE] = "/bin/init";

    (void)unused;
    mount_root(&info->initrd);
    find_argument("init", init_path, sizeof(init_path));
    printk("Frank: started in %lu us, running %s\n",
           timer_ns_from_ticks(plat_time_now() - started_ticks) / US_PER_NS_DIVISOR, init_path);
    thread_begin_exit();
    process_start_init(init_path, info->args);
    thread_exit();
}

void kernel_main(u64 boot_a0, u64 boot_a1)
{
    const struct plat_info *info;
    struct thread *beginning;
    char idle[8] = "";

    arch_set_this_cpu(cpu_init(0));
    cpu_count = 1;
    info = plat_init(boot_a0, boot_a1);
    kernel_plat_info = info;
    started_ticks = plat_time_now();
    timer_set_timebase(info->timebase_hz);
    page_init(info);
    kmalloc_init();
    thread_init_idle(cpu_this(), (struct thread *)kernel_boot_stack);
    plat_cpu_init();
    tty_init();
    cpu_start_others();
    printk("Frank on %s: %lu KiB of memory, %lu KiB free, clock %lu Hz, CPUs: %u\n", info->name,
           info->memory.bytes / 1024, page_free_count() * KIB_PER_PAGE, info->timebase_hz,
           cpu_count);
    beginning = thread_create(begin, NULL);
    if (beginning == NULL)
        panic("no memory for the first thread");
    thread_start(beginning);
    find_argument("idle", idle, sizeof(idle));
    thread_idle(strcmp(idle, "spin") == 0);
}
