/* Two locks in opposite order, and three ways round it.
 *     cc -Wall -Wextra -g -pthread 18-deadlock.c -o deadlock && ./deadlock
 * ./deadlock        both have their first lock before either asks for the second: it hangs; end it with ctrl-c
 * ./deadlock order  both take lock one first
 * ./deadlock try    who cannot have the second gives the first back
 * ./deadlock turns  opposite order, but one thread after the other: nothing hangs, and tools still find it */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER, two = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both_have_one;
static const char *way = "hang";

static int is(const char *name) {
    return strcmp(way, name) == 0;
}

/* Takes both locks; how often it had to give the first one back. */
static int take(pthread_mutex_t *first, pthread_mutex_t *second) {
    int gave_back = 0;
    pthread_mutex_lock(first);
    if (is("hang"))
        pthread_barrier_wait(&both_have_one); /* the bad luck, arranged */
    if (!is("try")) {
        pthread_mutex_lock(second);
        return 0;
    }
    usleep(10000); /* so that the other one gets its first lock, too */
    while (pthread_mutex_trylock(second) != 0) {
        pthread_mutex_unlock(first);
        gave_back++;
        usleep((useconds_t)(1000 + 1000 * (first == &one))); /* each for a time of its own */
        pthread_mutex_lock(first);
    }
    return gave_back;
}

static void *worker(void *name) {
    int a = *(const char *)name == 'A' || is("order");
    int gave_back = take(a ? &one : &two, a ? &two : &one);
    printf("%s has both; gave back %d times\n", (const char *)name, gave_back);
    pthread_mutex_unlock(&one);
    pthread_mutex_unlock(&two);
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t a, b;
    if (argc > 1)
        way = argv[1];
    pthread_barrier_init(&both_have_one, NULL, 2);
    printf("pid %d\n", (int)getpid());
    fflush(stdout);
    pthread_create(&a, NULL, worker, "A");
    if (is("turns"))
        pthread_join(a, NULL);
    pthread_create(&b, NULL, worker, "B");
    if (!is("turns"))
        pthread_join(a, NULL);
    pthread_join(b, NULL);
    return 0;
}
