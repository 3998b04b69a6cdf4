/* What does it take to make a thread, a fork, a program, each of which ends at once and is waited for?
 *     cc -Wall -O2 -pthread 09-creating.c -o creating && ./creating 64
 * The argument is the memory in MiB that this process has written to, 0 without one. Run it several times: another
 * program on the same core shows. taskset -c 0 ./creating keeps it on one core. */
#define _GNU_SOURCE
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void *nothing(void *unused) { return unused; }

static int thread(void) {
    pthread_t t;
    return pthread_create(&t, NULL, nothing, NULL) == 0 && pthread_join(t, NULL) == 0;
}

static int fork_one(void) {
    pid_t child = fork();
    if (child == 0)
        _exit(0); /* not exit: buffers and handlers are the parent's */
    return child > 0 && waitpid(child, NULL, 0) == child;
}

static int program(void) {
    pid_t child;
    char *argv[] = {"true", NULL};
    return posix_spawnp(&child, "true", NULL, NULL, argv, environ) == 0 && waitpid(child, NULL, 0) == child;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of 31 rounds of some ms each, in microseconds. */
static double median(int (*make)(void)) {
    double rounds[31];
    for (int r = 0; r < 31; r++) {
        struct timespec begun, now;
        int made = 0;
        double took;
        clock_gettime(CLOCK_MONOTONIC, &begun);
        do {
            if (!make()) {
                perror("it was refused");
                exit(1);
            }
            made++;
            clock_gettime(CLOCK_MONOTONIC, &now);
            took = (now.tv_sec - begun.tv_sec) * 1e6 + (now.tv_nsec - begun.tv_nsec) / 1e3;
        } while (took < 5000);
        rounds[r] = took / made;
    }
    qsort(rounds, 31, sizeof rounds[0], by_size);
    return rounds[15];
}

int main(int argc, char **argv) {
    size_t bytes = (argc > 1 ? strtoul(argv[1], NULL, 10) : 0) << 20;
    if (bytes > 0) {
        char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) {
            perror("mmap");
            return 1;
        }
        madvise(memory, bytes, MADV_NOHUGEPAGE); /* leave it out, and see what huge pages do for fork */
        for (size_t at = 0; at < bytes; at += 4096)
            memory[at] = 1;
    }
    printf("thread  %10.1f us\n", median(thread));
    printf("fork    %10.1f us\n", median(fork_one));
    printf("program %10.1f us   (true, by posix_spawn)\n", median(program));
    return 0;
}
