"""Calls of components."""

from __future__ import annotations

import asyncio
import enum
import functools
import logging
import os
import threading
import traceback
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stepflow_runtime._components.context import ComponentContext
from stepflow_runtime._components.functions import Component
from stepflow_runtime._constants import COMPONENT_LOGGER
from stepflow_runtime._start_errors import start_thread
from stepflow_runtime.errors import InvalidInput

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from stepflow_runtime._clients import Clients

_log = logging.getLogger(COMPONENT_LOGGER)


class Failure(enum.Enum):
    """Why a call failed."""

    NOT_FOUND = enum.auto()
    INVALID_INPUT = enum.auto()
    RAISED = enum.auto()


class CallFailed(Exception):
    """A call failed; its message becomes the step's."""

    def __init__(self, failure: Failure, message: str) -> None:
        super().__init__(message)
        self.failure = failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The step that calls a component; the first attempt is 1."""

    run_id: str | None
    flow_id: str | None
    step_id: str | None
    attempt: int


class Calls:
    """Executes calls: functions in the caller's thread, coroutines in an event loop of their own.

    Attributes:
        clients: Returns the clients of the server that calls the components.
    """

    def __init__(self, components: Mapping[str, Component]) -> None:
        self.components = components
        self.clients: Callable[[], Clients] | None = None
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def execute(self, name: str, input: Any, step: Step) -> Any:
        """Call a component.

        Returns:
            The step's output, in JSON values.

        Raises:
            CallFailed: The call failed.
        """
        component = self.components.get(name)
        if component is None:
            known = ", ".join(sorted(self.components))
            raise CallFailed(
                Failure.NOT_FOUND, f"there is no component {name!r} in this program, only: {known}"
            )
        try:
            function = component.interface()
            positional, named = function.arguments(input, lambda: self._context(step))
        except InvalidInput as error:
            raise CallFailed(Failure.INVALID_INPUT, str(error)) from None
        try:
            result = function.function(*positional, **named)
            if asyncio.iscoroutine(result):
                result = self._run(result)
        # Whatever it raises concerns this step alone, such as SystemExit of a function that ends a
        # program elsewhere.
        except BaseException as error:
            self._exit_if_forked()
            # The first entry of the traceback is this method.
            raised = error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
            _log.error(
                "component %r raised an exception in step %r of run %s",
                name,
                step.step_id,
                step.run_id,
                exc_info=raised,
                extra={"component": name, "run_id": step.run_id, "step_id": step.step_id},
            )
            raise CallFailed(Failure.RAISED, _message(error)) from None
        self._exit_if_forked()
        try:
            return _json_values(result)
        except Exception as error:
            problem = f"the output of component {name!r} cannot be converted to JSON: {error}"
            _log.error("%s", problem, extra={"component": name, "run_id": step.run_id})
            raise CallFailed(Failure.RAISED, problem) from None

    def close(self) -> None:
        """Cancel all coroutines. Functions run on until they return."""
        with self._lock:
            self._closed = True
            loop, self._loop = self._loop, None
        if loop is not None and os.getpid() == self._owner:
            loop.call_soon_threadsafe(loop.stop)

    def _context(self, step: Step) -> ComponentContext:
        return ComponentContext(
            run_id=step.run_id,
            flow_id=step.flow_id,
            step_id=step.step_id,
            attempt=step.attempt,
            _clients=self.clients,
        )

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        with self._lock:
            if self._closed:
                coroutine.close()
                raise RuntimeError("the runtime is stopped")
            if self._loop is None:
                loop = asyncio.new_event_loop()
                start_thread(
                    threading.Thread(
                        target=_run_loop, args=(loop,), name="stepflow-coroutines", daemon=True
                    )
                )
                self._loop = loop
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        return future.result()

    def _exit_if_forked(self) -> None:
        # A child that returns from the function must not answer in its parent's place.
        if os.getpid() != self._owner:
            os._exit(0)


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


def _message(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(error)).strip()


def _json_values(value: Any) -> Any:
    # By alias, as the listed schema of the output.
    return _any_value().dump_python(value, mode="json", by_alias=True)


@functools.cache
def _any_value() -> TypeAdapter[Any]:
    # Imported here, since `@component` alone needs no pydantic.
    from pydantic import TypeAdapter

    return TypeAdapter(Any)
