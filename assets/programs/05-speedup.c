/* One thread that computes, then 2, and so on up to twice as many as there are CPUs. Each number of threads has a
 * second; the work of all of them is compared with the work of one. On a busy machine the others have a share in it.
 *
 *     cc -Wall -O1 -pthread 05-speedup.c -o speedup && ./speedup
 *     taskset -c 0 ./speedup        # the same on one CPU
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#define MOST 64

static atomic_int go, stop;
static unsigned long long done[MOST][8]; /* a cache line for each, so that no two share one */

static void *work(void *mine) {
    unsigned long long *count = mine, x = 1, rounds = 0;
    while (!atomic_load_explicit(&go, memory_order_relaxed))
        sched_yield();
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        for (int i = 0; i < 1000; i++)
            x = x * 6364136223846793005ull + 1;
        rounds++;
    }
    *count = rounds + (x == 0); /* x is used, so the loop is not dropped */
    return NULL;
}

static double run(int threads) {
    pthread_t id[MOST];
    struct timespec second = {1, 0};
    double sum = 0;
    atomic_store(&go, 0);
    atomic_store(&stop, 0);
    for (int i = 0; i < threads; i++)
        if (pthread_create(&id[i], NULL, work, done[i]) != 0)
            threads = i; /* no more to be had: go on with those there are */
    atomic_store(&go, 1);
    nanosleep(&second, NULL);
    atomic_store(&stop, 1);
    for (int i = 0; i < threads; i++) {
        pthread_join(id[i], NULL);
        sum += done[i][0];
    }
    return sum;
}

int main(void) {
    cpu_set_t mask;
    int cpus = sched_getaffinity(0, sizeof mask, &mask) == 0 ? CPU_COUNT(&mask) : 1;
    double one = run(1);
    printf("%d CPUs may be used\n 1 thread: the measure\n", cpus);
    for (int n = 2; n <= 2 * cpus && n <= MOST; n += n < 4 ? 1 : n / 2)
        printf("%2d threads: %.2f times the work of one\n", n, run(n) / one);
    return 0;
}
