"""Functions that run in forked children."""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Any

_SECONDS = 60


class Forked:
    """A child that is forked from this process, and calls a function there.

    Args:
        function: What to call; it returns what JSON can hold.
    """

    def __init__(self, function: Callable[[], Any]) -> None:
        self._results, results = os.pipe()
        with warnings.catch_warnings():
            # Tests have threads on purpose; from Python 3.15 on, this warning ends `os.fork`.
            warnings.filterwarnings("ignore", "This process .*multi-threaded", DeprecationWarning)
            self._pid = os.fork()
        if self._pid:
            os.close(results)
            return
        code = 1
        try:
            # A child that hangs must not outlive the test, and shows where it hangs.
            faulthandler.register(signal.SIGALRM, file=2, chain=True)
            signal.alarm(_SECONDS)
            with open(results, "w", encoding="utf-8") as file:
                json.dump(function(), file)
            code = 0
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(code)

    def result(self) -> Any:
        """Wait for the child to exit, and return the result of its function.

        Raises:
            AssertionError: The function raised, or did not return within a minute.
        """
        with open(self._results, encoding="utf-8") as file:
            text = file.read()
        code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        assert code == 0, f"the child exited with code {code}"
        return json.loads(text)
