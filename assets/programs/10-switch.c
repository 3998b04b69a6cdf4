/* What does a switch take: between two threads, between two processes? They wake each other in turn, by a futex, on one core.
 *     cc -Wall -O2 -pthread 10-switch.c -o switch && ./switch
 * Half a round trip is a switch, with its calls. Each line is a round; compare the columns, line by line. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TRIPS 5000

static atomic_uint *bell; /* two words in a page that a fork does not copy */

static void ring(int whose) {
    atomic_store(&bell[whose], 1);
    syscall(SYS_futex, &bell[whose], FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void wait_for(int own) {
    while (atomic_exchange(&bell[own], 0) == 0)
        syscall(SYS_futex, &bell[own], FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void *answer(void *unused) {
    for (int i = 0; i < TRIPS; i++) {
        wait_for(1);
        ring(0);
    }
    return unused;
}

static double call(void) {
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (int i = 0; i < TRIPS; i++) {
        ring(1);
        wait_for(0);
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    return ((b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec)) / TRIPS / 2;
}

int main(void) {
    cpu_set_t one, all;
    setvbuf(stdout, NULL, _IOLBF, 0);
    bell = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (bell == MAP_FAILED || sched_getaffinity(0, sizeof all, &all) != 0)
        return 1;
    CPU_ZERO(&one);
    for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--)
        if (CPU_ISSET(cpu, &all)) {
            CPU_SET(cpu, &one);
            break;
        }
    if (sched_setaffinity(0, sizeof one, &one) != 0) { /* what comes of this thread inherits it */
        perror("cannot stay on one core");
        return 1;
    }
    puts("   thread    process    process / thread");
    for (int round = 0; round < 15; round++) {
        pthread_t t;
        if (pthread_create(&t, NULL, answer, NULL) != 0)
            return 1;
        double thread = call();
        pthread_join(t, NULL);

        pid_t child = fork();
        if (child < 0)
            return 1;
        if (child == 0) {
            answer(NULL);
            _exit(0);
        }
        double process = call();
        waitpid(child, NULL, 0);
        printf("%6.0f ns  %6.0f ns   %.3f\n", thread, process, process / thread);
    }
    return 0;
}
