"""A thread, other work meanwhile, and what join does to the clock.

    python3 19-join.py          waits for the thread, then reads the clock
    python3 19-join.py nojoin   reads the clock at once
    python3 19-join.py cpu      the thread computes instead of sleeping
"""
import sys
from threading import Thread
from time import perf_counter, sleep


def task():
    if "cpu" in sys.argv:
        total = 0
        for n in range(20_000_000):
            total += n
    else:
        sleep(2)
    print("task: done")


start = perf_counter()  # only goes forward, unlike the time of day
thread = Thread(target=task)
thread.start()
print(f"main: doing other work, after {perf_counter() - start:.3f} s")
if "nojoin" not in sys.argv:
    thread.join()
print(f"main: {perf_counter() - start:.2f} seconds")
# Without join the interpreter still waits for the thread before it ends.
