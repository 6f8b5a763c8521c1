"""The package as it is imported: lazily, and with names that are where they are said to be."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import stepflow_api
from api.tests.support.echo_server import EchoServer
from api.tests.support.forms import FORMS, endpoints
from stepflow_api import errors

SUBMODULES = (
    "api",
    "client",
    "errors",
    "lowlevel",
    "models",
    "spec",
    "support",
    "testing",
    "types",
)


def in_order(names: Iterable[str]) -> list[str]:
    """Sorts names as ruff does: constants, classes, the rest."""
    return sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))


def imported_by(statement: str) -> set[str]:
    """Return the modules that a fresh interpreter has imported after a statement."""
    script = f"import sys; sys.path = {sys.path!r}; {statement}; import json; "
    script += "print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return set(json.loads(done.stdout))


def test_importing_the_package_imports_nothing_else() -> None:
    without, modules = imported_by("pass"), imported_by("import stepflow_api")
    assert modules - without == {"__future__", "stepflow_api"}


def test_names_are_listed_before_they_are_imported() -> None:
    listed = "import stepflow_api; assert {*stepflow_api.__all__} <= {*dir(stepflow_api)}"
    assert {name for name in imported_by(listed) if name.startswith("stepflow_api.")} == set()


def test_using_a_name_imports_what_it_needs_alone() -> None:
    modules = imported_by("import stepflow_api; stepflow_api.StepflowError")
    assert "stepflow_api.errors" in modules
    assert modules.isdisjoint({"pydantic", "httpx", "stepflow_api.types", "stepflow_api.client"})


def test_the_version_needs_nothing_else() -> None:
    modules = imported_by("import stepflow_api; assert stepflow_api.__version__[0].isdigit()")
    own = {name for name in modules if name.startswith("stepflow_api.")}
    assert own == {"stepflow_api._version"}


def test_models_need_no_http() -> None:
    modules = imported_by("from stepflow_api import models; models.Flow(name='a').to_json()")
    assert "pydantic" in modules
    assert modules.isdisjoint({"httpx", "httpcore", "anyio", "ssl", "asyncio"})


def test_a_model_imports_what_it_refers_to_alone() -> None:
    modules = imported_by("from stepflow_api.models import ListRunsResponse")
    models = {name.rpartition("models.")[2] for name in modules if "stepflow_api.models." in name}
    assert models == {"execution_status", "item_statistics", "list_runs_response", "run_summary"}


@pytest.mark.parametrize("name", ["errors", "spec"])
def test_light_modules_need_neither_pydantic_nor_httpx(name: str) -> None:
    modules = imported_by(f"import stepflow_api.{name}")
    assert modules.isdisjoint({"httpx", "pydantic", "asyncio"})


def test_a_client_needs_no_event_loop_and_no_httpx() -> None:
    modules = imported_by("import stepflow_api; stepflow_api.Client('http://localhost').close()")
    assert "stepflow_api.client" in modules
    assert modules.isdisjoint({"asyncio", "h11", "httpcore", "httptools", "httpx", "ssl"})
    # What parses arguments and answers comes with the first endpoint.
    assert modules.isdisjoint({"base64", "http", "urllib", "uuid"})
    assert modules.isdisjoint({"stepflow_api._operation", "stepflow_api._exchange.tokens"})


def test_a_request_needs_no_opentelemetry() -> None:
    script = """
from stepflow_api import Client
from stepflow_api.api.health import health_check
from stepflow_api.errors import ConnectionFailed
try:
    health_check.sync(client=Client("http://127.0.0.1:9"))
except ConnectionFailed:
    pass
