/* A child takes a lock and dies with it. What does its parent find?
 *
 *     cc -Wall -Wextra -O1 -pthread 16-owner.c -o 16-owner
 *     ./16-owner plain; ./16-owner robust; ./16-owner flock
 *
 * A mutex between processes lies in memory that both have, and says so (PTHREAD_PROCESS_SHARED). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t *mutex;
static char path[64];

static int lock_file(void) {
    /* Opened anew: parent and child would have one lock together through one open file. */
    int fd = open(path, O_RDWR);
    return fd < 0 || flock(fd, LOCK_EX) != 0 ? errno : 0;
}

static int lock_mutex(void) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 2; /* or it would be waited for until the machine is switched off */
    return pthread_mutex_timedlock(mutex, &until);
}

static int prepare(const char *kind) {
    pthread_mutexattr_t attr;
    int fd;

    if (strcmp(kind, "flock") == 0) {
        fd = memfd_create("lock", 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        return fd < 0;
    }
    mutex = mmap(NULL, sizeof *mutex, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (mutex == MAP_FAILED)
        return 1;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    if (strcmp(kind, "robust") == 0)
        pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    return pthread_mutex_init(mutex, &attr);
}

int main(int argc, char **argv) {
    const char *kind = argc > 1 ? argv[1] : "plain";
    int (*lock)(void) = strcmp(kind, "flock") == 0 ? lock_file : lock_mutex;
    pid_t child;
    int error;

    if (prepare(kind) != 0)
        return 1;
    child = fork();
    if (child < 0)
        return 1;
    if (child == 0) {
        lock();
        raise(SIGKILL);
    }
    waitpid(child, NULL, 0);
    error = lock();
    printf("%-7s the child died with the lock; the parent is told: %s\n", kind,
           error == 0            ? "nothing, and has it"
           : error == EOWNERDEAD ? "EOWNERDEAD, and has it"
           : error == ETIMEDOUT  ? "nothing in 2 s, and has it not"
                                 : strerror(error));
    if (error == EOWNERDEAD) /* first put in order what the child left half-done, then say so */
        pthread_mutex_consistent(mutex);
    return 0;
}
