#!/usr/bin/env python3
"""The lab's figures against the same things in a few lines of C, and against `perf bench sched pipe`, in turn, in one run.

    python3 benches/lab.py                all of them (some two minutes)
    python3 benches/lab.py thread fork    those named; --list tells the names; --rounds N, --no-build
    FORKLORE=FILE python3 ...             of another build

Each round measures with forklore, then with the reference, and the other way about in every other round; the ratio is the
round's own. Printed are the medians of the ratios with their bootstrap 95 % intervals. The goal is 0.9 to 1.1: met or missed
when the whole interval says so, and otherwise inconclusive. All is pinned to one core, as forklore does it. A fork costs what the parent has, and forklore has
more than a page of C: "fork-like" is a C program that has mapped as much at the same places. Nothing but
Python's standard library, Linux, cargo and a C compiler; `perf` and `taskset` where they are found.
"""

import argparse, contextlib, json, os, random, re, shutil, signal, statistics, subprocess, sys, tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
FORKLORE = os.environ.get("FORKLORE") or os.path.join(TARGET, "release", "forklore")
GOAL = (0.9, 1.1)
BATCHES = 10
PAGE = os.sysconf("SC_PAGE_SIZE")

# A program that only ends, as small as the one that forklore makes.
TINY = """
__attribute__((noreturn)) void _start(void) {
#if defined(__x86_64__)
    __asm__ volatile("xor %%edi, %%edi; mov $60, %%eax; syscall" ::: "memory");
#elif defined(__aarch64__)
    __asm__ volatile("mov x0, 0; mov x8, 93; svc 0" ::: "memory");
#endif
    __builtin_unreachable();
}
"""

# name: the demo, its parameters, the row of its figures, and how often the reference does it in a batch
FIGURES = {
    "thread": ("create", ["resident_mib=0"], "thread, 0 MiB", 150),
    "fork": ("create", ["resident_mib=0"], "fork, 0 MiB", 30),
    "fork-like": ("create", ["resident_mib=0"], "fork, 0 MiB", 30),
    "spawn": ("create", ["resident_mib=0"], "tiny program, 0 MiB", 30),
    "futex-threads": ("switch", ["working_set_kib=0"], "thread, futex, 0 KiB", 800),
    "futex-processes": ("switch", ["working_set_kib=0"], "process, futex, 0 KiB", 800),
    "pipe-threads": ("switch", ["working_set_kib=0"], "thread, pipe, 0 KiB", 800),
    "pipe-processes": ("switch", ["working_set_kib=0"], "process, pipe, 0 KiB", 800),
    "syscall": ("ladder", [], "system call", 20_000),
    "perf-pipe": ("switch", ["working_set_kib=0"], "process, pipe, 0 KiB", 5_000),
    "perf-pipe-threads": ("switch", ["working_set_kib=0"], "thread, pipe, 0 KiB", 5_000),
}


def interval(values, times=2000):
    """The median and its bootstrap 95 % interval."""
    draw = random.Random(1)
    medians = sorted(statistics.median(draw.choices(values, k=len(values))) for _ in range(times))
    return statistics.median(values), medians[int(times * 0.025)], medians[int(times * 0.975)]


def mappings(pid):
    """What a process has mapped, a line each: address, bytes, and pages that it has for itself. A fork copies that. What
    every program in C has as well is left out."""
    common = ("/libc.so", "/libc-", "/ld-", "[stack]", "[heap]", "[v")
    found = []
    with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps") as file:
        for line in file:
            if place := re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line):
                start, end = (int(n, 16) for n in place.groups())
                found.append([start, end - start, 0, any(part in line for part in common)])
            elif line.startswith("Anonymous:") and found:
                found[-1][2] = int(line.split()[1]) * 1024 // PAGE
    return "".join(f"{start:x} {size:x} {pages}\n" for start, size, pages, left_out in found if not left_out)


