/* Three threads are cancelled: one that sleeps, one that only computes, and one that only computes but allows it anywhere.
 *
 *     cc -Wall -O1 -pthread 13-cancel.c -o 13-cancel && ./13-cancel
 *
 * None of them owns anything: no memory, no lock, no open file. That is what makes it harmless here. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static atomic_bool leave;

static void *sleeps(void *arg) {
    for (;;)
        sleep(1); /* a cancellation point */
    return arg;
}

static void *computes(void *arg) {
    while (!atomic_load(&leave)) /* no call, so no point */
        ;
    pthread_testcancel(); /* and here is one */
    return arg;
}

static void *anywhere(void *arg) {
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    return computes(arg);
}

static void try(const char *what, void *(*body)(void *)) {
    pthread_t thread;
    void *result;
    struct timespec until;

    if (pthread_create(&thread, NULL, body, NULL) != 0)
        return;
    usleep(100000);
    pthread_cancel(thread);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1;
    int in_time = pthread_timedjoin_np(thread, &result, &until) == 0;
    if (!in_time) {
        atomic_store(&leave, 1);
        pthread_join(thread, &result);
        atomic_store(&leave, 0);
    }
    printf("%-22s %s, %s\n", what, in_time ? "ended when asked" : "still there after 1 s",
           result == PTHREAD_CANCELED ? "PTHREAD_CANCELED" : "returned");
}

int main(void) {
    try("sleeps:", sleeps);
    try("computes:", computes);
    try("computes, anywhere:", anywhere);
    return 0;
}
