/* A cafeteria with three seats and eight diners: a counting semaphore.
 *     cc -Wall -O1 -pthread 17-cafeteria.c -o cafeteria && ./cafeteria
 * Then: strace -f -e trace=futex ./cafeteria. A diner that finds a seat makes no call to the kernel. */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { SEATS = 3, DINERS = 8, VISITS = 4 };

static sem_t seats;
static atomic_int inside, most;

static void *diner(void *unused) {
    for (int visit = 0; visit < VISITS; visit++) {
        while (sem_wait(&seats) != 0) /* a signal may come first (EINTR) */
            ;
        int now = atomic_fetch_add(&inside, 1) + 1;
        int known = atomic_load(&most);
        while (known < now && !atomic_compare_exchange_weak(&most, &known, now))
            ;
        usleep(20000); /* eat */
        atomic_fetch_sub(&inside, 1);
        sem_post(&seats);
    }
    return unused;
}

int main(void) {
    pthread_t diners[DINERS];
    int left;
    if (sem_init(&seats, 0, SEATS) != 0)
        return 1;
    for (int n = 0; n < DINERS; n++)
        if (pthread_create(&diners[n], NULL, diner, NULL) != 0)
            return 1;
    for (int n = 0; n < DINERS; n++)
        pthread_join(diners[n], NULL);
    sem_getvalue(&seats, &left);
    printf("at most %d inside; %d seats free in the end\n", atomic_load(&most), left);

    sem_post(&seats); /* nobody sat here: a semaphore does not ask */
    sem_getvalue(&seats, &left);
    printf("one more post, by who never sat: %d seats\n", left);
    return 0;
}
