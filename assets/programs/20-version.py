"""What this interpreter is: one line of JSON."""
import json
import platform
import sys
import sysconfig

# Since 3.13 there are builds without the lock; even they switch it on for an extension module that needs it.
free = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
enabled = getattr(sys, "_is_gil_enabled", lambda: True)()
print(json.dumps({
    "version": platform.python_version(),
    "implementation": platform.python_implementation(),
    "executable": sys.executable,
    "free_threaded": free,
    "gil": enabled,
    "switch_ns": round(sys.getswitchinterval() * 1e9),
}))
