"""
Where /proc/<pid>/fd is open to every process of the same user, whatever the process says (gVisor), the driver's streams are
closed by their file mode. User code owns them too, so it must not be able to change modes.
"""

import ctypes
import struct

_SET_SECCOMP, _FILTER = 22, 2
_LOAD, _JUMP_EQUAL, _RETURN = 0x20, 0x15, 0x06
_CALL_AT, _MACHINE_AT = 0, 4
_ALLOW, _SUCCEED_WITHOUT_DOING = 0x7FFF0000, 0x00050000

_MODE_CALLS = {
    0xC000003E: (90, 91, 268, 452),  # x86-64: chmod, fchmod, fchmodat, fchmodat2
    0xC00000B7: (52, 53, 452),  # arm64: fchmod, fchmodat, fchmodat2
}


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def ignore_mode_changes() -> None:
    """Makes `chmod` and its kin succeed without doing anything, in this process and all it starts. Raises `OSError`."""
    instructions = _program()
    program = _Program(len(instructions) // 8, instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_SECCOMP) failed")


def _program() -> bytes:
    """A classic BPF program: for each machine, its calls end it with success; everything else is allowed."""
    steps = []
    for machine, calls in _MODE_CALLS.items():
        body = [(_LOAD, 0, 0, _CALL_AT)]
        for index, call in enumerate(calls):
            # Over the remaining calls and the "allow" to the last step.
            body.append((_JUMP_EQUAL, len(calls) - index, 0, call))
        body += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _SUCCEED_WITHOUT_DOING)]
        steps += [(_LOAD, 0, 0, _MACHINE_AT), (_JUMP_EQUAL, 0, len(body), machine), *body]
    steps.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