class Lab:
    def __init__(self, scratch):
        self.cpu = max(os.sched_getaffinity(0))
        self.parent = ""
        self.reference = os.path.join(scratch, "lab")
        self.tiny = os.path.join(scratch, "tiny")
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            raise SystemExit("there is no C compiler here, and so no reference")
        run = lambda *argv, **more: subprocess.run([compiler, *argv], check=True, **more)
        run("-O2", "-pthread", "-o", self.reference, os.path.join(ROOT, "benches", "lab.c"))
        run("-O2", "-nostdlib", "-static", "-x", "c", "-o", self.tiny, "-", input=TINY.encode())
        subprocess.run([self.tiny], check=True)

    def forklore(self, demo, params):
        """The figures of one short run: its rows by name, in nanoseconds."""
        argv = [FORKLORE, "run", demo, f"rounds={BATCHES}", *params, "--json"]
        rows, process = {}, subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        for line in process.stdout:
            fact = json.loads(line)
            if fact["kind"] == "task" and fact.get("slot") == 0:
                worker = fact["pid"]
            elif fact["kind"] == "row" and fact["table"] == "figures" and fact["values"].get("ns") is not None:
                rows[fact["row"]] = fact["values"]["ns"]
                self.parent = self.parent or mappings(worker)
            elif fact["kind"] == "step" and fact["name"] == "settled":
                process.send_signal(signal.SIGINT)
                break
        process.stdout.read()
        process.wait()
        return rows

    def in_c(self, name, times):
        if name.startswith("perf"):
            return self.perf(times, threads=name.endswith("threads"))
        argv = [self.reference, name, str(times), str(self.cpu), self.tiny]
        run = lambda: subprocess.run(argv, input=self.parent, capture_output=True, text=True, check=True).stdout
        return statistics.median(float(run()) for _ in range(BATCHES))

    def perf(self, times, threads):
        """Half of what perf calls an operation, which is a round trip."""
        perf, taskset = shutil.which("perf"), shutil.which("taskset")
        if not (perf and taskset):
            return None
        argv = [taskset, "-c", str(self.cpu), perf, "bench", "sched", "pipe", "-l", str(times), *(["-T"] if threads else [])]
        found = []
        for _ in range(3):
            done = subprocess.run(argv, capture_output=True, text=True)
            found += [float(n) * 1000 / 2 for n in re.findall(r"([\d.]+) usecs/op", done.stdout)]
        return statistics.median(found) if found else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("figures", nargs="*", metavar="FIGURE")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--no-build", action="store_true")
    args = parser.parse_args()
    if args.list:
        return print("\n".join(FIGURES))
    names = args.figures or list(FIGURES)
    if unknown := [name for name in names if name not in FIGURES]:
        raise SystemExit(f"there is no figure {', '.join(unknown)}; --list tells which there are")
    if not args.no_build and "FORKLORE" not in os.environ:
        subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory(prefix="lab-") as scratch:
        measure(Lab(scratch), names, args.rounds)


def measure(lab, names, rounds):
    runs = {}
    for name in names:
        demo, params, *_ = FIGURES[name]
        runs.setdefault((demo, tuple(params)), []).append(name)
    found = {name: [] for name in names}
    for n in range(rounds):
        for (demo, params), those in runs.items():
            reference = lambda: {name: lab.in_c(name, FIGURES[name][3]) for name in those}
            theirs = reference() if n % 2 else None
            ours = lab.forklore(demo, params)
            theirs = theirs or reference()
            for name in those:
                pair = ours.get(FIGURES[name][2]), theirs[name]
                if all(pair):
                    found[name].append(pair)
        print(f"round {n + 1} of {rounds}", end="\r", file=sys.stderr, flush=True)
    load = os.getloadavg()[0]
    lines = lab.parent.splitlines()
    print(f"CPU {lab.cpu}, load {load:.2f}; the parent that forks has {len(lines)} mappings and "
          f"{sum(int(line.split()[2]) for line in lines)} pages of its own beyond those of C")
    for name, pairs in found.items():
        if not pairs:
            print(f"  {name:<18} not measured: it is not to be had here")
            continue
        middle, low, high = interval([ours / theirs for ours, theirs in pairs])
        verdict = "met" if low >= GOAL[0] and high <= GOAL[1] else "MISSED" if low > GOAL[1] or high < GOAL[0] else "inconclusive"
        ours, theirs = (statistics.median(values) for values in zip(*pairs))
        print(f"  {name:<18} {middle:.3f}  [{low:.3f}, {high:.3f}]  n={len(pairs)}  forklore {ours:,.0f} ns, "
              f"reference {theirs:,.0f} ns  {verdict}")


if __name__ == "__main__":
    main()
