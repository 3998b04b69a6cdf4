/* Three processes on one core: one computes, one sleeps again and again, one waits for the other two to finish.
 *   cc -Wall -O1 -pthread 06-states.c -o states && ./states
 *
 * It takes three seconds. Meanwhile, in another terminal:  ps -L -o pid,stat,wchan:20,comm -C states
 * At the end it prints what the kernel counted for each: a voluntary switch is one that the process wanted (it had to
 * wait), an involuntary one took the core from it. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* It never waits. */
static void compute(double until) {
    volatile unsigned long n = 0;
    while (now() < until) n++;
}

/* It hardly computes. */
static void rest(double until) {
    while (now() < until) usleep(10000);
}

static pid_t start(void (*work)(double), double until) {
    pid_t pid = fork();
    if (pid == 0) {
        work(until);
        _exit(0);
    }
    return pid;
}

static void report(const char *name, pid_t pid) {
    struct rusage use;
    if (pid < 0 || wait4(pid, NULL, 0, &use) < 0)
        return perror(name);
    printf("%-9s %3ld.%02ld s on a core, %5ld voluntary, %5ld involuntary switches\n", name, (long)use.ru_utime.tv_sec,
           (long)use.ru_utime.tv_usec / 10000, use.ru_nvcsw, use.ru_nivcsw);
}

int main(void) {
    cpu_set_t one;                        /* the core that we are on, for all: children inherit it */
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
    double until = now() + 3;
    pid_t busy = start(compute, until), idle = start(rest, until);
    report("computes", busy);             /* main is the third: it blocks in wait4, state S */
    report("sleeps", idle);
    return 0;
}
