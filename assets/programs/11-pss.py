#!/usr/bin/env python3
"""Forks some children that wait, and adds up RSS and Pss of all: which of the two is how much RAM they use?

    python3 11-pss.py          8 children
    python3 11-pss.py 30       30 children
"""
import os
import signal
import sys


def kib(pid, name):
    """A field of /proc/PID/smaps_rollup, in KiB."""
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        for line in rollup:
            if line.startswith(name + ":"):
                return int(line.split()[1])
    return 0


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    data = bytearray(20 << 20)  # 20 MiB, filled before the fork: shared until somebody writes
    for page in range(0, len(data), 4096):
        data[page] = 1
    children = []
    try:
        for n in range(count + 1):
            tree = [os.getpid(), *children]
            rss = sum(kib(pid, "Rss") for pid in tree)
            pss = sum(kib(pid, "Pss") for pid in tree)
            print(f"{n:3} children: RSS added up {rss:8} KiB, Pss {pss:8} KiB")
            if n < count:
                child = os.fork()
                if child == 0:
                    signal.pause()
                    os._exit(0)
                children.append(child)
    finally:
        for child in children:
            os.kill(child, signal.SIGTERM)
            os.waitpid(child, 0)


if __name__ == "__main__":
    main()
