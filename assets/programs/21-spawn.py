"""Starts processes in one of Python's ways. Each says who its parent is, how long its start took and what it finds.
Then a thread, which says in which process it is.

    python3 21-spawn.py fork|spawn|forkserver [CHILDREN]
    python3 21-spawn.py fork CHILDREN lambda   and then sends a lambda to a pool

Each line that is printed is an object of JSON.
"""
import concurrent.futures
import json
import multiprocessing
import os
import sys
import threading
import time

STAYS = 0.3
word = "as written"


def say(**facts):
    os.write(1, (json.dumps(facts) + "\n").encode())


def child(letter, started):
    took = time.monotonic() - started
    me = dict(pid=os.getpid(), parent=os.getppid())
    say(task=letter, tid=os.getpid(), **me)
    say(child=letter, took=round(took, 6), sees=word, **me)
    time.sleep(STAYS)


def beside():
    say(thread=threading.current_thread().name, pid=os.getpid())


# The top of the file: whoever runs it comes by here.
say(runs=__name__, pid=os.getpid())

if __name__ == "__main__":
    method = sys.argv[1] if len(sys.argv) > 1 else "spawn"
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    say(default=multiprocessing.get_start_method())
    context = multiprocessing.get_context(method)
    word = "changed later"
    children = []
    for letter in "ABCDEFGH"[:number]:
        children.append(context.Process(target=child, args=(letter, time.monotonic())))
        children[-1].start()
    for one in children:
        one.join()
        say(ended=one.pid, code=one.exitcode)
    # Not before the last fork: it copies one thread only.
    thread = threading.Thread(target=beside)
    thread.start()
    thread.join()
    if sys.argv[3:] == ["lambda"]:
        # What goes to a worker of a pool, and comes back, goes through a pipe.
        pool = concurrent.futures.ProcessPoolExecutor(1, **({} if sys.version_info < (3, 7) else {"mp_context": context}))
        try:
            say(function="lambda", came=pool.submit(lambda: 1).result(timeout=10))
        except Exception as error:
            say(function="lambda", error=type(error).__name__, words=str(error))
        # Before 3.7 the pool waits for ever for what it could not send.
        pool.shutdown(wait=sys.version_info >= (3, 7))
    say(done=True)
