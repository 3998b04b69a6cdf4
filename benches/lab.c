/* What benches/lab.py holds the lab's figures against: the same things, done by as few lines of C as will do them.
 *     cc -O2 -pthread lab.c -o lab && ./lab thread 1000 [CPU] [PROGRAM]
 * Does it so often on one CPU, and prints the nanoseconds of one. "fork-like" first maps what standard input lists, a line
 * each: address and bytes of a mapping in hexadecimal, and how many of its pages to write to. What a fork costs is what the
 * parent has; so it has what the listed process has. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static atomic_uint *bell;
static int pipes[2][2];
static long times;
static const char *tiny;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static void must(int holds, const char *what) {
    if (!holds) {
        perror(what);
        exit(1);
    }
}

static void *nothing(void *unused) { return unused; }

static void thread(void) {
    pthread_t t;
    must(pthread_create(&t, NULL, nothing, NULL) == 0, "pthread_create");
    must(pthread_join(t, NULL) == 0, "pthread_join");
}

static void fork_one(void) {
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    must(child > 0 && waitpid(child, NULL, 0) == child, "fork");
}

static void spawn(void) {
    pid_t child;
    char *argv[] = {"tiny", NULL}, *environment[] = {NULL};
    int status;
    must(posix_spawn(&child, tiny, NULL, NULL, argv, environment) == 0, "posix_spawn");
    must(waitpid(child, &status, 0) == child && status == 0, tiny);
}

/* The instruction itself, as forklore issues it. By way of the C library's syscall(3) a call takes a third longer where the
 * kernel spoils the predictions of returns on its way out. */
static inline long kernel(long number, long a, long b, long c) {
#if defined(__x86_64__)
    long result;
    register long d __asm__("r10") = 0;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(d) : "rcx", "r11", "memory");
    return result;
#else
    return syscall(number, a, b, c, NULL);
#endif
}

static void syscall_one(void) { kernel(SYS_getppid, 0, 0, 0); }

/* What follows a switch is inlined, as it is in forklore: where the kernel spoils the predictions of returns, each return after
 * a system call costs some 50 ns, and the switch is to be measured. */
#define INLINE static inline __attribute__((always_inline))

INLINE void ring(int whose) {
    atomic_store_explicit(&bell[whose], 1, memory_order_release);
    kernel(SYS_futex, (long)&bell[whose], FUTEX_WAKE, 1);
}

INLINE void sleep_at(int own) {
    while (atomic_exchange_explicit(&bell[own], 0, memory_order_acq_rel) == 0)
        kernel(SYS_futex, (long)&bell[own], FUTEX_WAIT, 0);
}

INLINE void put(int whose) { must(write(pipes[whose][1], "", 1) == 1, "write"); }

INLINE void take(int own) {
    char byte;
    must(read(pipes[own][0], &byte, 1) == 1, "read");
}

INLINE void answer(void (*wake)(int), void (*rest)(int)) {
    for (long i = 0; i < times + 20; i++) {
        rest(1);
        wake(0);
    }
}

static void *by_futex(void *unused) { return answer(ring, sleep_at), unused; }
static void *by_pipe(void *unused) { return answer(put, take), unused; }

/* Half a round trip. */
INLINE double pingpong(int threads, void *(*other)(void *), void (*wake)(int), void (*rest)(int)) {
    pthread_t t;
    pid_t child = 0;
    double begun = 0;
    if (threads)
        must(pthread_create(&t, NULL, other, NULL) == 0, "pthread_create");
    else if ((child = fork()) == 0) {
        other(NULL);
        _exit(0);
    }
    must(child >= 0, "fork");
    for (long i = 0; i < times + 20; i++) {
        if (i == 20)
            begun = now();
        wake(1);
        rest(0);
    }
    double took = now() - begun;
    if (threads)
        pthread_join(t, NULL);
    else
        waitpid(child, NULL, 0);
    return took / times / 2;
}

/* Mappings as those of another process. Neighbours are kept apart by a flag that costs nothing, or they would become one. */
static void resemble(void) {
    unsigned long start, bytes, pages;
    for (int n = 0; scanf("%lx %lx %lu", &start, &bytes, &pages) == 3; n++) {
        void *at = (void *)start;
        char *memory = mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        if (memory == MAP_FAILED) /* something of ours is there */
            memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        must(memory != MAP_FAILED, "mmap");
        madvise(memory, bytes, MADV_NOHUGEPAGE);
        madvise(memory, bytes, n % 2 ? MADV_DONTDUMP : MADV_DODUMP);
        for (unsigned long i = 0; i < pages; i++)
            memory[i * 4096] = 1;
    }
}

INLINE double each(void (*what)(void)) {
    for (int i = 0; i < 3; i++)
        what();
    double begun = now();
    for (long i = 0; i < times; i++)
        what();
    return (now() - begun) / times;
}

int main(int argc, char **argv) {
    cpu_set_t one;
    if (argc < 3)
        return 2;
    const char *what = argv[1];
    times = atol(argv[2]);
    long cpu = argc > 3 ? atol(argv[3]) : 0;
    tiny = argc > 4 ? argv[4] : "/bin/true";
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    must(sched_setaffinity(0, sizeof one, &one) == 0, "sched_setaffinity");
    bell = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(bell != MAP_FAILED && pipe(pipes[0]) == 0 && pipe(pipes[1]) == 0, "memory and pipes");
    double found = -1;
    if (strcmp(what, "thread") == 0)
        found = each(thread);
    else if (strcmp(what, "fork") == 0)
        found = each(fork_one);
    else if (strcmp(what, "fork-like") == 0) {
        resemble();
        found = each(fork_one);
    }
    else if (strcmp(what, "spawn") == 0)
        found = each(spawn);
    else if (strcmp(what, "syscall") == 0)
        found = each(syscall_one);
    else if (strcmp(what, "futex-threads") == 0 || strcmp(what, "futex-processes") == 0)
        found = pingpong(what[6] == 't', by_futex, ring, sleep_at);
    else if (strcmp(what, "pipe-threads") == 0 || strcmp(what, "pipe-processes") == 0)
        found = pingpong(what[5] == 't', by_pipe, put, take);
    must(found > 0, what);
    printf("%.1f\n", found);
    return 0;
}
