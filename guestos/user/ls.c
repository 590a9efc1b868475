/* SPDX-License-Identifier: MIT */
/* ls [-adlrtR1] [PATH...]: what directories hold, sorted; -l with type, links, size and the time of
   the last change (UTC; the year in place of the hour if that is half a year away); -a with hidden;
   -d directories themselves; -t what changed last comes first; -r backwards; -R all below too. */
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

struct name {
    char *text;
    struct timespec modified; /* of -t, else 0 */
};

struct names {
    struct name *list;
    size_t count;
};

static bool long_format;
static bool show_hidden;
static bool one_column;
static bool by_time;
static bool backwards;
static bool recursive;
static bool directories_themselves;

static int list_directory(const char *path);

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

static int compare_names(const void *one, const void *other)
{
    const struct name *a = one, *b = other;
    time_t seconds = b->modified.tv_sec - a->modified.tv_sec;
    long ns = b->modified.tv_nsec - a->modified.tv_nsec;
    int order = strcmp(a->text, b->text);

    if (seconds != 0 || ns != 0)
        order = seconds > 0 || (seconds == 0 && ns > 0) ? 1 : -1;
    return backwards ? -order : order;
}

/* The name's path; to be freed. NULL: no memory. */
static char *path_of(const char *directory, const char *name)
{
    char *path = NULL;

    return asprintf(&path, "%s/%s", directory, name) >= 0 ? path : NULL;
}

static bool is_directory(const char *path)
{
    struct stat stat_result;

    return stat(path, &stat_result) == 0 && S_ISDIR(stat_result.st_mode);
}

static bool add_name(struct names *names, const char *directory, const char *name)
{
    struct name *list = realloc(names->list, (names->count + 1) * sizeof(*list));
    char *path = path_of(directory, name);
    struct stat stat_result;

    if (list)
        names->list = list;
    if (list && path) {
        list += names->count;
        *list = (struct name){.text = strdup(name)};
        if (by_time && stat(path, &stat_result) == 0)
            list->modified = stat_result.st_mtim;
    }
    free(path);
    return list && path && list->text && ++names->count;
}

static void free_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->list[i].text);
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
            complete = add_name(names, path, entry->d_name);
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
        size_t length = strlen(names->list[i].text) + 2;
        width = length > width ? length : width;
    }
    columns = one_column || width >= LINE_COLUMNS ? 1 : LINE_COLUMNS / width;
    rows = (names->count + columns - 1) / columns;
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = row; i < names->count; i += rows) {
            bool is_last = i + rows >= names->count;
            printf("%-*s", is_last ? 0 : (int)width, names->list[i].text);
        }
        putchar('\n');
    }
}

/* What is below a directory's directories. */
static int list_below(const char *path, const struct names *names)
{
    int status = 0;

    for (size_t i = 0; i < names->count; i++) {
        char *below = path_of(path, names->list[i].text);

        if (below && is_directory(below)) {
            printf("\n%s:\n", below);
            status |= list_directory(below);
        }
        free(below);
    }
    return status;
}

static int list_directory(const char *path)
{
    struct names names = {NULL, 0};
    int status = 0;

    if (!read_names(path, &names)) {
        fprintf(stderr, "ls: %s: %s\n", path, strerror(errno));
        free_names(&names);
        return 1;
    }
    if (names.count > 0)
        qsort(names.list, names.count, sizeof(*names.list), compare_names);
    if (long_format) {
        for (size_t i = 0; i < names.count; i++) {
            char *full = path_of(path, names.list[i].text);

            if (full)
                print_long(full, names.list[i].text);
            free(full);
        }
    } else {
        print_columns(&names);
    }
    if (recursive)
        status = list_below(path, &names);
    free_names(&names);
    return status;
}

static int list(const char *path, bool print_path)
{
    struct stat stat_result;

    if (stat(path, &stat_result) < 0) {
        fprintf(stderr, "ls: %s: %s\n", path, strerror(errno));
        return 1;
    }
    if (S_ISDIR(stat_result.st_mode) && !directories_themselves) {
        if (print_path || recursive)
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
    while ((option = getopt(argc, argv, "adlrtR1")) != -1) {
        show_hidden |= option == 'a';
        long_format |= option == 'l';
        one_column |= option == '1';
        by_time |= option == 't';
        backwards |= option == 'r';
        recursive |= option == 'R';
        directories_themselves |= option == 'd';
        if (option == '?')
            return 2;
    }
    if (optind == argc)
        return list(".", false);
    for (int i = optind; i < argc; i++)
        status |= list(argv[i], argc - optind > 1);
    return status;
}
