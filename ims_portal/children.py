"""Child processes that end with us, however we end: stopped in order, or by the kernel when we are killed."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux's prctl
POLITE_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Child:
    """One running process and where it writes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


def start(
    *, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path, if_we_die: signal.Signals
) -> Child:
    """Start a process in a session of its own, so that Ctrl-C reaches only us and we stop the children in our order."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            preexec_fn=_ask_kernel(if_we_die, os.getpid()),  # noqa: PLW1509 - the caller has no threads that could hold a lock
        )  # fmt: skip
    return Child(name=name, process=process, log=log)


def end_with_parent(*, number: signal.Signals = signal.SIGTERM) -> None:
    """Have the kernel send this process a signal when the one that started it dies; does nothing but on Linux."""
    _ask_kernel(number, os.getppid())()


def _ask_kernel(number: signal.Signals, parent: int) -> Callable[[], None]:
    if sys.platform != "linux":
        return lambda: None
    prctl = ctypes.CDLL(None).prctl  # looked up before a fork, so that nothing is imported after it

    def ask() -> None:
        prctl(SET_PARENT_DEATH_SIGNAL, int(number))
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask


def stop(*, children: Sequence[Child]) -> None:
    """Ask all to end, wait a while, then kill what is left of them and of what they started."""
    for child in children:
        if child.process.poll() is None:
            child.process.terminate()
    deadline = time.monotonic() + POLITE_SECONDS
    for child in children:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(timeout=max(0.0, deadline - time.monotonic()))
    kill(children=children)


def kill(*, children: Sequence[Child]) -> None:
    """Kill the children with everything they started."""
    for child in children:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.process.pid, signal.SIGKILL)
    for child in children:
        child.process.wait()


def ended(*, children: Sequence[Child]) -> Child | None:
    """Return a child that has ended by itself, or None."""
    return next((child for child in children if child.process.poll() is not None), None)
