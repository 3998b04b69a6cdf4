#!/usr/bin/env python3
"""Two processes count in one file: each reads the number, adds 1, and writes it back.

    python3 15-file.py           without a lock: adds are lost
    python3 15-file.py flock     each takes the file's lock first: none are
    strace -f -e trace=pread64,pwrite64,flock python3 15-file.py
"""
import fcntl
import os
import sys
import tempfile

ADDS = 20_000


def count(path: str, locked: bool) -> None:
    fd = os.open(path, os.O_RDWR)  # each opens it anew: a lock of flock belongs to what was opened, not to the process
    for _ in range(ADDS):
        if locked:
            fcntl.flock(fd, fcntl.LOCK_EX)
        number = int(os.pread(fd, 20, 0))
        os.pwrite(fd, b"%020d" % (number + 1), 0)
        if locked:
            fcntl.flock(fd, fcntl.LOCK_UN)
    os.close(fd)


def main() -> None:
    locked = sys.argv[1:] == ["flock"]
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"%020d" % 0)
        file.flush()
        children = []
        for _ in range(2):
            child = os.fork()
            if child == 0:
                count(file.name, locked)
                os._exit(0)
            children.append(child)
        for child in children:
            os.waitpid(child, 0)
        file.seek(0)
        found = int(file.read())
    print(f"should be {2 * ADDS}, is {found}, lost {2 * ADDS - found}" + (" under flock" if locked else ""))


if __name__ == "__main__":
    main()
