#!/usr/bin/env python3
"""What `forklore run ipc` says of a way to talk / what other tools say of the same mechanism, in turn, A B A B, in one run.

    python3 benches/ipc.py                some five minutes; --rounds N, --size BYTES, --cpu N, --no-build
    FORKLORE=FILE python3 ...             of another build

Both sides of every tool are pinned to one CPU. The tools: `perf bench sched pipe` (linux-perf), which reports a whole round
trip of four bytes, so half of it is taken; and a small C program, compiled here with -O2, that does the same ping-pong by pipe,
socket pair, TCP, message queue and futex, the way such programs are usually written. lmbench, which does the same, is not in
Debian's main archive; sockperf, which is, waits by an event loop of its own and is not used.

Medians of the rounds' ratios with their bootstrap 95 % intervals. The goal is 0.90 to 1.10: met or missed when the whole
interval says so, and otherwise inconclusive.
"""

import argparse, collections, json, os, re, shutil, subprocess, sys, tempfile

from figures import FORKLORE, ROOT, interval

# Bytes of a message: all ways carry them, and `perf bench` sends half as many.
SIZE = 8
WAYS = ("pipe", "socket", "tcp", "mqueue", "shm")
GOAL = (0.90, 1.10)

REFERENCE = r"""
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char message[1 << 20];
static size_t bytes;
static int in, out;
static mqd_t mq_in, mq_out;
/* 0: empty. 1: full. 2: empty, and somebody sleeps or is about to. As in Drepper, "Futexes are tricky": without the third,
   whoever fills a slot enters the kernel to wake somebody who does not sleep, each time that he was preempted instead. */
static struct slot { _Atomic int full; char data[1 << 16]; } *slots;
static int mine;

/* The instruction itself, as forklore issues it; see lab.c. */
static void kernel_futex(_Atomic int *word, int what, long value)
{
#if defined(__x86_64__)
    long result;
    register long timeout __asm__("r10") = 0;
    __asm__ volatile("syscall" : "=a"(result) : "a"(SYS_futex), "D"(word), "S"(what), "d"(value), "r"(timeout)
                     : "rcx", "r11", "memory");
#else
    syscall(SYS_futex, word, what, value, NULL);
#endif
}

static void need(int good, const char *what) { if (!good) { perror(what); exit(3); } }

static void put_bytes(void)
{
    for (size_t at = 0; at < bytes;) {
        ssize_t n = write(out, message + at, bytes - at);
        need(n > 0, "write");
        at += (size_t)n;
    }
}

static void get_bytes(void)
{
    for (size_t at = 0; at < bytes;) {
        ssize_t n = read(in, message + at, bytes - at);
        if (n == 0) exit(0);
        need(n > 0, "read");
        at += (size_t)n;
    }
}

static void put_mq(void) { need(mq_send(mq_out, message, bytes, 0) == 0, "mq_send"); }
static void get_mq(void) { need(mq_receive(mq_in, message, bytes, NULL) == (ssize_t)bytes, "mq_receive"); }

static void put_shm(void)
{
    struct slot *s = slots + !mine;
    memcpy(s->data, message, bytes);
    if (atomic_exchange(&s->full, 1) == 2) kernel_futex(&s->full, FUTEX_WAKE, 1);
}

static void get_shm(void)
{
    struct slot *s = slots + mine;
    for (int empty = 0; atomic_load(&s->full) != 1; empty = 0)
        if (atomic_compare_exchange_strong(&s->full, &empty, 2) || empty == 2) kernel_futex(&s->full, FUTEX_WAIT, 2);
    memcpy(message, s->data, bytes);
    atomic_store(&s->full, 0);
}

static void (*put)(void) = put_bytes, (*get)(void) = get_bytes;

static mqd_t queue(const char *tag)
{
    char name[64];
    struct mq_attr attr = { .mq_maxmsg = 10, .mq_msgsize = (long)bytes };
    snprintf(name, sizeof name, "/ipc-reference-%d-%s", getpid(), tag);
    mqd_t q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
    need(q != (mqd_t)-1, "mq_open");
    mq_unlink(name);
    return q;
}

int main(int argc, char **argv)
{
    if (argc != 5) return 2;
    const char *way = argv[1];
    bytes = strtoul(argv[2], NULL, 10);
    long trips = strtol(argv[3], NULL, 10);
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(strtol(argv[4], NULL, 10), &set);
    need(sched_setaffinity(0, sizeof set, &set) == 0, "sched_setaffinity");
    int a[2], b[2], theirs_in, theirs_out;
    mqd_t there = 0, back = 0;
    if (!strcmp(way, "pipe")) {
        need(pipe(a) == 0 && pipe(b) == 0, "pipe");
        out = a[1], in = b[0], theirs_in = a[0], theirs_out = b[1];
    } else if (!strcmp(way, "socket")) {
        need(socketpair(AF_UNIX, SOCK_STREAM, 0, a) == 0, "socketpair");
        in = out = a[0], theirs_in = theirs_out = a[1];
    } else if (!strcmp(way, "tcp")) {
        struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof at;
        int listens = socket(AF_INET, SOCK_STREAM, 0), one = 1;
        need(bind(listens, (void *)&at, size) == 0 && listen(listens, 1) == 0, "bind");
        getsockname(listens, (void *)&at, &size);
        in = out = socket(AF_INET, SOCK_STREAM, 0);
        need(connect(in, (void *)&at, size) == 0, "connect");
        theirs_in = theirs_out = accept(listens, NULL, NULL);
        setsockopt(in, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        setsockopt(theirs_in, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        close(listens);
    } else if (!strcmp(way, "mqueue")) {
        there = queue("there"), back = queue("back");
        mq_out = there, mq_in = back, put = put_mq, get = get_mq;
        theirs_in = theirs_out = in = out = -1;
    } else if (!strcmp(way, "shm")) {
        slots = mmap(NULL, 2 * sizeof *slots, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        need(slots != MAP_FAILED, "mmap");
        put = put_shm, get = get_shm;
        theirs_in = theirs_out = in = out = -1;
    } else
        return 2;
    pid_t child = fork();
    need(child >= 0, "fork");
    if (child == 0) {
        if (out != in) close(out);
        if (in >= 0) close(in);
        in = theirs_in, out = theirs_out, mq_in = there, mq_out = back, mine = 1;
        for (long i = 0; i < trips + 100; i++) get(), put();
        _exit(0);
    }
    struct timespec from, to;
    for (long i = -100; i < trips; i++) {
        if (i == 0) clock_gettime(CLOCK_MONOTONIC, &from);
        put(), get();
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    waitpid(child, NULL, 0);
    printf("%.1f\n", ((to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec)) / trips / 2);
    return 0;
}
"""


