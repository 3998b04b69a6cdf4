"""A script is not mapped: the interpreter is, and the script is read, as any data is.

    python3 02-maps.py
"""
import os
import sys

files = {}  # file: bytes of address space that it is mapped to
with open("/proc/self/maps") as maps:
    for line in maps:
        addresses, perms, _, _, _, *path = line.split(maxsplit=5)
        start, end = (int(address, 16) for address in addresses.split("-"))
        name = path[0].strip() if path else "(no file)"
        files[name] = files.get(name, 0) + end - start

for name, size in sorted(files.items(), key=lambda item: -item[1])[:12]:
    print(f"{size // 1024:>9,} KiB  {name}")

script = os.path.realpath(sys.argv[0])
interpreter = os.path.realpath("/proc/self/exe")
print("the interpreter is mapped:", interpreter in files)
print("the script is mapped:     ", script in files)
