"""How much of the machine's memory this process may still take, by system and cgroup.

Linux only; elsewhere the limit is unknown.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["available_bytes"]

_MEMINFO = Path("/proc/meminfo")
_MEMBERSHIP = Path("/proc/self/cgroup")
_CGROUPS = Path("/sys/fs/cgroup")


def available_bytes(
    meminfo: Path = _MEMINFO, membership: Path = _MEMBERSHIP, cgroups: Path = _CGROUPS
) -> int | None:
    """Return the bytes available without swapping or being killed; None if unknown.

    The minimum of the system's available memory and of what each enclosing control group leaves: a
    container's limit is not in ``/proc/meminfo``. Page cache counts as free, because the kernel
    releases it first.
    """
    known = [_system(meminfo), *_groups(membership, cgroups)]
    return min((one for one in known if one is not None), default=None)


def _system(meminfo: Path) -> int | None:
    for line in _text(meminfo).splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1_024
    return None


def _groups(membership: Path, cgroups: Path) -> list[int]:
    """Return what each group leaves, version 2 or version 1."""
    left = []
    for line in _text(membership).splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0":
            left += _chain(cgroups, path, "memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            names = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
            left += _chain(cgroups / "memory", path, *names)
    return left


def _chain(root: Path, path: str, limit: str, usage: str, cache: str) -> list[int]:
    found = []
    # Inside a container the path may be the host's; its own limit is then at the root.
    inside = root / path.lstrip("/")
    for folder in (inside, *inside.parents):
        if folder == root.parent:
            break
        most, taken = _number(folder / limit), _number(folder / usage)
        if most is not None and taken is not None:
            found.append(max(0, most - taken + _stat(folder / "memory.stat", cache)))
    return found


def _stat(path: Path, name: str) -> int:
    for line in _text(path).splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError:
        return ""
