"""Threads add to one counter, in three ways, each without and with a lock. What is in the counter afterwards?

    python3 20-pyrace.py [THREADS [ADDS]]

Each line that is printed is an object of JSON. A thread stops adding after two seconds.
"""
import dis
import json
import os
import sys
import threading
import time

THREADS = int(sys.argv[1]) if len(sys.argv) > 1 else 2
ADDS = int(sys.argv[2]) if len(sys.argv) > 2 else 300_000
PATIENCE = 2.0
# Between two looks at the clock.
PART = 1000

c = 0
lock = threading.Lock()


def say(**facts):
    os.write(1, (json.dumps(facts) + "\n").encode())


def here(name):
    pid, _, tid = os.readlink("/proc/thread-self").split("/")
    say(task=name, pid=int(pid), tid=int(tid))


def plain(times):
    global c
    for _ in range(times):
        c += 1


def plain_locked(times):
    global c
    for _ in range(times):
        with lock:
            c += 1


def call(times):
    global c
    for _ in range(times):
        mine = c
        mine = int(mine)
        c = mine + 1


def call_locked(times):
    global c
    for _ in range(times):
        with lock:
            mine = c
            mine = int(mine)
            c = mine + 1


def sleep(times):
    global c
    for _ in range(times):
        mine = c
        time.sleep(0)
        c = mine + 1


def sleep_locked(times):
    global c
    for _ in range(times):
        with lock:
            mine = c
            time.sleep(0)
            c = mine + 1


def race(way, locked, add, adds, names):
    global c
    c = 0
    done = [0] * THREADS
    ready = threading.Barrier(THREADS + 1)

    def body(number):
        here(names[number])
        ready.wait()
        until = time.perf_counter() + PATIENCE
        while done[number] < adds and time.perf_counter() < until:
            part = min(PART, adds - done[number])
            add(part)
            done[number] += part

    threads = [threading.Thread(target=body, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    say(begins=way, locked=locked)
    ready.wait()
    for thread in threads:
        thread.join()
    say(way=way, locked=locked, expected=sum(done), found=c)


def code(*lines):
    """What the interpreter made of these lines: the instructions that it executes."""
    made = {}
    exec("def add():\n    global c\n    " + "\n    ".join(lines), made)
    names = [(i.opname + " " + i.argrepr).strip() for i in dis.get_instructions(made["add"])]
    # What every function begins and ends with.
    last = next(n for n in reversed(range(len(names))) if names[n].startswith("STORE_GLOBAL"))
    return [name for name in names[:last + 1] if name != "RESUME"]


say(way="plain", code=code("c += 1"))
say(way="call", code=code("mine = c", "mine = int(mine)", "c = mine + 1"))
say(way="sleep", code=code("mine = c", "time.sleep(0)", "c = mine + 1"))
ways = [
    ("plain", plain, plain_locked, ADDS),
    ("call", call, call_locked, ADDS),
    ("sleep", sleep, sleep_locked, ADDS // 100 + 1),
]
for way, free, locked, adds in ways:
    race(way, False, free, adds, "ABCDEFGH")
    race(way, True, locked, adds, "ABCDEFGH")
say(done=True)
