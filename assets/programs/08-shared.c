/* Two words at two addresses: who sees what another writes there?
 *     cc -Wall -O1 -pthread 08-shared.c -o shared && ./shared
 * While it sleeps, look at it from another terminal: grep -- '-s ' /proc/PID/maps, and pmap -X PID. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int *plain;  /* ordinary memory */
static int *common; /* a page that a fork does not copy */

static void say(const char *who) {
    printf("%-7s pid %d   plain %p holds %d   common %p holds %d\n", who, (int)getpid(), (void *)plain, *plain,
           (void *)common, *common);
    fflush(stdout);
}

static void *thread(void *unused) {
    *plain = *common = 11;
    say("thread");
    return unused;
}

int main(void) {
    pthread_t t;
    plain = malloc(sizeof *plain);
    common = mmap(NULL, sizeof *common, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (plain == NULL || common == MAP_FAILED)
        return 1;
    *plain = *common = 0;
    say("main");

    if (pthread_create(&t, NULL, thread, NULL) != 0)
        return 1;
    pthread_join(t, NULL); /* joining also makes what the thread wrote visible here */
    say("main");           /* 11 and 11 */

    pid_t child = fork();
    if (child < 0)
        return 1;
    if (child == 0) {
        *plain = *common = 22;
        say("child");
        sleep(3); /* time to look at both */
        _exit(0);
    }
    wait(NULL);
    say("main"); /* 11 and 22 */
    return 0;
}
