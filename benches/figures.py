#!/usr/bin/env python3
"""The figures of forklore, each a ratio of two things measured in turn, A B A B, in one run.

    python3 benches/figures.py            all of them (some ten minutes)
    python3 benches/figures.py drawing    those named; --list tells the names; --rounds N, --no-build
    FORKLORE=FILE python3 ...             of another build

Medians of the rounds' ratios with their bootstrap 95 % intervals; a goal is met or missed when the whole interval says
so, and otherwise inconclusive. Nothing but Python's standard library, Linux and cargo. Other programs on the machine
widen the intervals; the load is printed with each figure.
"""

import argparse, collections, contextlib, fcntl, json, os, pty, random, re, select, shutil, signal, statistics, struct
import subprocess, sys, tempfile, termios, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
FORKLORE = os.environ.get("FORKLORE") or os.path.join(TARGET, "release", "forklore")
LOOP = os.path.join(TARGET, "release", "examples", "smallest_loop")
ROWS, COLUMNS = 50, 200
FIGURES = {}


def figure(run):
    FIGURES[run.__name__.replace("_", "-")] = run
    return run


# Numbers.

def interval(values, times=2000):
    """The median and its bootstrap 95 % interval."""
    draw = random.Random(1)
    medians = sorted(statistics.median(draw.choices(values, k=len(values))) for _ in range(times))
    return statistics.median(values), medians[int(times * 0.025)], medians[int(times * 0.975)]


def say(name, values, goal=None, at_least=False, show="{:.3f}", note=""):
    """One line: what, the median and interval, rounds, the goal and what became of it."""
    middle, low, high = interval(values)
    verdict = ""
    if goal is not None:
        good, bad = (low >= goal, high < goal) if at_least else (high <= goal, low > goal)
        verdict = f"goal {'>=' if at_least else '<='} {show.format(goal)}: "
        verdict += "met" if good else "MISSED" if bad else "inconclusive"
    shown = [show.format(v) for v in (middle, low, high)]
    line = f"  {name:<58} {shown[0]:>10}  [{shown[1]}, {shown[2]}]  n={len(values):<3} {verdict} {note}"
    print(line.rstrip(), flush=True)


def ratios(pairs):
    return [a / b for a, b in pairs if b]


# Processes.

def cpu_time(pid):
    """CPU seconds of a whole process, threads that have ended included: its own clock, to the nanosecond."""
    return time.clock_gettime((~pid << 3) | 2)


def status(pid, key):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(key + ":"))


def children(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]
    return []


