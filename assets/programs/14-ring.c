/* A message in memory that two processes share, and a futex to wake the one that waits for it.
 *
 *     cc -O2 -Wall -Wextra 14-ring.c -o 14-ring && ./14-ring
 *     strace -f -e trace=read,write,futex ./14-ring      no call carries the message; two wake by it
 */
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct board {
    _Atomic unsigned filled; /* 0: nothing lies there */
    char message[60];
};

static void sleep_while(_Atomic unsigned *word, unsigned value)
{
    /* The kernel looks once more before it lets us sleep: a wake-up between the two is not lost. */
    while (atomic_load(word) == value)
        syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

static void change(_Atomic unsigned *word, unsigned value)
{
    atomic_store(word, value);
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

int main(void)
{
    struct board *board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED)
        return 2;
    pid_t reader = fork();
    if (reader < 0)
        return 2;
    if (reader == 0) {
        sleep_while(&board->filled, 0);
        printf("the reader finds: %s\n", board->message);
        fflush(stdout);
        change(&board->filled, 0);
        _exit(0);
    }
    usleep(100000); /* so that the reader sleeps, for strace to see */
    strcpy(board->message, "nobody carried me");
    change(&board->filled, 1);
    sleep_while(&board->filled, 1);
    printf("the writer sees that it was taken\n");
    waitpid(reader, NULL, 0);
    return 0;
}
