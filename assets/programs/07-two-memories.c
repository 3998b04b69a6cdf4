/* One address, two memories: a child writes to half of what it got by fork. Who pays for it, before and after?
 *     cc -Wall -O1 -pthread 07-two-memories.c -o two && ./two
 * It stays for ten seconds after the fork and after the writes: time for pmap -X PID in another terminal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE = 16 << 20 }; /* 16 MiB */
static int *p;

/* A field of /proc/self/smaps_rollup, in KiB. */
static int kib(const char *field) {
    char line[256];
    int found = -1;
    FILE *f = fopen("/proc/self/smaps_rollup", "r");
    while (f && fgets(line, sizeof line, f))
        sscanf(line, field, &found);
    if (f)
        fclose(f);
    return found;
}

static void say(const char *when, const char *who) {
    printf("%-12s %-6s %7d: %p holds %2d, Rss %6d, Pss %6d KiB\n", when, who, (int)getpid(), (void *)p, *p,
           kib("Rss: %d"), kib("Pss: %d"));
    fflush(stdout);
}

/* Waits until the other one is here, too. If it has ended, so do we. */
static void meet(int other) {
    char c = 0;
    if (write(other, &c, 1) != 1 || read(other, &c, 1) != 1)
        _exit(1);
}

int main(void) {
    int end[2];
    p = malloc(SIZE);
    if (p == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, end) != 0)
        return 1;
    memset(p, 1, SIZE), *p = 10; /* now it is in RAM */
    say("before fork", "parent");
    pid_t child = fork();
    if (child < 0)
        return 1;
    close(end[child != 0]); /* each keeps one end: the parent 0, the child 1 */
    for (int round = 0; round < 2; round++) {
        const char *when = round ? "after writes" : "after fork";
        if (child != 0)
            meet(end[0]), say(when, "parent"), sleep(10);
        else
            say(when, "child"), meet(end[1]);
        meet(end[child == 0]);
        if (child == 0)
            memset(p, 0, SIZE / 2), *p = 99; /* the first time these are copied */
    }
}
