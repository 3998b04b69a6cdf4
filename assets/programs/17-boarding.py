"""Everybody boards: a barrier, three rounds.

    python3 17-boarding.py
    python3 17-boarding.py late     one stays away: the others wait, and after a second the barrier breaks

pthread_barrier_wait(3p) has no such way out: there they would wait for ever."""

import sys
import threading
import time

WORKERS, ROUNDS = 4, 3
barrier = threading.Barrier(WORKERS)
late = "late" in sys.argv[1:]


def passenger(number):
    for turn in range(ROUNDS):
        if late and turn == 1 and number == 0:
            return
        time.sleep(0.1 * ((number + turn) % WORKERS + 1))
        begun = time.monotonic()
        try:
            barrier.wait(timeout=1)
        except threading.BrokenBarrierError:
            print(f"{number}: round {turn + 1}: somebody did not come, the barrier is broken\n", end="")
            return
        print(f"{number}: round {turn + 1}: waited {1000 * (time.monotonic() - begun):.0f} ms\n", end="")


threads = [threading.Thread(target=passenger, args=(number,)) for number in range(WORKERS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
