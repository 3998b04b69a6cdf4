/* Two threads add to one number: as it is, with an atomic add, or under a mutex.
 *     cc -Wall -O0 -pthread 15-race.c -o race && ./race && ./race atomic && ./race mutex
 * With -O2 the compiler makes one addition of the whole loop: the race is there all the same, and hardly ever seen.
 *     cc -g -O1 -pthread -fsanitize=thread 15-race.c -o race && ./race     says where
 *     objdump -d --no-show-raw-insn race                                   shows what became of counter++ */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { ADDS = 20000000 };

static long counter; /* plain: two who write it at once are a data race */
static atomic_long whole;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t start; /* or one may be through before the other is there */
static const char *guard = "none";

static void *add(void *unused) {
    pthread_barrier_wait(&start);
    if (strcmp(guard, "atomic") == 0) {
        for (int i = 0; i < ADDS; i++)
            atomic_fetch_add(&whole, 1);
    } else if (strcmp(guard, "mutex") == 0) {
        for (int i = 0; i < ADDS; i++) {
            pthread_mutex_lock(&mutex);
            counter++;
            pthread_mutex_unlock(&mutex);
        }
    } else {
        for (int i = 0; i < ADDS; i++)
            counter++;
    }
    return unused;
}

int main(int argc, char **argv) {
    pthread_t a, b;
    if (argc > 1)
        guard = argv[1];
    pthread_barrier_init(&start, NULL, 2);
    if (pthread_create(&a, NULL, add, NULL) != 0 || pthread_create(&b, NULL, add, NULL) != 0)
        return 1;
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    long found = counter + atomic_load(&whole);
    printf("guard %-6s  should be %d, is %ld, lost %ld\n", guard, 2 * ADDS, found, 2L * ADDS - found);
    return 0;
}
