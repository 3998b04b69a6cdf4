/* How long does a process take to end: one with hardly any memory, one with much that is its own, and one with as much that
 * it shares with its parent?
 *     cc -Wall -O2 09-ending.c -o ending && ./ending 256
 * Each child looks at the clock, ends, and the parent looks at the clock when it knows. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double *last; /* in a page that a fork does not copy */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void touch(size_t bytes) {
    if (bytes == 0)
        return;
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        _exit(1);
    madvise(memory, bytes, MADV_NOHUGEPAGE);
    for (size_t at = 0; at < bytes; at += 4096)
        memory[at] = 1;
}

static void one(const char *what, size_t own) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        touch(own);
        *last = now();
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        printf("%-28s it was refused\n", what);
        return;
    }
    printf("%-28s %10.1f us to end\n", what, now() - *last);
}

int main(int argc, char **argv) {
    size_t bytes = (argc > 1 ? strtoul(argv[1], NULL, 10) : 256) << 20;
    last = mmap(NULL, sizeof *last, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (last == MAP_FAILED)
        return 1;
    for (int round = 0; round < 3; round++) {
        one("a small process", 0);
        one("one with memory of its own", bytes);
    }
    touch(bytes); /* from here on a fork has its parent's */
    for (int round = 0; round < 3; round++)
        one("one with its parent's memory", 0);
    return 0;
}
