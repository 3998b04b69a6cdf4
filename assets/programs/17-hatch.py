"""A hatch with four slots, with Python's Condition: one lock, two conditions on it.

    python3 17-hatch.py

wait_for(predicate) is the while loop, written once and for all. queue.Queue is such a hatch, ready made."""

import threading
from collections import deque

SLOTS, COOKS, GUESTS, EACH = 4, 2, 3, 3000
lock = threading.Lock()
not_full, not_empty = threading.Condition(lock), threading.Condition(lock)
hatch, most, taken = deque(), 0, 0
END = object()


def put(dish):
    global most
    with not_full:
        not_full.wait_for(lambda: len(hatch) < SLOTS)
        hatch.append(dish)
        most = max(most, len(hatch))
        not_empty.notify()


def take():
    with not_empty:
        not_empty.wait_for(lambda: hatch)
        dish = hatch.popleft()
        not_full.notify()
        return dish


def cook(name):
    for n in range(EACH):
        put((name, n))


def guest():
    global taken
    while take() is not END:
        with lock:
            taken += 1


cooks = [threading.Thread(target=cook, args=(name,)) for name in range(COOKS)]
guests = [threading.Thread(target=guest) for _ in range(GUESTS)]
for thread in cooks + guests:
    thread.start()
for thread in cooks:
    thread.join()
for _ in guests:
    put(END)
for thread in guests:
    thread.join()
print(f"{COOKS * EACH} dishes made, {taken} taken; at most {most} lay in the hatch")
