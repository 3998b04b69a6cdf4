"""Two locks in opposite order: after two seconds every thread says in which line it waits, then the program is over.

    python3 18-deadlock.py          it hangs, and says where
    python3 18-deadlock.py timeout  who cannot have the second lock within a moment gives the first back
"""

import faulthandler
import random
import sys
import threading

one, two = threading.Lock(), threading.Lock()
both_have_one = threading.Barrier(2)


def hang(name, first, second):
    with first:
        both_have_one.wait()  # the bad luck, arranged
        with second:
            print(name, "has both")


def with_timeout(name, first, second):
    gave_back = 0
    while True:
        with first:
            if gave_back == 0:
                both_have_one.wait()
            # For a time of its own: with the same one for both, both could give back again and again.
            if second.acquire(timeout=random.uniform(0.01, 0.2)):
                print(name, "has both; gave back", gave_back, "times")
                second.release()
                return
        gave_back += 1


part = with_timeout if sys.argv[1:] == ["timeout"] else hang
if part is hang:
    faulthandler.dump_traceback_later(2, exit=True)
threads = [threading.Thread(target=part, args=args) for args in [("A", one, two), ("B", two, one)]]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
