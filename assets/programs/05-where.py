"""Says on which CPU it runs, and moves itself to each CPU that it may use.

    python3 05-where.py
    taskset -c 0 python3 05-where.py    # only one CPU is left to it

While it waits, look at it from outside: ps -o pid,psr,comm -p PID
"""
import os
import time


def here():
    """The CPU that this process was on last: field 39 of /proc/self/stat. The name, in brackets, may hold spaces."""
    with open("/proc/self/stat") as stat:
        return int(stat.read().rpartition(")")[2].split()[36])


def mask():
    """What the kernel says of the CPUs that are allowed."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("Cpus_allowed_list:"):
                return line.split()[1]
    return "?"


allowed = sorted(os.sched_getaffinity(0))
print(f"process {os.getpid()} may use {mask()} and is on CPU {here()}", flush=True)
for cpu in allowed[:8]:
    os.sched_setaffinity(0, {cpu})  # asks the kernel; when the call returns, the move is made
    print(f"  told to use CPU {cpu} only: it is on CPU {here()}, the mask says {mask()}", flush=True)
    time.sleep(1)
os.sched_setaffinity(0, allowed)  # and the kernel chooses again
print(f"may use {mask()} again, and is on CPU {here()}")
