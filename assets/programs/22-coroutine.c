/* Three coroutines and a scheduler of ten lines, in one thread. The kernel sees no switch between them.
 *     cc -Wall -Wextra -O2 22-coroutine.c -o coroutine && ./coroutine
 *     ./coroutine greedy                    the first never yields: the others never run
 *     strace -f -c ./coroutine              no clone: one thread. swapcontext saves the signal mask by a call, each time */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <ucontext.h>

#define TASKS 3
#define STACK (64 * 1024)

static ucontext_t scheduler, task[TASKS];
static char stack[TASKS][STACK];
static unsigned long turns[TASKS];
static double worst[TASKS], left[TASKS], end;
static int greedy;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void yield(int n) {
    left[n] = now();
    swapcontext(&task[n], &scheduler); /* gives the thread back; nobody takes it */
}

static void body(int n) {
    while (now() < end) {
        double wait = now() - left[n];
        if (wait > worst[n])
            worst[n] = wait;
        turns[n]++;
        do { /* a millisecond of computing, or for ever */
            for (double until = now() + 0.001; now() < until;)
                ;
        } while (greedy && n == 0 && now() < end);
        yield(n);
    }
    for (;;)
        yield(n); /* nothing more to do */
}

int main(int argc, char **argv) {
    struct rusage use;
    static unsigned long switches;
    greedy = argc > 1 && strcmp(argv[1], "greedy") == 0;
    for (int n = 0; n < TASKS; n++) {
        if (getcontext(&task[n]) != 0)
            return 1;
        task[n].uc_stack.ss_sp = stack[n];
        task[n].uc_stack.ss_size = STACK;
        task[n].uc_link = NULL;
        makecontext(&task[n], (void (*)(void))body, 1, n);
        left[n] = now();
    }
    end = now() + 2;
    for (int n = 0; now() < end; n = (n + 1) % TASKS) { /* the run queue: whoever is next in the ring */
        swapcontext(&scheduler, &task[n]);
        switches++;
    }
    for (int n = 0; n < TASKS; n++) {
        double since = end - left[n];
        printf("task %d: %4lu turns, longest wait %.1f ms\n", n + 1, turns[n],
               1000 * (since > worst[n] ? since : worst[n]));
    }
    getrusage(RUSAGE_SELF, &use);
    printf("%lu switches here; the kernel counts %ld, of which %ld were given up\n", switches,
           use.ru_nvcsw + use.ru_nivcsw, use.ru_nvcsw);
    return 0;
}
