/* A mutex, taken a million times by each of N threads. How often does that need the kernel?
 *
 *     cc -Wall -Wextra -O1 -pthread 16-futex.c -o 16-futex
 *     strace -f -c -e futex ./16-futex 1     one thread: nobody is ever in the way
 *     strace -f -c -e futex ./16-futex 4     four */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { TIMES = 1000000, MOST = 64 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long counter;

static void *adds(void *unused) {
    for (int i = 0; i < TIMES; i++) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
    }
    return unused;
}

int main(int argc, char **argv) {
    pthread_t threads[MOST];
    int n = argc > 1 ? atoi(argv[1]) : 1;

    if (n < 1 || n > MOST)
        return 2;
    if (n == 1) {
        adds(NULL);
    } else {
        for (int i = 0; i < n; i++)
            if (pthread_create(&threads[i], NULL, adds, NULL) != 0)
                return 1;
        for (int i = 0; i < n; i++)
            pthread_join(threads[i], NULL);
    }
    printf("%d x %d adds, and the counter is %ld\n", n, TIMES, counter);
    return 0;
}
