"""What the interpreter makes of three lines: bytecode, in memory, and no file of machine code anywhere.

    python3 20-dis.py
"""
import dis
import os
import sys
import types

source = """\
a = 2
b = 3
c = a + b
"""
code = compile(source, "three lines", "exec")
print("the bytes:       ", code.co_code.hex(" "))
print("what they mean:")
dis.dis(code)

exec(code, space := {})
print("c is", space["c"])
print("it is executed by", os.path.realpath(sys.executable))
print("of type", types.CodeType.__name__ + ":", isinstance(code, types.CodeType))
