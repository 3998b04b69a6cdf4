/* Children that end in different ways, and what their parent is told: the wait status, taken apart.
 *     cc -Wall -O1 -pthread 12-status.c -o status && ./status
 * "core" is 1 if the system made a core dump; try it again after  ulimit -c unlimited. A shell would say "$?". */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int *volatile nowhere = NULL; /* volatile: the compiler must not know */
static volatile int zero = 0;

static void *write_to_0(void *unused) { *(volatile int *)nowhere = 1; return unused; }
static void *exit_3(void *unused) { exit(unused == NULL ? 3 : 4); }

static void in_thread(void *(*what)(void *)) {
    pthread_t t;
    if (pthread_create(&t, NULL, what, NULL) == 0)
        pthread_join(t, NULL); /* does not come back: the thread ends the process */
}

static void null(void) { write_to_0(NULL); }
static void null_thread(void) { in_thread(write_to_0); }
static void divide(void) { zero = 7 / zero; }
static void killed(void) { raise(SIGKILL); }
static void leave(void) { exit(3); }
static void leave_thread(void) { in_thread(exit_3); }
static void nothing(void) { }

static const struct { const char *name; void (*what)(void); } way[] = {
    {"exit(0)", nothing},   {"exit(3)", leave}, {"thread: exit(3)", leave_thread},
    {"writes to 0", null},  {"thread: to 0", null_thread}, {"abort()", abort},
    {"7 / 0", divide},      {"SIGKILL", killed},
};

int main(void) {
    puts("the child          status  exit code  core  signal                       $?");
    for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
        int status;
        fflush(stdout); /* or the child would have, and might print, a copy of what is still in the buffer */
        pid_t pid = fork();
        if (pid == 0) {
            way[i].what();
            _exit(0);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
            return 1;
        int signal = status & 0x7f;
        int code = status >> 8 & 0xff;
        printf("%-18s 0x%04x  %9d  %4d  %2d %-24s %4d\n", way[i].name, status, code, status >> 7 & 1, signal,
               signal ? strsignal(signal) : "", signal ? 128 + signal : code);
    }
    return 0;
}
