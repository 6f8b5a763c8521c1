"""Keeps the server, and everything that it starts, off the network interfaces besides loopback.

The server binds to 0.0.0.0 and has no option for another address. So a seccomp filter pauses each
`bind` call of its processes until a thread here has checked the address. If a TCP socket is about
to be bound to all addresses, the thread replaces the address with that of loopback in the memory of
the paused process. Nothing else is changed: other calls, such as `connect`, are not paused.

A thread can have a filter of its own, which its child processes inherit. That is why the same
thread starts the server, and why this process is not affected.

This contains programs that do not try to evade it. It is no sandbox: a process could replace the
address after the check, or bind through io_uring.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import errno
import os
import select
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from io import FileIO
from typing import Final

from stepflow_runtime._fork import Held
from stepflow_runtime._start_errors import start_thread
from stepflow_runtime.errors import LoopbackUnavailable

#: By machine: how a filter identifies it, and the numbers of the system calls `bind` and `seccomp`.
_MACHINES: Final = {"aarch64": (0xC00000B7, 200, 277), "x86_64": (0xC000003E, 49, 317)}

# From linux/seccomp.h, linux/filter.h and linux/prctl.h.
_SET_NO_NEW_PRIVS: Final = 38
_SET_MODE_FILTER: Final = 1
#: SPEC_ALLOW: kernels before 5.16 otherwise slow down every process that has a filter.
_SPEC_ALLOW, _NEW_LISTENER = 1 << 2, 1 << 3
_USER_NOTIF, _ALLOW = 0x7FC00000, 0x7FFF0000
_RECEIVE, _SEND, _IS_VALID = 0xC0502100, 0xC0182101, 0x40082102
_CONTINUE: Final = 1
#: Id, thread, flags, call, machine, instruction; then the call's arguments.
_NOTIFICATION: Final = struct.Struct("=QIIiIQ6Q")
_RESPONSE: Final = struct.Struct("=QqiI")
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06

_ANY, _LOOPBACK = bytes(4), bytes((127, 0, 0, 1))
#: Prefix of an IPv4 address in an IPv6 socket, which accepts IPv4 connections too by default.
_MAPPED: Final = bytes(10) + b"\xff\xff"
_LONGEST_ADDRESS: Final = 28


def is_supported() -> bool:
    """Whether this system may be able to contain a server; its kernel may still refuse."""
    is_64_bit = sys.maxsize > 1 << 32
    return sys.platform == "linux" and is_64_bit and os.uname().machine in _MACHINES


class LoopbackBinds:
    """Starts a process and redirects its TCP listeners to loopback, and those of its descendants.

    Args:
        end: Read end of a pipe; the other end is closed to stop.

    Attributes:
        problem: Why a call of `bind` was refused; empty if none was.
    """

    def __init__(self, end: int) -> None:
        self.problem = ""
        self._end = end
        self._process = concurrent.futures.Future[subprocess.Popen[bytes]]()
        self._thread = threading.Thread(target=self._run, name="stepflow-binds", daemon=True)

    def start(self, popen: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        """Start the process.

        Args:
            popen: Starts it.

        Raises:
            LoopbackUnavailable: This system cannot do it.
            OSError: The system has no more processes, threads or files.
        """
        self._popen = popen
        try:
            start_thread(self._thread)
            concurrent.futures.wait([self._process])
        except BaseException:
            # The system has no more threads, or Ctrl-C was pressed. If the thread runs already, the
            # process may do so too.
            if not self._process.cancel():
                with contextlib.suppress(Exception), self._process.result() as process:
                    process.kill()
            raise
        return self._process.result()

    def wait(self) -> None:
        """Wait until the thread has ended; the pipe's other end must be closed."""
        if self._process.done() and not self._process.cancelled():
            self._thread.join()

    def _run(self) -> None:
        if not self._process.set_running_or_notify_cancel():
            return
        notifications = None
        try:
            notifications = Held(_install_filter)
            process = self._popen()
            try:
                # Before the server runs. The system may reserve this for administrators.
                _open_memory(process.pid).close()
            except OSError as error:
                with process:
                    process.kill()
                raise unavailable(
                    f"this process may not write to the server's memory ({error.strerror})"
                ) from None
        except BaseException as error:
            if notifications is not None:
                notifications.close()
            self._process.set_exception(error)
            return
        self._process.set_result(process)
        poll = select.poll()
        poll.register(notifications.descriptor, select.POLLIN)
        poll.register(self._end, 0)
        try:
            while poll.poll() == [(notifications.descriptor, select.POLLIN)]:
                self._respond(notifications.descriptor)
        finally:
            # From here on, the kernel refuses every call of `bind`.
            notifications.close()

    def _respond(self, notifications: int) -> None:
        import fcntl

        received = bytearray(_NOTIFICATION.size)
        try:
            fcntl.ioctl(notifications, _RECEIVE, received)
        except OSError:
            # The calling process was killed in the meantime.
            return
        number, thread, *_, descriptor, address, length, _, _, _ = _NOTIFICATION.unpack(received)
        try:
            with _open_memory(thread) as memory:
                # If it still is, the memory is that of the caller and not of a later process.
                fcntl.ioctl(notifications, _IS_VALID, struct.pack("=Q", number))
                memory.seek(address)
                content = memory.read(min(length & 0xFFFFFFFF, _LONGEST_ADDRESS))
                redirected = _redirected(content)
                if redirected != content and _is_tcp(thread, descriptor & 0xFFFFFFFF):
                    memory.seek(address)
                    memory.write(redirected)
            # Fails with EINVAL on kernels before 5.5.
            fcntl.ioctl(notifications, _SEND, _RESPONSE.pack(number, 0, 0, _CONTINUE))
        except (OSError, OverflowError) as error:
            with contextlib.suppress(OSError):
                fcntl.ioctl(notifications, _SEND, _RESPONSE.pack(number, 0, -errno.EACCES, 0))
                self.problem = f"a `bind` call could not be redirected ({error})"


