/*
 * A machine that refuses, for one program and all that it starts. The environment says what:
 *
 *   FORKLORE_NO_CALLS   system calls that fail, "ptrace:1 perf_event_open:13", each with its errno: by a filter of
 *                       seccomp(2), which every child inherits
 *   FORKLORE_NO_FILES   the last names of files under /proc that nobody may open (EACCES), "maps smaps"
 *
 * strace, which could do both, cannot refuse ptrace: it needs it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int number(const char *name) {
    if (!strcmp(name, "ptrace")) return SYS_ptrace;
    if (!strcmp(name, "perf_event_open")) return SYS_perf_event_open;
    return -1;
}

/* Children have the filter already: it is asked for once. */
__attribute__((constructor)) static void refuse_calls(void) {
    char list[256], *rest = list;
    const char *asked = getenv("FORKLORE_NO_CALLS");
    if (!asked || strlen(asked) >= sizeof list) return;
    strcpy(list, asked);
    unsetenv("FORKLORE_NO_CALLS");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) _exit(126);
    for (char *one = strtok_r(list, " ", &rest); one; one = strtok_r(NULL, " ", &rest)) {
        char *colon = strchr(one, ':');
        if (!colon) _exit(126);
        *colon = 0;
        int call = number(one);
        struct sock_filter filter[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | atoi(colon + 1)),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
        if (call < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) _exit(126);
    }
}

static int closed(const char *path) {
    const char *list = getenv("FORKLORE_NO_FILES");
    if (!list || !path || strncmp(path, "/proc/", 6)) return 0;
    const char *last = strrchr(path, '/') + 1;
    size_t length = strlen(last);
    for (const char *at = list; *at; at += strspn(at, " ")) {
        size_t word = strcspn(at, " ");
        if (word == length && !strncmp(at, last, word)) {
            errno = EACCES;
            return 1;
        }
        at += word;
    }
    return 0;
}

#define OPEN(name)                                                                      \
    int name(const char *path, int flags, ...) {                                       \
        va_list more;                                                                  \
        va_start(more, flags);                                                         \
        int mode = va_arg(more, int);                                                  \
        va_end(more);                                                                  \
        if (closed(path)) return -1;                                                   \
        int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, #name);                 \
        return real(path, flags, mode);                                                \
    }
#define OPENAT(name)                                                                    \
    int name(int folder, const char *path, int flags, ...) {                           \
        va_list more;                                                                  \
        va_start(more, flags);                                                         \
        int mode = va_arg(more, int);                                                  \
        va_end(more);                                                                  \
        if (closed(path)) return -1;                                                   \
        int (*real)(int, const char *, int, ...) = dlsym(RTLD_NEXT, #name);            \
        return real(folder, path, flags, mode);                                        \
    }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