"""
    modules = imported_by(f"exec({script!r})")
    assert "stepflow_api._transport.sync_connections" in modules
    assert not {name for name in modules if name.startswith("opentelemetry")}


def test_requests_and_their_errors_need_no_httpx() -> None:
    script = """if True:
        import asyncio
        from stepflow_api import Client, errors
        from stepflow_api.api.health import health_check
        with Client({url!r}) as client:
            answer = health_check.sync_detailed(client=client)
            assert answer.headers["Content-Type"] == "application/json"
            asyncio.run(health_check.asyncio_detailed(client=client))
        for call in (health_check.sync, lambda **o: asyncio.run(health_check.asyncio(**o))):
            try:
                call(client=Client("http://127.0.0.1:1"))
            except errors.ConnectionFailed:
                pass
    """
    with EchoServer() as server:
        modules = imported_by(f"exec({script.format(url=server.url)!r})")
    assert "stepflow_api._transport.failures" in modules
    assert modules.isdisjoint({"h11", "httpcore", "httpx", "httpcore2", "httpx2", "anyio"})


@pytest.mark.parametrize("made", ["httpx2.Client()", "httpx2.AsyncClient()"])
def test_requests_through_httpx2_need_no_httpx(made: str) -> None:
    script = """if True:
        import asyncio, httpx2
        from stepflow_api import Client, errors
        from stepflow_api.api.health import health_check
        def call(url):
            client = Client(url, http_client={made}, timeout=httpx2.Timeout(30))
            if "Async" in {made!r}:
                return asyncio.run(health_check.asyncio(client=client))
            return health_check.sync(client=client)
        assert call({url!r}).status == "healthy"
        try:
            call("http://127.0.0.1:1")
        except errors.ConnectionFailed as error:
            assert type(error.__cause__) is httpx2.ConnectError
    """
    with EchoServer() as server:
        modules = imported_by(f"exec({script.format(url=server.url, made=made)!r})")
    assert "stepflow_api._transport.httpx_transport" in modules
    assert modules.isdisjoint({"httpcore", "httpx"})


def test_httpx2_in_the_place_of_httpx() -> None:
    script = """if True:
        import sys
        import httpx2
        # The oldest versions have no function for this.
        alias = getattr(httpx2, "alias_httpx", lambda: sys.modules.update(httpx=httpx2))
        alias()
        import httpx
        from stepflow_api import Client
        from stepflow_api.api.health import health_check
        with httpx.Client(timeout=30) as http:
            assert health_check.sync(client=Client({url!r}, http_client=http)).status == "healthy"
    """
    with EchoServer() as server:
        modules = imported_by(f"exec({script.format(url=server.url)!r})")
    assert "httpcore2" in modules


def test_one_operation_imports_no_other() -> None:
    modules = imported_by("from stepflow_api.api.run import get_run")
    operations = {name for name in modules if name.startswith("stepflow_api.api.run.")}
    assert operations == {"stepflow_api.api.run.get_run"}


@pytest.mark.parametrize("name", stepflow_api.__all__)
def test_a_name_is_the_one_of_its_module(name: str) -> None:
    found = getattr(stepflow_api, name)
    assert [
        module
        for module in SUBMODULES
        if getattr(importlib.import_module(f"stepflow_api.{module}"), name, None) is found
    ]
    assert name in dir(stepflow_api)


def test_names_are_sorted() -> None:
    assert list(stepflow_api.__all__) == in_order(stepflow_api.__all__)


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(inspect.getsource(stepflow_api))
    imports = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module != "__future__"
        for alias in node.names
    }
    assert set(imports) == set(stepflow_api.__all__)
    for name, module in imports.items():
        assert module is not None
        assert getattr(importlib.import_module(module), name) is getattr(stepflow_api, name)


@pytest.mark.parametrize("name", SUBMODULES)
def test_a_submodule_is_there_without_an_import_of_its_own(name: str) -> None:
    statement = f"import stepflow_api; assert stepflow_api.{name}.__name__ == 'stepflow_api.{name}'"
    assert f"stepflow_api.{name}" in imported_by(statement)


@pytest.mark.parametrize("name", ["nope", "_nope", "run", "__nope__"])
def test_a_name_that_is_not_there(name: str) -> None:
    with pytest.raises(AttributeError, match=f"module 'stepflow_api' has no attribute '{name}'"):
        getattr(stepflow_api, name)
    assert name not in dir(stepflow_api)
    with pytest.raises(ImportError):
        exec(f"from stepflow_api import {name}")


@pytest.mark.parametrize("name", sorted({*SUBMODULES} - {"api", "models"}))
def test_each_module_offers_what_it_has(name: str) -> None:
    module = importlib.import_module(f"stepflow_api.{name}")
    assert list(module.__all__) == in_order(module.__all__)
    own = {
        key
        for key, value in vars(module).items()
        if not key.startswith("_")
        and getattr(value, "__module__", None) == module.__name__
        and isinstance(value, type)
    }
    assert own <= set(module.__all__)
    assert all(hasattr(module, key) for key in module.__all__)


def test_the_package_says_that_it_is_typed() -> None:
    assert stepflow_api.__file__
    assert Path(stepflow_api.__file__).with_name("py.typed").exists()


def signature(function: Any) -> dict[str, tuple[Any, Any]]:
    """Return parameters with kind, default and annotation."""
    return {
        name: (parameter.kind, parameter.default, parameter.annotation)  # type: ignore[misc]
        for name, parameter in inspect.signature(function).parameters.items()
    }


@pytest.mark.parametrize("endpoint", list(endpoints()))
def test_the_four_forms_of_an_endpoint_are_alike(endpoint: str) -> None:
    module = importlib.import_module(f"stepflow_api.api.{endpoint}")
    # A batch is a run of several items, so its endpoints have no operation of their own.
    below = ["OPERATION", "build_request"] if hasattr(module, "OPERATION") else []
    # What is answered with a stream of events can be read while it comes as well.
    streams = ["asyncio_stream", "stream"] if hasattr(module, "stream") else []
    assert module.__all__ == in_order([*below, *streams, *(form.name for form in FORMS)])
    forms = {form.name: getattr(module, form.name) for form in FORMS}
    assert all(inspect.iscoroutinefunction(forms[f.name]) == f.is_async for f in FORMS)
    sync, detailed = forms["sync"], forms["sync_detailed"]
    assert all(signature(function) == signature(sync) for function in forms.values())
    for plain, other in (("sync", "asyncio"), ("sync_detailed", "asyncio_detailed")):
        assert forms[plain].__doc__ == forms[other].__doc__
        annotations = (forms[plain].__annotations__, forms[other].__annotations__)
        assert annotations[0] == annotations[1]
    assert detailed.__annotations__["return"].startswith("Response[")
    # All but what identifies is given by name.
    kinds = inspect.Parameter
    names = list(inspect.signature(sync).parameters)
    client = names.index("client")
    for name, (kind, *_) in signature(sync).items():
        identifies = names.index(name) < client
        assert kind == (kinds.POSITIONAL_OR_KEYWORD if identifies else kinds.KEYWORD_ONLY), name
    for function in (sync, detailed):
        document = inspect.getdoc(function) or ""
        for section in ("Args:", "Returns:", "Raises:", *(f"{name}: " for name in names)):
            assert section in document


def test_the_tree_of_errors_is_the_one_in_the_docstring() -> None:
    drawn: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        stem = line.lstrip("│├└─ ")
        name = stem.split(" ")[0]
        if line.startswith("    ") and name.isidentifier() and name[0].isupper():
            depth = (len(line) - len(stem) - 4) // 4
            path[depth:] = [name]
            drawn[name] = path[depth - 1] if depth else "Exception"

    def parent(kind: type[BaseException]) -> str:
        base = next(b for b in kind.__mro__[1:] if not b.__name__.startswith("_"))
        return base.__name__

    kinds = [getattr(errors, name) for name in errors.__all__]
    assert drawn == {kind.__name__: parent(kind) for kind in kinds}
    for kind in kinds:
        assert issubclass(kind, errors.StepflowError)
        assert inspect.getdoc(kind)


def test_statuses_in_the_docstring_are_those_of_the_classes() -> None:
    for line in (errors.__doc__ or "").splitlines():
        words = line.split()
        if words and words[-1].isdigit() and len(words[-1]) == 3 and "to" not in words:
            kind = getattr(errors, words[-2])
            assert kind.status == int(words[-1])
            assert errors.status_error_class(int(words[-1])) is kind
    for status, kind in {
        500: errors.ServerError,
        599: errors.ServerError,
        402: errors.UnexpectedStatus,
        418: errors.UnexpectedStatus,
        302: errors.UnexpectedStatus,
        600: errors.UnexpectedStatus,
    }.items():
        assert errors.status_error_class(status) is kind
