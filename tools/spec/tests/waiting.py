"""Waits for what another process does."""

from __future__ import annotations

from pathlib import Path

from tools.pytest.support import wait_until


def wait_for_end(pid: int) -> None:
    """Wait until a process is gone, or dead and only not reaped."""
    wait_until(lambda: not _is_alive(pid), f"process {pid} is gone")


def wait_for_text(path: Path) -> str:
    """Wait until a file holds a whole line, and return it."""
    wait_until(
        lambda: path.exists() and path.read_text(encoding="utf-8").endswith("\n"),
        f"{path.name} is written",
    )
    return path.read_text(encoding="utf-8").strip()


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "XZ"
