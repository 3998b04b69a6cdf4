/* Some work of which a part is for one alone, and Amdahl's law beside it.
 *
 *   cc -O1 -Wall -Wextra -pthread 23-amdahl.c -o 23-amdahl
 *   ./23-amdahl 10 4     ten per cent serial, four threads
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { UNITS = 40000, MOST = 64 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void compute(long units) {
    volatile unsigned long kept = 0;
    for (long u = 0; u < units; u++) {
        unsigned long x = (unsigned long)u;
        for (int i = 0; i < 10000; i++)
            x = x * 6364136223846793005UL + 1;
        kept += x;
    }
}

static void *part(void *units) {
    compute(*(long *)units);
    return NULL;
}

/* Seconds for all of it. */
static double run(long serial, int threads) {
    pthread_t ids[MOST];
    long each = (UNITS - serial) / threads;
    double start = now();
    compute(serial);
    for (int n = 0; n < threads; n++)
        if (pthread_create(&ids[n], NULL, part, &each) != 0) {
            fprintf(stderr, "no more than %d threads\n", n);
            exit(1);
        }
    for (int n = 0; n < threads; n++)
        pthread_join(ids[n], NULL);
    return now() - start;
}

int main(int argc, char **argv) {
    double percent = argc > 1 ? atof(argv[1]) : 10;
    int threads = argc > 2 ? atoi(argv[2]) : 4;
    if (percent < 0 || percent > 100 || threads < 1 || threads > MOST) {
        fprintf(stderr, "usage: %s PERCENT THREADS, up to 100 and %d\n", argv[0], MOST);
        return 2;
    }
    double s = percent / 100;
    long serial = (long)(s * UNITS);
    double one = run(serial, 1), all = run(serial, threads);
    printf("one thread %.2f s, %d threads %.2f s\n", one, threads, all);
    printf("speed-up %.2f, the law allows %.2f\n", one / all, 1 / (s + (1 - s) / threads));
    return 0;
}
