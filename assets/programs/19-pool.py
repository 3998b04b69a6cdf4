"""A pool and its futures, with concurrent.futures.

    python3 19-pool.py             processes
    python3 19-pool.py threads     threads
    python3 19-pool.py threads 2   two of them
"""
import sys
from concurrent.futures import (
    CancelledError,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    TimeoutError,
    as_completed,
)
from time import perf_counter

NUMBERS = [
    112272535095293,
    112582705942171,
    112272535095293,
    115280095190773,
    115797848077099,
    1099726899285419,  # 3306091 x 332636609
]


def is_prime(n):
    if n < 2:
        raise ValueError(f"{n} is neither prime nor composite")
    if n % 2 == 0:
        return n == 2
    divisor = 3
    while divisor * divisor <= n:
        if n % divisor == 0:
            return False
        divisor += 2
    return True


def in_both_orders(pool):
    start = perf_counter()
    print("map: in the order of the questions")
    for n, prime in zip(NUMBERS, pool.map(is_prime, NUMBERS)):
        print(f"  {n} {prime}   after {perf_counter() - start:.2f} s")
    print("as_completed: as they come")
    futures = {pool.submit(is_prime, n): n for n in NUMBERS}
    for future in as_completed(futures):
        print(f"  {futures[future]} {future.result()}")


def with_one_worker(kind):
    with kind(max_workers=1) as pool:
        start = perf_counter()
        futures = [pool.submit(is_prime, n) for n in [*NUMBERS, 1]]
        print(f"submitted after {perf_counter() - start:.4f} s")
        while not futures[0].running() and not futures[0].done():
            pass
        print("cancel, running:", futures[0].cancel())
        # A pool of processes hands one more over than it has workers: the last is surely queued.
        print("cancel, queued: ", futures[5].cancel(), futures[5].cancelled(), futures[5].done())
        try:
            futures[0].result(timeout=0.01)
        except TimeoutError:
            print("result(timeout=0.01): TimeoutError; the task goes on:", futures[0].running())
        futures[0].add_done_callback(lambda future: print("called back:", future.result()))
        for what, future in [("cancelled", futures[5]), ("failed", futures[6])]:
            try:
                future.result()
            except (CancelledError, ValueError) as error:
                print(f"{what}: {type(error).__name__} {error}")
    print("after the block, all done:", all(future.done() for future in futures))


def main():
    kind = ThreadPoolExecutor if "threads" in sys.argv else ProcessPoolExecutor
    workers = next((int(word) for word in sys.argv[1:] if word.isdigit()), 4)
    with kind(max_workers=workers) as pool:
        in_both_orders(pool)
    with_one_worker(kind)


if __name__ == "__main__":
    main()
