/* Where everything lies: each thing's address, and the line of /proc/self/maps that it is in.
 *
 *     cc -Wall -O1 -pthread 02-places.c && ./a.out
 *
 * At the end a file is mapped and touched, page by page, and the page faults of that are counted. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int global = 7;
static const char constant[] = "nobody may write here";

static void where(const char *what, const void *address) {
    unsigned long at = (unsigned long)address, from, to;
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx", &from, &to) == 2 && from <= at && at < to)
            printf("%-12s %14p  %s", what, address, line);
    if (maps) fclose(maps);
}

static void *thread(void *name) {
    int local = 1; /* on the stack of this thread */
    where(name, &local);
    return NULL;
}

static long faults(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt + usage.ru_majflt;
}

int main(void) {
    where("function", (void *)main);
    where("constant", constant);
    where("global", &global);
    where("small block", malloc(1000));
    where("large block", malloc(40 << 20));
    thread("local, main"); /* the same function, on the stack of the main thread */
    pthread_t b;
    pthread_create(&b, NULL, thread, "local, B");
    pthread_join(b, NULL);

    int file = open("/proc/self/exe", O_RDONLY);
    struct stat info;
    fstat(file, &info);
    volatile char *map = mmap(NULL, info.st_size, PROT_READ, MAP_PRIVATE, file, 0), sum = 0;
    long before = faults(), page = sysconf(_SC_PAGESIZE), pages = 0;
    for (long at = 0; at < info.st_size; at += page, pages++) sum += map[at];
    printf("%ld pages of a file: %ld page faults to touch them all\n", pages, faults() - before);
}