def check_listener(port: int) -> None:
    """Check that a server does not listen on other addresses of this machine.

    A kernel that emulates another machine may accept a filter and not apply it.

    Raises:
        LoopbackUnavailable: The server listens on them.
    """
    with socket.socket() as connection:
        connection.settimeout(1)
        # All of 127.0.0.0/8 is this machine, without any configuration.
        if connection.connect_ex(("127.0.0.2", port)) == 0:
            raise unavailable("the server listens on other addresses in spite of the filter")


def unavailable(cause: str) -> LoopbackUnavailable:
    """Return the error for a server that cannot be contained."""
    return LoopbackUnavailable(
        f'listen="loopback" is not available here: {cause}; use listen="all", and restrict access'
        " with a firewall",
        None,
        [],
    )


def _install_filter() -> int:
    """Install the filter in this thread.

    Returns:
        File descriptor for the notifications.

    Raises:
        LoopbackUnavailable: This system cannot do it.
    """
    if not is_supported():
        raise unavailable("it needs 64-bit Linux on x86-64 or ARM")
    # Imported here, since most programs do not need it.
    import ctypes

    machine, bind, seccomp = _MACHINES[os.uname().machine]
    instructions = (
        (_LOAD, 0, 0, 4),
        (_JUMP_IF_EQUAL, 0, 3, machine),
        (_LOAD, 0, 0, 0),
        (_JUMP_IF_EQUAL, 0, 1, bind),
        (_RETURN, 0, 0, _USER_NOTIF),
        (_RETURN, 0, 0, _ALLOW),
    )
    code = b"".join(struct.pack("=HBBI", *one) for one in instructions)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(instructions), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    # Without it, only root may install a filter. Setuid programs have no effect from here on.
    arguments = map(ctypes.c_ulong, (1, 0, 0, 0))
    descriptor = libc.prctl(_SET_NO_NEW_PRIVS, *arguments)
    if descriptor == 0:
        arguments = map(ctypes.c_ulong, (seccomp, _SET_MODE_FILTER, _NEW_LISTENER | _SPEC_ALLOW))
        descriptor = libc.syscall(*arguments, program)
    if descriptor < 0:
        number = ctypes.get_errno()
        cause = f"the kernel or the container refuses seccomp notifications ({os.strerror(number)})"
        if number == errno.EBUSY:
            cause = "another program already receives the seccomp notifications of this process"
        raise unavailable(cause)
    return int(descriptor)


def _open_memory(process: int) -> FileIO:
    return FileIO(f"/proc/{process}/mem", "r+")


def _redirected(address: bytes) -> bytes:
    """Return a socket address with that of loopback in place of all addresses."""
    family = int.from_bytes(address[:2], sys.byteorder)
    if family in (socket.AF_UNSPEC, socket.AF_INET) and address[4:8] == _ANY:
        # Without a family, Linux accepts all addresses, and no other.
        inet = int(socket.AF_INET).to_bytes(2, sys.byteorder)
        return inet + address[2:4] + _LOOPBACK + address[8:]
    if family == socket.AF_INET6 and address[8:24] in (bytes(16), _MAPPED + _ANY):
        return address[:8] + _MAPPED + _LOOPBACK + address[24:]
    return address


def _is_tcp(process: int, descriptor: int) -> bool:
    # TCP, TCPv6, MPTCP or MPTCPv6. A UDP socket that sends needs all addresses.
    return b"TCP" in os.getxattr(f"/proc/{process}/fd/{descriptor}", "system.sockprotoname")
