/* What two threads share, and what two processes do: one changes its directory,
 * its nice value and a variable; the other looks.
 *
 *     cc -Wall -O1 -pthread 03-whose.c -o 03-whose && ./03-whose
 *
 * It stays for ten seconds at each: time to look from outside, with ps -L -p PID -o pid,lwp,ni,comm */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int variable = 0;

/* What the calling thread finds. On Linux the nice value of "0" is the thread's own. */
static void look(const char *who)
{
    char where[4096];
    printf("  %-6s PID %d LWP %d: variable %d, directory %s, nice %d\n", who, getpid(), gettid(), variable,
           getcwd(where, sizeof where) ? where : "?", getpriority(PRIO_PROCESS, 0));
    fflush(stdout);
}

static void *act(void *nothing)
{
    sigset_t block;
    sigemptyset(&block);
    sigaddset(&block, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &block, NULL);
    variable = 7;
    if (chdir("/") != 0)
        perror("chdir");
    if (setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + 5) != 0)
        perror("setpriority");
    look("acts");
    sleep(10);
    return nothing;
}

int main(void)
{
    pthread_t thread;
    printf("two processes:\n");
    fflush(stdout);
    if (fork() == 0)
        return act(NULL) != NULL;
    sleep(1); /* the other has acted by then */
    look("looks");
    wait(NULL);

    printf("two threads:\n");
    if (pthread_create(&thread, NULL, act, NULL) != 0)
        return 1;
    sleep(1);
    look("looks");
    return pthread_join(thread, NULL);
}
