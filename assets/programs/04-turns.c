/* Three children share one core, and none of them ever waits. Each looks at the clock, again and again: where two looks
 * lie far apart, it was off the core. What lies between two such gaps is a turn.
 *     cc -Wall -O1 -pthread 04-turns.c -o turns && ./turns
 * It takes five seconds. Meanwhile, in another terminal:  ps -o pid,psr,cls,ni,comm -C turns
 * The kernel's own counts come last. They are higher if others got in for a moment, too short to be a gap. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SPAN = 5000, MOST = 5000 }; /* ms, turns */
static const double GAP = 0.3; /* ms: longer than most interrupts, shorter than a turn of somebody else */

static double now(void) { /* ms */
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static int shorter(const void *a, const void *b) {
    return (*(double *)a > *(double *)b) - (*(double *)a < *(double *)b);
}

static int count(char name, double end) {
    static double turn[MOST];
    double last = now(), began = last, there = 0, t;
    int n = 0, switches[2] = {-1, -1};
    for (; (t = now()) < end && n < MOST; last = t)
        if (t - last > GAP) { /* it was away from last to t */
            there += turn[n++] = last - began;
            began = t;
        }
    there += last - began; /* the turn that the end cut short is no turn for the median */
    qsort(turn, n, sizeof *turn, shorter);
    FILE *status = fopen("/proc/self/status", "r");
    for (char line[256]; status && fgets(line, sizeof line, status);)
        if (!sscanf(line, "voluntary_ctxt_switches: %d", &switches[0]))
            sscanf(line, "nonvoluntary_ctxt_switches: %d", &switches[1]);
    printf("%c %6d %10.0f %% %8d %8.2f ms %10d %13d\n", name, getpriority(PRIO_PROCESS, 0), 100 * there / SPAN, n,
           n ? turn[n / 2] : 0, switches[0], switches[1]);
    return 0;
}

int main(void) {
    cpu_set_t one = {0}; /* the core that we are on, for all: children inherit it */
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
    setlinebuf(stdout); /* or each child would print the headline, too, where this goes into a pipe */
    puts("    nice  of the core    turns      median  voluntary  nonvoluntary");
    double end = now() + SPAN;
    for (char name = 'A'; name <= 'C'; name++)
        if (fork() == 0)
            return count(name, end);
    while (wait(NULL) > 0);
}