def ours(size, cpu):
    """Latency in ns of each way. The demo takes the last of the CPUs that it may use."""
    argv = ["taskset", "-c", str(cpu), FORKLORE, "run", "ipc", "as=processes", "place=same-core", f"size={size}",
            "rounds=20", "--json"]
    lines = subprocess.run(argv, stdout=subprocess.PIPE, check=True, timeout=300).stdout.splitlines()
    values = json.loads(lines[-1])["values"]
    assert values["cpus"] == [cpu, cpu], values["cpus"]
    return {way: values[way]["latency_ns"] for way in WAYS if values[way]}


def compiled(folder):
    source, program = os.path.join(folder, "reference.c"), os.path.join(folder, "reference")
    with open(source, "w", encoding="ascii") as file:
        file.write(REFERENCE)
    compiler = next((cc for cc in ("cc", "gcc", "clang") if shutil.which(cc)), None)
    if compiler is None:
        return None
    subprocess.run([compiler, "-O2", "-Wall", "-Wextra", source, "-o", program, "-lrt"], check=True)
    return program


def reference(program, way, size, cpu):
    argv = [program, way, str(size), "40000", str(cpu)]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=300, check=False)
    return float(done.stdout) if done.returncode == 0 else None


def perf(cpu):
    """Half a round trip in ns; none without perf. It reports a whole one in microseconds."""
    if not shutil.which("perf"):
        return None
    argv = ["taskset", "-c", str(cpu), "perf", "bench", "sched", "pipe", "-l", "40000"]
    text = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False).stdout
    found = re.search(r"([0-9.]+) usecs/op", text)
    return float(found.group(1)) * 1000 / 2 if found else None


def say(name, pairs):
    values = [a / b for a, b in pairs]
    middle, low, high = interval(values)
    verdict = "met" if GOAL[0] <= low and high <= GOAL[1] else "MISSED" if high < GOAL[0] or low > GOAL[1] else "inconclusive"
    a, b = (interval([pair[n] for pair in pairs])[0] for n in (0, 1))
    print(f"  {name:<38} {middle:.3f}  [{low:.3f}, {high:.3f}]  n={len(pairs):<3} goal {GOAL[0]:.2f} to {GOAL[1]:.2f}: "
          f"{verdict:<13} {a:,.0f} ns / {b:,.0f} ns", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--cpu", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--no-build", action="store_true")
    args = parser.parse_args()
    if not args.no_build and "FORKLORE" not in os.environ:
        subprocess.run(["cargo", "build", "--release"], cwd=ROOT, check=True)
    pairs, absent = collections.defaultdict(list), []
    with tempfile.TemporaryDirectory(prefix="ipc-") as folder:
        program = compiled(folder)
        if program is None:
            print("no C compiler: compared with perf alone")
        if perf(args.cpu) is None:
            absent.append("perf bench sched pipe")
        for turn in range(args.rounds):
            mine = ours(args.size, args.cpu)
            theirs = {("pipe", "perf bench sched pipe"): perf(args.cpu) if args.size <= SIZE else None}
            for way in WAYS if program else ():
                theirs[(way, "C program")] = reference(program, way, args.size, args.cpu)
            for (way, tool), found in theirs.items():
                if found and way in mine:
                    pairs[f"{way} / {tool}"].append((mine[way], found))
            print(f"\rround {turn + 1} of {args.rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(f"half a round trip, {args.size} bytes, both on CPU {args.cpu}, load {os.getloadavg()[0]:.2f}; ours / the other")
    for tool in absent:
        print(f"  {tool}: not here (apt-get install linux-perf)")
    for name, found in pairs.items():
        say(name, found)


if __name__ == "__main__":
    main()
