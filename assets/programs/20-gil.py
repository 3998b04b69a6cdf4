"""One amount of work after the other, in threads, in processes: how long, and how many cores' worth of time?

    python3 20-gil.py [WORKERS [MILLISECONDS [WAY...]]]

The work is a loop in plain Python, except for "hash": that is sha256 over big buffers, in C, which gives the interpreter
lock back while it computes. Each line that is printed is an object of JSON.
"""
import hashlib
import json
import os
import resource
import sys
import threading
import time

WORKERS = int(sys.argv[1]) if len(sys.argv) > 1 else 2
MILLISECONDS = int(sys.argv[2]) if len(sys.argv) > 2 else 400
WAYS = sys.argv[3:] or ["serial", "threads", "processes", "hash"]
CHUNK = 0.0002
BUFFER = bytes(1 << 20)


def say(**facts):
    os.write(1, (json.dumps(facts) + "\n").encode())


def here(name):
    """Who runs, for whoever looks from outside."""
    pid, _, tid = os.readlink("/proc/thread-self").split("/")
    say(task=name, pid=int(pid), tid=int(tid))


def count(steps):
    total = 0
    for i in range(steps):
        total += i & 3
    return total


def digest(times):
    for _ in range(times):
        hashlib.sha256(BUFFER).digest()


def steps_for(work, seconds):
    """How many steps of this work take so many seconds of a core."""
    steps = 1
    while True:
        begun = time.process_time()
        work(steps)
        took = time.process_time() - begun
        if took > 0.02:
            return max(1, round(steps * seconds / took))
        steps *= 2


def cpu():
    of = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in of)


def not_idle():
    """Seconds that anybody had of the cores that this may use, in steps of a tick (proc_stat(5)); None if nobody knows."""
    try:
        mine = {"cpu%d" % cpu for cpu in os.sched_getaffinity(0)}
        with open("/proc/stat") as stat:
            lines = [line.split() for line in stat]
        # user, nice, system, irq, softirq, and what a hypervisor took.
        ticks = [int(line[at]) for line in lines if line and line[0] in mine for at in (1, 2, 3, 6, 7, 8)]
        return sum(ticks) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None


# Who ran last, and when that changed. Only who runs writes here: with the lock, that is who has it.
last, changes = [None], []


def chunks(name, work, number, steps):
    for _ in range(number):
        work(steps)
        if last[0] != name:
            last[0] = name
            changes.append(time.perf_counter())


def measured(way, run):
    begun, before, all_before = time.perf_counter(), cpu(), not_idle()
    run()
    seconds, used, all_after = time.perf_counter() - begun, cpu() - before, not_idle()
    measure = {"way": way, "seconds": round(seconds, 6), "cpu": round(used, 6)}
    if all_before is not None and all_after is not None:
        # Cores' worth of time that others had: if it is much, the rest says little.
        measure["others"] = round(max(0.0, (all_after - all_before - used) / seconds), 3)
    return measure


def serial(way, part):
    here("M")
    say(begins=way)
    return measured(way, lambda: [part("M") for _ in range(WORKERS)])


def in_threads(way, part, names):
    ready, go = threading.Barrier(WORKERS + 1), threading.Event()

    def body(name):
        here(name)
        ready.wait()
        go.wait()
        part(name)

    threads = [threading.Thread(target=body, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    ready.wait()
    say(begins=way)
    del changes[:]

    def run():
        go.set()
        for thread in threads:
            thread.join()

    return measured(way, run)


def in_processes(way, part, names):
    ready, go = os.pipe(), os.pipe()
    children = []
    for name in names:
        child = os.fork()
        if child == 0:
            here(name)
            os.write(ready[1], b".")
            os.read(go[0], 1)
            part(name)
            os._exit(0)
        children.append(child)
    for _ in children:
        os.read(ready[0], 1)
    say(begins=way)

    codes = []

    def run():
        os.write(go[1], b"." * WORKERS)
        codes.extend(os.waitpid(child, 0)[1] >> 8 for child in children)

    measure = measured(way, run)
    for child, code in zip(children, codes):
        say(ended=child, code=code)
    return measure


def passed():
    """How often the lock went to another thread, and how long one kept it: the median, in nanoseconds."""
    if not getattr(sys, "_is_gil_enabled", lambda: True)() or len(changes) < 4:
        return {}
    # The first and the last are cut short by the beginning and the end.
    kept = sorted(b - a for a, b in zip(changes[1:-1], changes[2:]))
    return {"passed": len(changes) - 1, "kept_ns": round(kept[len(kept) // 2] * 1e9)}


letters = iter("ABCDEFGHIJKLNOPQRSTUVWXYZ")
names = lambda: [next(letters) for _ in range(WORKERS)]
steps = steps_for(count, CHUNK)
number = max(1, round(MILLISECONDS / 1000 / CHUNK))
part = lambda name: chunks(name, count, number, steps)

if "serial" in WAYS:
    say(**serial("serial", part))
# Before the first thread: a fork copies one thread only.
if "processes" in WAYS:
    say(**in_processes("processes", part, names()))
if "threads" in WAYS:
    measure = in_threads("threads", part, names())
    say(**dict(measure, **passed()))
if "hash" in WAYS:
    times = steps_for(digest, MILLISECONDS / 1000)
    hashing = lambda name: digest(times)
    say(**serial("hash serial", hashing))
    say(**in_threads("hash threads", hashing, names()))
say(done=True)
