# What stands before the programs of lesson 21 when a demo runs them. It is not needed to run them by hand.
#
# multiprocessing makes names: semaphores in /dev/shm, the server's socket in a folder for temporary files. They go when the
# program ends in order; one that is killed leaves them. Here they go as soon as nobody looks for them any more.
import os as _os
import _multiprocessing
import multiprocessing.forkserver as _forkserver
import multiprocessing.util as _util


class _Nameless:
    # A forked child has the semaphore by the fork. In these programs no other child comes so far that it would open one.
    _made = _multiprocessing.SemLock
    _rebuild = _made._rebuild
    SEM_VALUE_MAX = _made.SEM_VALUE_MAX

    def __new__(cls, kind, value, maxvalue, name, _):
        return cls._made(kind, value, maxvalue, name, True)


_multiprocessing.SemLock = _Nameless
_ensure = _forkserver.ForkServer.ensure_running


def _ensure_nameless(server):
    _ensure(server)
    address = server._forkserver_address
    if isinstance(address, str) and address.startswith("/") and not address.startswith("/proc/"):
        # A socket that is open is found without its name (proc_pid_fd(5)).
        socket = _os.open(address, _os.O_PATH)
        _os.unlink(address)
        _os.rmdir(_os.path.dirname(address))
        server._forkserver_address = "/proc/self/fd/%d" % socket


_forkserver.ForkServer.ensure_running = _ensure_nameless
_forkserver.ensure_running = _forkserver._forkserver.ensure_running
_util._remove_temp_dir = lambda *_: None
