/* A hatch with four slots, two cooks, three guests: a mutex, two condition variables, and while.
 *     cc -Wall -O1 -pthread 17-hatch.c -o hatch && ./hatch
 *     cc -Wall -O1 -pthread -DIF 17-hatch.c -o hatch && ./hatch    if instead of while: guests grasp into nothing */
#include <pthread.h>
#include <stdio.h>

enum { SLOTS = 4, COOKS = 2, GUESTS = 3, EACH = 30000, ALL = COOKS * EACH };

#ifdef IF
#define LOOK if
#else
#define LOOK while
#endif

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static int count, taken, nothing, closed; /* all of them under m */

static void *cook(void *unused) {
    for (int dish = 0; dish < EACH; dish++) {
        pthread_mutex_lock(&m);
        while (count == SLOTS)
            pthread_cond_wait(&not_full, &m);
        count++;
        pthread_cond_broadcast(&not_empty);
        pthread_mutex_unlock(&m);
    }
    return unused;
}

static void *guest(void *unused) {
    pthread_mutex_lock(&m);
    while (!closed || count > 0) {
        LOOK (count == 0 && !closed)
            pthread_cond_wait(&not_empty, &m);
        if (count > 0) {
            count--;
            taken++;
            pthread_cond_signal(&not_full);
        } else if (!closed) {
            nothing++; /* a real program would take what is not there */
        }
        pthread_mutex_unlock(&m);
        pthread_mutex_lock(&m);
    }
    pthread_mutex_unlock(&m);
    return unused;
}

int main(void) {
    pthread_t cooks[COOKS], guests[GUESTS];
    for (int n = 0; n < GUESTS; n++)
        if (pthread_create(&guests[n], NULL, guest, NULL) != 0)
            return 1;
    for (int n = 0; n < COOKS; n++)
        if (pthread_create(&cooks[n], NULL, cook, NULL) != 0)
            return 1;
    for (int n = 0; n < COOKS; n++)
        pthread_join(cooks[n], NULL);
    pthread_mutex_lock(&m);
    closed = 1;
    pthread_cond_broadcast(&not_empty); /* whoever sleeps is to see that it is over */
    pthread_mutex_unlock(&m);
    for (int n = 0; n < GUESTS; n++)
        pthread_join(guests[n], NULL);
    printf("%d dishes made, %d taken; %d grasps into an empty hatch\n", ALL, taken, nothing);
    return 0;
}