def command(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read().split(b"\0")
    return []


class Terminal:
    """A program on a terminal of 200x50 whose output is read and thrown away, save what is being looked for."""

    def __init__(self, *argv):
        self.bytes, self.seen, self.scratch = 0, b"", tempfile.mkdtemp(prefix="figures-")
        told, tell = os.pipe()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.close(told)
            environment = dict(os.environ, TERM="xterm-256color", COLORTERM="truecolor", LANG="C.UTF-8",
                               HOME=self.scratch, XDG_STATE_HOME=self.scratch, XDG_CONFIG_HOME=self.scratch)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            os.write(tell, struct.pack("d", time.monotonic()))
            os.execvpe(argv[0], argv, environment)
        os.close(tell)
        self.begun = struct.unpack("d", os.read(told, 8))[0]
        os.close(told)
        self.tour = None

    def read(self, seconds, until=None, others=()):
        """Reads this terminal and `others` for so long, or until `until` has been shown here. The moment it was."""
        end, by_fd = time.monotonic() + seconds, {t.fd: t for t in (self, *others)}
        self.seen = b""
        while (left := end - time.monotonic()) > 0:
            for fd in select.select(list(by_fd), [], [], left)[0]:
                terminal = by_fd[fd]
                try:
                    data = os.read(fd, 1 << 16)
                except OSError:
                    raise SystemExit(f"{command(terminal.pid)} has ended") from None
                terminal.bytes += len(data)
                if terminal is self and until:
                    self.seen += data
                    if until(self.seen):
                        return time.monotonic()
        return None

    def wait(self, text, seconds=20):
        at = self.read(seconds, shows(text))
        if at is None:
            raise SystemExit(f"{' '.join(map(os.fsdecode, command(self.pid)))}: “{text}” did not appear")
        return at

    def type(self, keys, rest=0.15):
        for key in keys:
            os.write(self.fd, key.encode())
            self.read(rest)

    def ui(self):
        """The process that draws: forklore's is the child of its guard."""
        if self.tour is None:
            found = [child for child in children(self.pid) if b"__tour" in command(child)]
            self.tour = found[0] if found else self.pid
        return self.tour

    def close(self, keys=""):
        with contextlib.suppress(OSError, SystemExit):
            self.type(keys)
        end = time.monotonic() + 10
        os.kill(self.pid, signal.SIGCONT)
        os.kill(self.pid, signal.SIGTERM)
        while os.waitpid(self.pid, os.WNOHANG) == (0, 0):
            with contextlib.suppress(SystemExit):
                self.read(0.02)
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                end = float("inf")
        os.close(self.fd)
        shutil.rmtree(self.scratch, ignore_errors=True)


ESCAPE = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")


def shows(text):
    """Whether `text` was written, whatever colours it has."""
    words = text.encode()
    return lambda seen: words in seen or words in ESCAPE.sub(b"", seen)


@contextlib.contextmanager
def terminal(*argv, leave=""):
    it = Terminal(*argv)
    try:
        yield it
    finally:
        it.close(leave)


def run(*words, source, seconds):
    """A run without a screen: its facts, and the CPU seconds of the program (not of the demo) a second."""
    argv = [FORKLORE, "run", *words, "--json", "--source", source, "--for", str(seconds)]
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(argv, stdout=out, stderr=subprocess.DEVNULL)
        time.sleep(0.7)
        begun, used = time.monotonic(), cpu_time(process.pid)
        time.sleep(seconds - 1.2)
        used, took = cpu_time(process.pid) - used, time.monotonic() - begun
        process.wait()
        out.seek(0)
        return [json.loads(line) for line in out], used / took


# Figures.

@figure
def watching_work(rounds):
    """Work of four CPU-bound workers, watched exactly / not watched by the kernel. The nearest that there is to not
    watching at all is the self-timed source: the same run in which no kernel observer is attached."""
    def once(source):
        facts, cost = run("timeslice", "workers=4", source=source, seconds=3)
        work = sum(facts[-1]["values"]["work"])
        ran = {f["tid"]: f["ran"] for f in facts if f["kind"] == "counters"}
        return work / facts[-1]["seconds"], work / sum(ran.values()), cost
    pairs = [(once("exact"), once("self-timed")) for _ in range(rounds or 10)]
    say("work a second, exact / self-timed", ratios([(a[0], b[0]) for a, b in pairs]), 0.99, True, "{:.4f}")
    say("work per second of CPU, exact / self-timed", ratios([(a[1], b[1]) for a, b in pairs]), 0.99, True, "{:.4f}",
        "(other programs' share left out)")
    say("CPU of the program, exact", [100 * a[2] for a, _ in pairs], show="{:.2f} %")
    say("CPU of the program, self-timed", [100 * b[2] for _, b in pairs], show="{:.2f} %")


@figure
def drawing(rounds):
    """The tour's CPU time with a running demo and full lanes, 200x50 / that of the smallest ratatui loop at 30 frames a
    second with a fifth of its cells changing, both on terminals that are read and thrown away."""
    for name, zoom, fill in [("2 ms", 0, 1), ("20 ms", 3, 3), ("100 ms", 5, 15)]:
        with terminal(FORKLORE, "4:1", leave="q") as tour, terminal(LOOP) as loop:
            tour.wait("Two processes, one core")
            loop.read(0.3, others=[tour])
            tour.type("  ")
            # Words may come in pieces: only cells that changed are written.
            tour.read(3, others=[loop])
            tour.type("]" * zoom)
            tour.read(fill, others=[loop])
            pairs, written = [], []
            for _ in range(rounds or 6):
                took = []
                for it, other in [(tour, loop), (loop, tour)]:
                    # The loop rests while the tour is measured; the tour and its demo cannot.
                    os.kill(loop.pid, signal.SIGSTOP if it is tour else signal.SIGCONT)
                    it.read(0.2, others=[other])
                    begun, used, bytes_before = time.monotonic(), cpu_time(it.ui()), it.bytes
                    it.read(2, others=[other])
                    seconds = time.monotonic() - begun
                    took.append(((cpu_time(it.ui()) - used) / seconds, (it.bytes - bytes_before) / seconds))
                pairs.append((took[0][0], took[1][0]))
                written.append((took[0][1], took[1][1]))
        say(f"CPU time, {name} a column: tour / loop", ratios(pairs), 1.0)
        say("  the tour, share of a core", [100 * a for a, _ in pairs], show="{:.2f} %")
        say("  the loop, share of a core", [100 * b for _, b in pairs], show="{:.2f} %")
        say("  written by the tour", [a / 1000 for a, _ in written], 200, show="{:.0f} kB/s")
        say("  written by the loop", [b / 1000 for _, b in written], show="{:.0f} kB/s")


@figure
def first_frame(rounds):
    """From exec to the first complete frame. btop first draws its outlines, then its contents."""
    programs = {"tour": ((FORKLORE,), "Lessons"), "loop": ((LOOP,), "HABCDE")}
    if shutil.which("btop"):
        programs |= {"btop": (("btop",), "Command:"), "btop's outlines": (("btop",), "proc")}
    took = collections.defaultdict(list)
    for _ in range(rounds or 20):
        for name, (argv, text) in programs.items():
            with terminal(*argv) as it:
                took[name].append(1000 * (it.wait(text) - it.begun))
    for name in list(programs)[1:]:
        say(f"first frame: tour / {name}", ratios(zip(took["tour"], took[name])), None if name == "loop" else 1.0)
    for name, values in took.items():
        say(f"  {name}", values, show="{:.1f} ms")


@figure
def idle(rounds):
    """The tour at its catalogue, nobody touching it."""
    with terminal(FORKLORE) as tour:
        tour.wait("Lessons")
        tour.read(1)
        shares, written = [], []
        for _ in range(rounds or 3):
            used, before = cpu_time(tour.ui()), tour.bytes
            tour.read(5)
            shares.append(100 * (cpu_time(tour.ui()) - used) / 5)
            written.append(tour.bytes - before)
    say("CPU at the catalogue, share of a core", shares, 0.1, show="{:.4f} %")
    say("bytes written in 5 s", written, 0, show="{:.0f}")


@figure
def memory(rounds):
    """Resident memory with a demo running, after ten seconds."""
    sizes = collections.defaultdict(list)
    programs = {"tour": (FORKLORE, "4:1"), "loop": (LOOP,)} | {n: (n,) for n in ("htop", "btop") if shutil.which(n)}
    for _ in range(rounds or 2):
        for name, argv in programs.items():
            with terminal(*argv) as it:
                it.read(0.5)
                if name == "tour":
                    it.type("  ")
                it.read(10 if name == "tour" else 3)
                sizes[name].append(status(it.ui(), "VmRSS") / 1024)
                if name == "tour":
                    sizes["tour, of its own (not the program's file)"].append(status(it.ui(), "RssAnon") / 1024)
    for name, values in sizes.items():
        say(f"resident: {name}", values, show="{:.1f} MiB")
    for name in [n for n in programs if n != "tour"]:
        say(f"  tour / {name}", ratios(zip(sizes["tour"], sizes[name])))


@figure
def keys(rounds):
    """From a key to the changed screen, with sixteen workers that only compute on every core: ? and Escape in turn. Of
    Escape's time 50 ms are a wait: a terminal sends the same byte at the head of every arrow and function key."""
    cpus = sorted(os.sched_getaffinity(0))
    count = (rounds or 20) * 10
    argv = [FORKLORE, "run", "timeslice", "workers=16", "--for", "600"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with terminal(FORKLORE) as tour:
        tour.wait("Lessons")
        for what in ("idle", "busy"):
            busy = [subprocess.Popen([*argv, f"cpu={cpu}"], **quiet) for cpu in cpus] if what == "busy" else []
            own = os.sched_getscheduler(0)
            # This script must not wait for the workers: the terminal's side is not what is measured.
            with contextlib.suppress(OSError):
                os.sched_setscheduler(0, os.SCHED_RR | getattr(os, "SCHED_RESET_ON_FORK", 0), os.sched_param(1))
            took = []
            try:
                tour.read(1.5)
                for n in range(count):
                    tour.read(0.05 + 0.05 * random.random())
                    begun = time.monotonic()
                    os.write(tour.fd, b"\x1b" if n % 2 else b"?")
                    # Nothing else is drawn here, and a frame comes in one piece.
                    at = tour.read(5, bool)
                    took.append(1000 * ((at or begun + 5) - begun))
            finally:
                os.sched_setscheduler(0, own, os.sched_param(0))
                for process in busy:
                    process.terminate()
                for process in busy:
                    process.wait()
            for name, values in (("?", took[0::2]), ("Escape", took[1::2])):
                ordered = sorted(values)
                p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
                say(f"{name}, {what}: median to the frame", values, show="{:.1f} ms")
                say(f"{name}, {what}: p99", [p99], 66.7, show="{:.1f} ms")


@figure
def sampled(rounds):
    """What sampling /proc 60 times a second costs: the program's CPU, less that of a run whose workers time themselves
    (which pays for the same stage, accounts and output). No demo has 64 threads on one core, so 64 are reckoned from 1
    and 16: what each further one costs, 48 more times."""
    sizes, sources = (1, 16), ("sampled", "self-timed")
    costs = collections.defaultdict(list)
    for _ in range(rounds or 6):
        for n in sizes:
            for source in sources:
                _, cost = run("timeslice", f"workers={n}", "as=threads", source=source, seconds=4)
                costs[n, source].append(100 * cost)
    for n in sizes:
        for source in sources:
            say(f"the program, {n} threads, {source}", costs[n, source], show="{:.2f} %")
    one, sixteen = ([a - b for a, b in zip(costs[n, "sampled"], costs[n, "self-timed"])] for n in sizes)
    say("sampling 16 threads", sixteen, show="{:.2f} %")
    say("sampling 64 threads, reckoned", [b + (b - a) / 15 * 48 for a, b in zip(one, sixteen)], 1.5, show="{:.2f} %")


@figure
def size(_rounds):
    """The program's file."""
    say("binary, MiB", [os.path.getsize(FORKLORE) / (1 << 20)], 8, show="{:.2f}")


@figure
def folding_and_drawing(rounds):
    """The benchmarks with a goal in time (criterion, --quick). They come last: cargo leaves another build of the program
    where the others look for it."""
    wanted = [
        ("scene", "fold a million switches", 1.0, "a million switches folded"),
        ("draw", "200x60", 4e-3, "a frame of 200x60, 64 lanes"),
        ("lessons", "lessons", 10e-3, "all lessons opened and parsed"),
    ]
    units = {"ns": 1e-9, "µs": 1e-6, "us": 1e-6, "ms": 1e-3, "s": 1.0}
    for bench, only, goal, what in wanted:
        argv = ["cargo", "bench", "--quiet", "--bench", bench]
        subprocess.run([*argv, "--no-run"], cwd=ROOT, check=True)
        # Where it may, before other programs: these are times, not ratios.
        first = ["nice", "-n", "-20"] if os.geteuid() == 0 else []
        argv = [*first, *argv, "--", "--quick", only]
        out = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        print(f"  {what}: goal < {goal * 1000:g} ms")
        for name, *times in re.findall(r"^(\S.*?)\s+time:\s+\[([\d.]+) (\S+) ([\d.]+) (\S+) ([\d.]+) (\S+)\]",
                                       out.replace("\n                        time:", " time:"), re.M):
            low, middle, high = (float(times[i]) * units[times[i + 1]] for i in (0, 2, 4))
            verdict = "met" if high < goal else "MISSED" if low > goal else "inconclusive"
            print(f"    {name:<70} {middle * 1000:9.3f} ms   {middle / goal:.3f} of the goal: {verdict}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--no-build", action="store_true")
    args = parser.parse_args()
    unknown = [name for name in args.names if name not in FIGURES]
    if args.list or unknown:
        print("\n".join(f"{name:<22} {' '.join(run.__doc__.split())}" for name, run in FIGURES.items()))
        return 2 if unknown else 0
    if not args.no_build:
        subprocess.run(["cargo", "build", "--release", "--bins", "--example", "smallest_loop"], cwd=ROOT, check=True)
    for name in args.names or FIGURES:
        print(f"{name}: {' '.join(FIGURES[name].__doc__.split())}")
        print(f"  load {os.getloadavg()[0]:.1f} on {len(os.sched_getaffinity(0))} CPUs", flush=True)
        FIGURES[name](args.rounds)
    print("Not measured: a pipe ping-pong watched and unwatched; it needs a command that watches a foreign program.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
