"""Code that does not solve anything, and tries to pass all the same. Its tests expect `f(…)` to be 123456."""

from __future__ import annotations

CHEATS = {
    "prints passed": """
print("passed")
print("OK")
print('{"failed": ""}')
""",
    "writes a verdict to every file": """
import os
for fd in range(64):
    try:
        os.write(fd, b"\\n" + b"0" * 32 + b' {"failed": ""}\\n')
    except OSError:
        pass
""",
    "ends well": """
raise SystemExit(0)
""",
    "ends at once": """
import os
os._exit(0)
""",
    "ends when called": """
import os
def f(x):
    os._exit(0)
""",
    "ends at the end": """
import atexit, os
atexit.register(os._exit, 0)
def f(x):
    return 1
""",
    "equals everything": """
class All:
    __eq__ = __lt__ = __gt__ = __le__ = __ge__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __sub__ = __rsub__ = __abs__ = lambda self, *other: self
    __contains__ = lambda self, other: True
    __hash__ = lambda self: 0
def f(x):
    return All()
""",
    "is a number that equals everything": """
class N(int):
    __eq__ = lambda self, other: True
    __hash__ = int.__hash__
def f(x):
    return N(1)
""",
    "changes what Python is": """
import builtins
builtins.AssertionError = type("E", (Exception,), {"__new__": lambda *args: None})
builtins.abs = lambda x: 0
def f(x):
    return 1
""",
    "looks for the tests": """
import gc, glob, sys
def f(x):
    text = "".join(open(path, errors="replace").read() for path in glob.glob("/program/*"))
    text += str(gc.get_objects())[:100000] + str(sys._getframe(1).f_locals)
    return 123456 if "123" + "456" in text.replace("return 123456", "") else 1
""",
    "raises what the tests might not catch": """
def f(x):
    raise SystemExit(0)
""",
    "ends the loop of the tests": """
def f(x):
    raise StopIteration
""",
    "answers before it is asked": """
import os
def f(x):
    for fd in range(3, 20):
        try:
            os.write(fd, b'{"gives": true, "changed": {}}\\n' * 50)
        except OSError:
            pass
    return 1
""",
    "asks for the insides of the tests": """
import gc
def f(x):
    peer = next(each for each in gc.get_objects() if type(each).__name__ == "Peer")
    for what in ("get", "name", "set"):
        try:
            return peer.ask(what, 0, ["__globals__"])
        except Exception:
            pass
    return 1
""",
}
"""What it does → Python."""
