"""How much processor time the portal's processes and the driver used, as the kernel counts it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ims_portal import engines
from tests.chaos.stage import Stage

_PARENT, _TIMES = 1, slice(11, 15)
"""Places in the line the kernel tells of a process, behind its name: its parent; own and ended children's times."""


def used(stage: Stage) -> dict[str, float]:
    """Return who -> seconds of processor time so far: the driver, the portal's parts, its servers, everything else.

    "others" are processes that are none of ours: where they use much the run says little of the portal.
    """
    stats = _stats()
    roots = {name: child.process.pid for name, child in stage.running.items()}
    roots |= {
        name: pid
        for name, pid in (
            ("database", engines.postgres_pid(place=stage.place)),
            ("broker", engines.valkey_pid(place=stage.place)),
        )
        if pid is not None
    }
    mine = os.times()
    found = {"driver": mine.user + mine.system, **{name: _of_tree(pid, stats) for name, pid in roots.items()}}
    return {**found, "others": _busy() - sum(found.values())}


def _busy() -> float:
    """Return for how many seconds all processors together were busy, without waiting for disks."""
    user, nice, system, _idle, _waiting, *rest = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:8])
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


def _stats() -> dict[int, tuple[int, float]]:
    """Return pid -> its parent and its seconds, those of children that ended among them."""
    found, tick = {}, os.sysconf("SC_CLK_TCK")
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, IndexError, ValueError):
            rest = stat.read_text().rpartition(")")[2].split()
            found[int(stat.parent.name)] = (int(rest[_PARENT]), sum(map(int, rest[_TIMES])) / tick)
    return found


def _of_tree(root: int, stats: dict[int, tuple[int, float]]) -> float:
    below = [pid for pid, (parent, _seconds) in stats.items() if parent == root]
    return stats.get(root, (0, 0.0))[1] + sum(_of_tree(pid, stats) for pid in below)
