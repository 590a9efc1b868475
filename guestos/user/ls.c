/* SPDX-License-Identifier: MIT */
/* ls [-al1] [PATH...]: what directories hold, sorted; -l with type, links, size and the time of the
   last change (UTC; the year in place of the hour if that is half a year away); -a with hidden. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE_COLUMNS = 80,
    DATE_SIZE = 16,
    HALF_A_YEAR_SECONDS = 15778476,
};

struct names {
    char **list;
    size_t count;
};

static bool long_format;
static bool show_hidden;
static bool one_column;

static char type_letter(mode_t mode)
{
    if (S_ISDIR(mode))
        return 'd';
    if (S_ISCHR(mode))
        return 'c';
    if (S_ISFIFO(mode))
        return 'p';
    return '-';
}

/* As POSIX has it. */
static void write_date(time_t when, char *text)
{
    time_t now = time(NULL);
    bool is_near = when <= now && now - when < HALF_A_YEAR_SECONDS;

    (void)strftime(text, DATE_SIZE, is_near ? "%b %e %H:%M" : "%b %e  %Y", gmtime(&when));
}

static void print_long(const char *path, const char *name)
{
    static const char letters[] = "rwxrwxrwx";
    char permissions[sizeof(letters)], date[DATE_SIZE];
    struct stat stat_result;

    if (stat(path, &stat_result) < 0) {
        fprintf(stderr, "ls: %s: %s\n", path, strerror(errno));
        return;
    }
    for (unsigned i = 0; i < sizeof(letters) - 1; i++)
        permissions[i] = stat_result.st_mode & (0400u >> i) ? letters[i] : '-';
    permissions[sizeof(letters) - 1] = '\0';
    write_date(stat_result.st_mtime, date);
    printf("%c%s %3u %9ld %s %s\n", type_letter(stat_result.st_mode), permissions,
           (unsigned)stat_result.st_nlink, (long)stat_result.st_size, date, name);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool add_name(struct names *names, const char *name)
{
    char **list = realloc(names->list, (names->count + 1) * sizeof(*list));

    if (!list)
        return false;
    names->list = list;
    list[names->count] = strdup(name);
    return list[names->count] && ++names->count;
}

static void free_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->list[i]);
    free(names->list);
}

static bool read_names(const char *path, struct names *names)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    bool complete = true;

    if (!directory)
        return false;
    while (complete && (entry = readdir(directory))) {
        if (entry->d_name[0] != '.' || show_hidden)
            complete = add_name(names, entry->d_name);
    }
    closedir(directory);
    return complete;
}

static void print_columns(const struct names *names)
{
    size_t width = 1;
    size_t columns;
    size_t rows;

    for (size_t i = 0; i < names->count; i++) {
        size_t length = strlen(names->list[i]) + 2;
        width = length > width ? length : width;
    }
    columns = one_column || width >= LINE_COLUMNS ? 1 : LINE_COLUMNS / width;
    rows = (names->count + columns - 1) / columns;
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = row; i < names->count; i += rows) {
            bool is_last = i + rows >= names->count;
            printf("%-*s", is_last ? 0 : (int)width, names->list[i]);
        }
        putchar('\n');
    }
}

static int list_directory(const char *path)
{
    struct names names = {NULL, 0};

    if (!read_names(path, &names)) {
        fprintf(stderr, "ls: %s: %s\n", path, strerror(errno));
        free_names(&names);
        return 1;
    }
    if (names.count > 0)
        qsort(names.list, names.count, sizeof(*names.list), compare_names);
    if (long_format) {
        for (size_t i = 0; i < names.count; i++) {
            char *full = NULL;

            if (asprintf(&full, "%s/%s", path, names.list[i]) >= 0)
                print_long(full, names.list[i]);
            free(full);
        }
    } else {
        print_columns(&names);
    }
    free_names(&names);
    return 0;
}

static int list(const char *path, bool print_path)
{
    struct stat stat_result;

    if (stat(path, &stat_result) < 0) {
        fprintf(stderr, "ls: %s: %s\n", path, strerror(errno));
        return 1;
    }
    if (S_ISDIR(stat_result.st_mode)) {
        if (print_path)
            printf("%s:\n", path);
        return list_directory(path);
    }
    if (long_format)
        print_long(path, path);
    else
        printf("%s\n", path);
    return 0;
}

int main(int argc, char **argv)
{
    int option;
    int status = 0;

    one_column = !isatty(STDOUT_FILENO);
    while ((option = getopt(argc, argv, "al1")) != -1) {
        show_hidden |= option == 'a';
        long_format |= option == 'l';
        one_column |= option == '1';
        if (option == '?')
            return 2;
    }
    if (optind == argc)
        return list(".", false);
    for (int i = optind; i < argc; i++)
        status |= list(argv[i], argc - optind > 1);
    return status;
}
