/*
 * Between the program and its C library, while a test runs: a wall clock that the test turns, and ends that nothing from
 * outside can bring about. Each is asked for by a file in the folder $FORKLORE_SHIM:
 *
 *   clock   the wall clock's seconds since 1970 from now on, which may be negative
 *   fault   one word: what is to become of the thread that draws when it next looks at the clock. The file goes
 *
 * The program calls `clock_gettime` through the C library whenever it asks Rust's `Instant` or `SystemTime`.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int joins_fail;

/* What stands in a file of the folder; 0 if there is none. */
static int word(const char *name, char *into, size_t size, int take) {
    const char *folder = getenv("FORKLORE_SHIM");
    char path[512];
    if (!folder || snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) return 0;
    int saved = errno;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, into, size - 1);
    if (fd >= 0) close(fd);
    if (got > 0 && take) unlink(path);
    errno = saved;
    if (got <= 0) return 0;
    into[got] = 0;
    return 1;
}

/* Only the thread that draws, in the process that does. */
static int draws(void) {
    static int known;
    if (!known) {
        char line[256] = "";
        int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
        ssize_t got = fd < 0 ? 0 : read(fd, line, sizeof line - 1);
        if (fd >= 0) close(fd);
        const char *second = got > 0 ? line + strlen(line) + 1 : line;
        known = strcmp(second, "__tour") == 0 ? 1 : 2;
    }
    return known == 1 && syscall(SYS_gettid) == getpid();
}

static int overflow(int depth) {
    volatile char frame[4096];
    frame[depth % 4096] = (char)depth;
    return overflow(depth + 1) + frame[(depth + 1) % 4096];
}

/* 1 if the call is to fail. */
static int fault(void) {
    static int for_ever;
    char what[32];
    if (!draws()) return 0;
    if (for_ever) return 1;
    if (!word("fault", what, sizeof what, 1)) return 0;
    if (!strcmp(what, "abort")) abort();
    if (!strcmp(what, "overflow")) exit(overflow(0));
    if (!strcmp(what, "segv")) *(volatile int *)8 = 1;
    /* A panic, one more while it unwinds, one more while it is told. */
    if (!strcmp(what, "panic")) return 1;
    if (!strcmp(what, "panic twice")) return joins_fail = 1;
    if (!strcmp(what, "panic in panic")) return for_ever = 1;
    return 0;
}

static int wall(struct timespec *now) {
    char text[32];
    if (!word("clock", text, sizeof text, 0)) return 0;
    now->tv_sec = strtoll(text, NULL, 10);
    now->tv_nsec = 0;
    return 1;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (clock == CLOCK_MONOTONIC && fault()) {
        errno = EINVAL;
        return -1;
    }
    if ((clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) && wall(now)) return 0;
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    return real(clock, now);
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec at;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &at);
    now->tv_sec = at.tv_sec;
    now->tv_usec = at.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *into) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    if (into) *into = at.tv_sec;
    return at.tv_sec;
}

/* Rust's `JoinHandle` panics when a thread cannot be joined; the program joins one as it takes its screen down. */
int pthread_join(pthread_t thread, void **value) {
    static int (*real)(pthread_t, void **);
    if (joins_fail && draws()) return EINVAL;
    if (!real) real = (int (*)(pthread_t, void **))dlsym(RTLD_NEXT, "pthread_join");
    return real(thread, value);
}
