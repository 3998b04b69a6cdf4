/* fork, exec, zombie, orphan: what the kernel says of each, from /proc.
 * cc -Wall -O1 -pthread -o family 01-family.c && ./family */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* One line of /proc/PID/status for each field that matters here. */
static void show(const char *when, pid_t pid) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *f = fopen(path, "r");
    printf("%-22s process %d:", when, pid);
    if (!f)
        printf(" gone");
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, "Name:", 5) || !strncmp(line, "State:", 6) || !strncmp(line, "PPid:", 5))
            printf("  %.*s", (int)strcspn(line, "\n"), line);
    printf("\n");
    fflush(stdout);
    if (f)
        fclose(f);
}

int main(void) {
    int go[2] = {-1, -1};
    pid_t b = pipe(go) ? -1 : fork();
    if (b < 0)
        return 1;
    if (b == 0) { /* the child: waits for a byte, then executes another program */
        char byte;
        if (read(go[0], &byte, 1) == 1)
            execlp("sleep", "sleep", "1", (char *)NULL);
        _exit(127);
    }
    show("after fork", b);
    (void)!write(go[1], "x", 1);
    usleep(500000); /* time enough for exec, and too little for sleep 1 */
    show("after exec", b);
    siginfo_t end;
    waitid(P_PID, b, &end, WEXITED | WNOWAIT); /* until it has ended; nothing is fetched */
    show("ended, not waited for", b);
    waitpid(b, NULL, 0);
    show("waited for", b);

    if (fork() == 0) { /* a child that has a child, and ends first */
        pid_t parent = getpid();
        if (fork() == 0) {
            while (getppid() == parent)
                usleep(1000);
            show("an orphan", getpid());
        }
        _exit(0);
    }
    wait(NULL);
    sleep(1); /* the orphan is nobody here to wait for: let it speak */
    return 0;
}
