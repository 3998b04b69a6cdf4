/* Two processes, a pipe each way, and a message that goes to and fro.
 *
 *     cc -O2 -Wall -Wextra 14-pingpong.c -o 14-pingpong
 *     ./14-pingpong [BYTES [TRIPS]]              wherever the scheduler likes
 *     taskset -c 0 ./14-pingpong 8               both on one core
 *     strace -cf ./14-pingpong 8 1000            the calls, counted (and slowed)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void whole(int fd, char *message, size_t bytes, int writes)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t now = writes ? write(fd, message + done, bytes - done) : read(fd, message + done, bytes - done);
        if (now > 0)
            done += (size_t)now;
        else if (now == 0 || errno != EINTR)
            exit(1); /* the other one is gone */
    }
}

int main(int argc, char **argv)
{
    size_t bytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 8;
    long trips = argc > 2 ? strtol(argv[2], NULL, 10) : 100000;
    char *message = calloc(1, bytes ? bytes : 1);
    int there[2], back[2];
    if (!message || bytes == 0 || trips < 1 || pipe(there) != 0 || pipe(back) != 0)
        return 2;
    pid_t child = fork();
    if (child < 0)
        return 2;
    if (child == 0) {
        close(there[1]); /* or the end of the file would never come */
        close(back[0]);
        for (;;) {
            whole(there[0], message, bytes, 0);
            whole(back[1], message, bytes, 1);
        }
    }
    close(there[0]);
    close(back[1]);
    struct timespec from, to;
    for (long trip = -10; trip < trips; trip++) {
        if (trip == 0)
            clock_gettime(CLOCK_MONOTONIC, &from);
        whole(there[1], message, bytes, 1);
        whole(back[0], message, bytes, 0);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    close(there[1]); /* the child reads the end of the file, and leaves */
    waitpid(child, NULL, 0);
    double ns = (to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec);
    printf("%zu bytes: half a round trip takes %.0f ns\n", bytes, ns / trips / 2);
    return 0;
}
