"""A process in each state that ps can show without special rights: R, S, T and Z.

    python3 06-zombie.py

It makes four children, asks the kernel for their letters (the third field of /proc/PID/stat), and ends them.
"""
import os
import signal
import time


def child(part):
    pid = os.fork()
    if pid == 0:
        part()
        os._exit(0)
    return pid


def compute():
    end = time.monotonic() + 10  # it is ended long before
    while time.monotonic() < end:
        pass


def letter(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0]  # the name before it may hold spaces


children = {
    "computes": child(compute),
    "sleeps": child(lambda: time.sleep(10)),
    "is stopped": child(lambda: time.sleep(10)),
    "has ended, and nobody asked how": child(lambda: None),
}
expected = dict(zip(children, "RSTZ"))
os.kill(children["is stopped"], signal.SIGSTOP)

deadline = time.monotonic() + 5
while {name: letter(pid) for name, pid in children.items()} != expected and time.monotonic() < deadline:
    time.sleep(0.01)
for name, pid in children.items():
    print(f"{pid:>8}  {letter(pid)}  {name}")

for pid in children.values():
    os.kill(pid, signal.SIGKILL)  # ends a stopped one too; on a zombie it does nothing
    os.waitpid(pid, 0)  # and now the zombie is gone
