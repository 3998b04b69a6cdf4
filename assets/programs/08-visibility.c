/* A plain flag and an atomic flag: when does another thread see that it was set?
 *     cc -Wall -O1 -pthread 08-visibility.c -o visibility && ./visibility
 * Then with -O0 in place of -O1. A race for a plain variable is undefined in C; this is what may come of it. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int plain;                    /* an ordinary variable */
static atomic_int flag;              /* an atomic one */
static atomic_int ready;             /* the reader is in its loop */
static atomic_llong seen;            /* when it saw the flag; 0: not yet */
static volatile unsigned long turns; /* what the reader does meanwhile */

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void *reader(void *of_plain) {
    ready = 1;
    if (of_plain)
        while (!plain)
            turns++;
    else
        while (!atomic_load(&flag))
            turns++;
    seen = now();
    return NULL;
}

static void show(const char *name, void *of_plain, long ms) {
    const struct timespec nap = {.tv_nsec = 1000000};
    pthread_t thread;
    ready = seen = 0;
    if (pthread_create(&thread, NULL, reader, of_plain) != 0)
        exit(1);
    while (!ready)
        nanosleep(&nap, NULL);
    long long set = now();
    if (of_plain)
        plain = 1;
    else
        atomic_store(&flag, 1);
    while (!seen && now() < set + ms * 1000000LL)
        nanosleep(&nap, NULL);
    if (seen)
        printf("%s flag: seen after %lld ns\n", name, (long long)seen - set);
    else
        printf("%s flag: not seen in %ld ms\n", name, ms);
}

int main(int argc, char **argv) {
    long ms = argc > 1 ? atol(argv[1]) : 500;
    show("atomic", NULL, ms);
    show("plain", &plain, ms);
} /* the end of main ends a reader that still spins, too */
