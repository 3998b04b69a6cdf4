"""A main module that starts a pool, and has no guard: nothing here asks whether __name__ is "__main__".

    python3 21-no-guard.py fork|spawn|forkserver

Each line on standard output is an object of JSON.
"""
import concurrent.futures
import concurrent.futures.process
import json
import multiprocessing
import os
import sys


def say(**facts):
    os.write(1, (json.dumps(facts) + "\n").encode())


say(runs=__name__, pid=os.getpid(), parent=os.getppid(), default=multiprocessing.get_start_method())

multiprocessing.set_start_method(sys.argv[1] if len(sys.argv) > 1 else "spawn", force=True)
pool = concurrent.futures.ProcessPoolExecutor(1)
try:
    say(came=pool.submit(pow, 2, 10).result())
    for worker in multiprocessing.active_children():
        say(worker=worker.name, pid=worker.pid, parent=os.getpid())
except concurrent.futures.process.BrokenProcessPool as error:
    say(error=type(error).__name__, words=str(error))
pool.shutdown()
say(done=True)
