"""Configs with workers that report to the runtime."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from stepflow_api.support import Hidden
from stepflow_runtime import _worker_process
from stepflow_runtime._secrets import Secrets
from stepflow_runtime._workers import Workers


def wrap_workers(
    document: dict[str, Any],
    environment: Hidden[Mapping[str, str]],
    *,
    capture: bool,
    secrets: Secrets,
) -> Workers | None:
    """Replace each worker's command by a process that passes its output to the runtime.

    Malformed plugins are left as they are, and the server reports what is wrong with them.

    Returns:
        The workers; None if the config has none.
    """
    given: Any = document.get("plugins")
    # In a program that embeds Python, sys.executable is that program.
    if not isinstance(given, Mapping) or "py" not in Path(sys.executable or "").name:
        return None
    plugins = dict(cast(Mapping[str, Any], given))
    commands = {name: command for name in plugins if (command := _command(plugins[name]))}
    if not commands or getattr(sys, "frozen", False):
        return None
    workers = Workers(capture=capture, secrets=secrets)
    registers = {name: plugins[name].get("type") == "grpc" for name in commands}
    added = {name: workers.add(name, registers=registers[name]) for name in commands}
    descriptors = ",".join(map(str, workers.descriptors))
    for name, (program, *arguments) in commands.items():
        index, stdout, stderr = added[name]
        if not registers[name]:
            # The server finds the program with its own PATH, and starts such a worker without one.
            program = shutil.which(program, path=environment.value.get("PATH", "")) or program
        numbers = map(str, (index, workers.control, stdout, stderr))
        plugins[name] = {
            **plugins[name],
            "command": sys.executable,
            "args": [
                *("-I", "-S", _worker_process.__file__, *numbers, descriptors),
                *(os.fsencode(program).hex(), *arguments),
            ],
        }
    document["plugins"] = plugins
    return workers


def _command(plugin: Any) -> list[str] | None:
    if not isinstance(plugin, Mapping):
        return None
    values = cast(Mapping[str, Any], plugin)
    if values.get("type") == "mcp":
        # It talks with the server over its standard output.
        return None
    program, arguments = values.get("command"), values.get("args", [])
    if not isinstance(program, str) or not program or not isinstance(arguments, list | tuple):
        return None
    return [program, *cast(list[str], arguments)]
