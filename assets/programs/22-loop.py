"""A clock that ticks every 50 ms, and 0.8 s of work, in one event loop of asyncio.

    python3 22-loop.py           the work is done in one piece: the clock stands still
    python3 22-loop.py yield     it lets the loop on after every millisecond: await asyncio.sleep(0)
    python3 22-loop.py thread    it is done on another thread: await asyncio.to_thread(...)
"""
import asyncio
import sys
import time

TICK, WORK = 0.05, 0.8


def compute(seconds):
    end, x = time.thread_time() + seconds, 1
    while time.thread_time() < end:
        x = x * 6364136223846793005 % 2**64
    return x


async def clock(gaps):
    last = time.monotonic()
    while True:
        await asyncio.sleep(TICK)
        now = time.monotonic()
        gaps.append(now - last)
        print("." if now - last < 2 * TICK else f"[{(now - last) * 1000:.0f} ms]", end="", flush=True)
        last = now


async def main(how):
    gaps = []
    ticks = asyncio.create_task(clock(gaps))
    await asyncio.sleep(6 * TICK)
    if how == "thread":
        await asyncio.to_thread(compute, WORK)
    elif how == "yield":
        for _ in range(round(WORK / 0.001)):
            compute(0.001)
            await asyncio.sleep(0)
    else:
        compute(WORK)
    await asyncio.sleep(6 * TICK)
    ticks.cancel()
    print(f"\n{len(gaps)} ticks, longest gap {max(gaps) * 1000:.0f} ms")


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "block"))
