/* The last seat of each train, sold twice, although every access is atomic: a race condition without a data race.
 *     cc -Wall -O1 -pthread 15-seats.c -o seats && ./seats && ./seats swap
 *     cc -g -O1 -pthread -fsanitize=thread 15-seats.c -o seats && ./seats     finds nothing */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { TRAINS = 200000 };

static atomic_int tickets[TRAINS]; /* sold for the one seat of each */
static atomic_int come[2];         /* the train that each clerk has come to */
static int swap;

static void *clerk(void *mine) {
    int side = *(int *)mine;
    for (int train = 0; train < TRAINS; train++) {
        atomic_store(&come[side], train + 1);
        while (atomic_load(&come[1 - side]) <= train) /* both at the same train */
            ;
        if (swap) {
            int none = 0;
            atomic_compare_exchange_strong(&tickets[train], &none, 1); /* look and sell in one */
        } else if (atomic_load(&tickets[train]) == 0) {                /* look */
            atomic_fetch_add(&tickets[train], 1);                      /* sell */
        }
    }
    return mine;
}

int main(int argc, char **argv) {
    (void)argv;
    swap = argc > 1;
    pthread_t threads[2];
    int sides[2] = {0, 1};
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, clerk, &sides[i]) != 0)
            return 1;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    int sold = 0;
    for (int train = 0; train < TRAINS; train++)
        sold += tickets[train];
    printf("%d seats, %d tickets: %d too many\n", TRAINS, sold, sold - TRAINS);
    return 0;
}
