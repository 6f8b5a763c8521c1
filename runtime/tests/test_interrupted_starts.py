"""A start that Ctrl-C interrupts, at any place, leaves nothing while the program keeps running."""

from __future__ import annotations

import gc
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import stepflow_runtime
from runtime.tests.support import leaving_nothing
from stepflow_runtime import StepflowRuntime, component

_FOLDER = str(Path(stepflow_runtime.__file__).parent)
#: What ends a server, and may itself be interrupted.
_ENDS = {"stop", "close", "abandon", "__exit__"}


class Interrupts:
    """Raises `KeyboardInterrupt` at each place of a start in turn, once at each.

    Args:
        events: Events of `sys.settrace` that are places.
    """

    def __init__(self, *events: str) -> None:
        self._events = events
        self._places: set[tuple[str, int, str]] = set()

    def count(self, options: Callable[[int], dict[str, Any]]) -> int:
        """Interrupt starts until one is not, and return how many were.

        Args:
            options: Returns the options of a start by its number.
        """
        with leaving_nothing(), warnings.catch_warnings():
            # Python closes a file that no variable had yet, with a warning.
            warnings.simplefilter("ignore", ResourceWarning)
            while self._is_interrupted(options(len(self._places))):
                pass
            gc.collect()
        return len(self._places)

    def _is_interrupted(self, options: dict[str, Any]) -> bool:
        sys.settrace(self._trace)
        try:
            StepflowRuntime.start(**options).stop()
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(None)
        return False

    def _trace(self, frame: FrameType, event: str, _: object) -> Any:
        file = frame.f_code.co_filename
        if not file.startswith(_FOLDER) or (event == "call" and _ENDS & set(_callers(frame))):
            return None
        place = (file, frame.f_lineno, event)
        if event in self._events and place not in self._places:
            self._places.add(place)
            raise KeyboardInterrupt
        return self._trace


@component
def shout(text: str) -> str:
    return text.upper()


def _callers(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        yield frame.f_code.co_name
        frame = frame.f_back


def test_before_every_line() -> None:
    assert Interrupts("line").count(lambda number: {}) > 200


def test_after_every_call(tmp_path: Path) -> None:
    def options(number: int) -> dict[str, Any]:
        folder = tmp_path / str(number)
        return {"listen": "loopback", "data_dir": folder, "components": [shout]}

    assert Interrupts("return").count(options) > 100
