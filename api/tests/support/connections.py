"""How many connections are open."""

from __future__ import annotations

from pathlib import Path

from tools.spec.server import StepflowServer


def connections(server: StepflowServer) -> int:
    """Return the number of open connections to a server in this process's network."""
    rows = [line.split() for line in Path("/proc/self/net/tcp").read_text("ascii").splitlines()[1:]]
    return sum(row[2].endswith(f":{server.port:04X}") and row[3] == "01" for row in rows)
