"""A process that ignores SIGTERM is stopped, let go on, asked to end, and killed; its letter in /proc is read each time.

    python3 13-term.py
"""

import os
import signal
import time


def letter(pid):
    """The state's letter of a process, or a dash if it has no entry any more."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(") ", 1)[1][0]
    except FileNotFoundError:
        return "-"


def say(what, pid):
    print(f"{what:<28} {letter(pid)}")


ready, tell = os.pipe()
child = os.fork()
if child == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.write(tell, b".")
    while True:
        time.sleep(1)

os.read(ready, 1)
say("at work, mostly asleep", child)
os.kill(child, signal.SIGSTOP)
os.waitpid(child, os.WUNTRACED)
say("SIGSTOP", child)
os.kill(child, signal.SIGCONT)
os.waitpid(child, os.WCONTINUED)
time.sleep(0.1)  # it is continued before it has run
say("SIGCONT", child)
os.kill(child, signal.SIGTERM)
time.sleep(0.5)  # the grace
say("SIGTERM, half a second later", child)
os.kill(child, signal.SIGKILL)
# WNOWAIT leaves the status where it is, so the entry stays.
os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
say("SIGKILL", child)
_, status = os.waitpid(child, 0)
say(f"asked: ended by signal {os.WTERMSIG(status)}", child)
