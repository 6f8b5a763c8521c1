"""What published documents have and the specimens do not: compiled, and used against a server."""

import asyncio
import importlib
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stepflow_api.client import Client
from stepflow_api.errors import InvalidAnswer, InvalidRequest
from tools.codegen.compile import compile_package
from tools.codegen.errors import Refusals, SpecError

from .conftest import Server

NUMBERS = itertools.count()
TEXT = {"type": "string"}
NUMBER = {"type": "integer"}

Compile = Callable[..., Any]


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def has(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def content(schema: Any, media_type: str = "application/json") -> dict[str, Any]:
    return {"content": {media_type: {"schema": schema}}}


def operation(answer: Any = True, **more: Any) -> dict[str, Any]:
    return {
        "operationId": "call",
        "responses": {"200": {"description": "", **content(answer)}},
        **more,
    }


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Compile]:
    """Compile a document; return a function that imports the package's modules."""
    monkeypatch.syspath_prepend(tmp_path)
    packages: list[str] = []

    def make(
        paths: dict[str, Any],
        version: str = "3.1.0",
        *,
        skip: tuple[str, ...] = (),
        strict_requests: bool = False,
        ruff: str | None = os.environ["RUFF"],
        **schemas: Any,
    ) -> Callable[[str], Any]:
        package = f"unusual{next(NUMBERS)}"
        packages.append(package)
        document = {"openapi": version, "paths": paths, "components": {"schemas": schemas}}
        (tmp_path / "openapi.json").write_text(json.dumps(document))
        files = compile_package(
            tmp_path / "openapi.json",
            package=package,
            support="stepflow_api",
            command="update",
            hand_written={},
            ruff=Path(ruff) if ruff else None,
            skip=skip,
            strict_requests=strict_requests,
        )
        for path, text in files.items():
            file = tmp_path / package / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return lambda name: importlib.import_module(f"{package}.{name}")

    yield make
    for name in [name for name in sys.modules if name.partition(".")[0] in packages]:
        del sys.modules[name]


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(base_url=server.url) as client:
        yield client


def parameter(name: str, schema: Any, where: str = "query", **more: Any) -> dict[str, Any]:
    found = {"name": name, "in": where, "schema": schema, **more}
    return {**found, "required": True} if where == "path" else found


LIST = {"type": "array", "items": TEXT}
POINT = has(x=NUMBER, y=NUMBER)
POINT_VALUE = {"x": 1, "y": 2}


@pytest.mark.parametrize(
    ("described", "value", "target"),
    [
        (parameter("v", LIST), ["a b", "c&d"], "?v=a+b&v=c%26d"),
        (parameter("v", LIST, explode=False), ["a,b", "c"], "?v=a%2Cb,c"),
        (parameter("v", LIST, style="pipeDelimited", explode=False), ["a", "b"], "?v=a%7Cb"),
        (parameter("v", LIST, style="spaceDelimited", explode=False), ["a", "b"], "?v=a%20b"),
        (parameter("v", TEXT, allowReserved=True), "a/b:c&d", "?v=a/b:c%26d"),
        (parameter("v", POINT), POINT_VALUE, "?x=1&y=2"),
        (parameter("v", POINT, explode=False), POINT_VALUE, "?v=x,1,y,2"),
        (parameter("v", POINT, style="deepObject"), POINT_VALUE, "?v%5Bx%5D=1&v%5By%5D=2"),
        ({"name": "v", "in": "query", **content(POINT)}, POINT_VALUE, "?v=%7B%22x%22%3A1"),
        (parameter("v", LIST, "path"), ["a/b", "c"], "/a%2Fb,c"),
        (parameter("v", LIST, "path", style="label", explode=True), ["a", "b"], "/.a.b"),
        (parameter("v", LIST, "path", style="matrix", explode=True), ["a", "b"], "/;v=a;v=b"),
        (parameter("v", POINT, "path"), POINT_VALUE, "/x,1,y,2"),
        (parameter("v", POINT, "path", explode=True), POINT_VALUE, "/x=1,y=2"),
    ],
)
def test_styles_of_parameters(
    compiled: Compile, server: Server, client: Client, described: Any, value: Any, target: str
) -> None:
    path = "/things/{v}" if described["in"] == "path" else "/things"
    call = compiled({path: {"get": operation(parameters=[described])}})("api.default.call")
    call.sync(v=value, client=client)
    assert server.received[-1].target.startswith(f"/api/v1/things{target}")


def test_cookies_and_headers(compiled: Compile, server: Server, client: Client) -> None:
    parameters = [
        parameter("session", TEXT, "cookie"),
        parameter("other", LIST, "cookie", explode=False),
        parameter("X-Point", POINT, "header", explode=True),
    ]
    call = compiled({"/a": {"get": operation(parameters=parameters)}})("api.default.call")
    call.sync(client=client, session="a b;c", other=["x", "y"], x_point=POINT_VALUE)
    headers = server.received[-1].headers
    assert headers["cookie"] == "session=a%20b%3Bc; other=x,y"
    assert headers["x-point"] == "x=1,y=2"
    call.sync(client=client)
    assert "cookie" not in server.received[-1].headers


def test_a_path_with_a_query_of_its_own(compiled: Compile, server: Server, client: Client) -> None:
    paths = {"/a?beta=true#part": {"get": operation(parameters=[parameter("q", TEXT)])}}
    call = compiled(paths)("api.default.call")
    call.sync(client=client, q="x")
    assert server.received[-1].target == "/api/v1/a?beta=true&q=x"


@pytest.mark.parametrize(
    ("name", "argument"), [("extra", "extra"), ("build_request", "build_request_")]
)
def test_arguments_that_an_endpoint_uses_itself(
    compiled: Compile, server: Server, client: Client, name: str, argument: str
) -> None:
    paths = {"/a": {"get": operation(parameters=[parameter(name, TEXT)])}}
    compiled(paths)("api.default.call").sync(client=client, **{argument: "x"})
    assert server.received[-1].target == f"/api/v1/a?{name}=x"


def test_one_name_in_two_places(compiled: Compile, server: Server, client: Client) -> None:
    parameters = [parameter("id", TEXT, "path"), parameter("id", TEXT)]
    call = compiled({"/a/{id}": {"get": operation(parameters=parameters)}})("api.default.call")
    call.sync("x", id_query="y", client=client)
    assert server.received[-1].target == "/api/v1/a/x?id=y"


def test_forms_and_other_bodies(compiled: Compile, server: Server, client: Client) -> None:
    form = "application/x-www-form-urlencoded"
    body = {"content": {form: {"schema": ref("Form")}, "multipart/form-data": {}}}
    package = compiled(
        {"/a": {"post": operation(requestBody=body)}}, Form=has(name=TEXT, tags=LIST, sub={})
    )
    call, models = package("api.default.call"), package("models")
    call.sync(client=client, body=models.Form(name="a b", tags=["x", "y"]))
    assert server.received[-1].body == b"name=a+b&tags=x&tags=y"
    assert server.received[-1].headers["content-type"] == form
    with pytest.raises(InvalidRequest, match="a field 'sub' that is of type list"):
        call.sync(client=client, body=models.Form(sub=[[1]]))
    parts = 'multipart/form-data; boundary="b"'
    call.sync(client=client, body=b"--b--", content_type=parts)
    assert (server.received[-1].body, server.received[-1].headers["content-type"]) == (
        b"--b--",
        parts,
    )
    call.sync(client=client, body="grüß", content_type="text/plain; charset=latin-1")
    assert server.received[-1].body == "grüß".encode("latin-1")


def test_answers_of_several_media_types(compiled: Compile, server: Server, client: Client) -> None:
    media = {"text/csv": {}, "application/xml": {}, **content(ref("Thing"))["content"]}
    answers = {"200": {"description": "", "content": media}}
    package = compiled({"/a": {"get": operation(responses=answers)}}, Thing=has(name=TEXT))
    call = package("api.default.call")
    server.answers(200, {"name": "x"})
    assert call.sync(client=client).name == "x"
    accept = "application/json, text/csv;q=0.9, application/xml;q=0.9"
    assert server.received[-1].headers["accept"] == accept
    server.answers(200, "ü".encode("latin-1"), "text/csv; charset=iso-8859-1")
    assert call.sync(client=client, accept="text/csv") == "ü"
    assert server.received[-1].headers["accept"] == "text/csv"
    server.answers(200, b"<x/>", "application/xml")
    assert call.sync(client=client, accept="application/xml") == b"<x/>"


def test_streams_of_events_and_of_lines(compiled: Compile, server: Server, client: Client) -> None:
    for number, (media_type, body) in enumerate(
        [
            ("text/event-stream", b'data: {"name": "a"}\n\ndata: [DONE]\n\n'),
            ("application/x-ndjson", b'{"name": "a"}\n\n[1]'),
        ]
    ):
        answers = {"200": {"description": "", **content(ref("Event"), media_type)}}
        package = compiled(
            {"/a": {"get": operation(responses=answers, operationId=f"call{number}")}},
            Event=has("name", name=TEXT),
        )
        call = package(f"api.default.call{number}")
        server.answers(200, body, media_type)
        with call.stream(client=client) as stream:
            first, last = list(stream)
        assert type(first).__name__ == "Event" and first.name == "a"
        # What is no such event loses nothing.
        assert last == ("[DONE]" if number == 0 else [1])
        assert server.received[-1].headers["accept"] == media_type

        async def read(call: Any = call) -> list[Any]:
            async with (
                Client(base_url=server.url) as client,
                await call.asyncio_stream(client=client) as stream,
            ):
                return [event async for event in stream]

        assert asyncio.run(read()) == [first, last]
        server.answers(200, {}, "application/json")
        with pytest.raises(InvalidAnswer, match="no stream"):
            call.stream(client=client)


def test_names_that_python_has_not(compiled: Compile) -> None:
    thing = has(a=TEXT)
    paths = {
        "/a": {"get": operation(ref("None"), operationId="import", tags=["1"])},
        "/b/{x}": {"get": {"parameters": [parameter("x", TEXT, "path")], "responses": {}}},
        "/c": {"get": operation(ref("400"), operationId="名", tags=["class"])},
        "/d": {"get": operation(operationId="import", tags=["1"])},
    }
    package = compiled(paths, **{"None": thing, "400": thing, "run-x": thing, "RunX": thing})
    models = package("models")
    assert {"None_", "Schema400", "RunX"} < {*models.__all__}
    (other,) = (name for name in models.__all__ if name.startswith("RunX_"))
    assert models.RunX is not getattr(models, other)
    operations = package("spec").OPERATIONS
    assert [facts.module for facts in operations.values()][:3] == [
        "api.tag_1.import_",
        "api.default.get_b_x",
        "api.class_.u540d",
    ]
    for facts in operations.values():
        assert package(facts.module).OPERATION.path == facts.path


def test_names_stay_when_a_document_grows(compiled: Compile) -> None:
    before = {"a-b": has(x=has(y=TEXT)), "a_b": has(z=TEXT)}
    names = {*compiled({}, **before)("models").__all__}
    after = {**before, "A_B": has(q=TEXT), "ABC": has(x=TEXT)}
    assert names < {*compiled({}, **after)("models").__all__}


def test_all_refusals_are_told_at_once(compiled: Compile) -> None:
    bad = {"allOf": [False]}
    paths = {
        "/a": {"get": operation(ref("Bad"))},
        "/b": {"get": operation(parameters=[parameter("x", TEXT, "body")], operationId="b")},
        "/c": {"get": operation(ref("Good"), operationId="c")},
    }
    schemas = {
        "Bad": bad,
        "Good": has(a=TEXT),
        "Unused": has(bad=bad),
        "User": has(u=ref("Unused")),
    }
    with pytest.raises(Refusals) as caught:
        compiled(paths, **schemas)
    assert sorted(error.place for error in caught.value.errors) == [
        "#/components/schemas/Bad/allOf/0",
        "#/paths/~1b/get/parameters/0",
    ]
    package = compiled(paths, skip=("call", "GET /b"), **schemas)
    assert [*package("spec").OPERATIONS] == ["c"]
    assert package("models").__all__ == ["Good"]
    with pytest.raises(SpecError, match="no operation 'nope'"):
        compiled(paths, skip=("nope",), **schemas)


def test_what_one_document_says_of_another(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "thing.yaml").write_text(
        "type: object\nproperties: {$ref: 'properties.yaml'}\n"
    )
    (tmp_path / "parts" / "properties.yaml").write_text(
        "next: {$ref: 'thing.yaml'}\nat: {type: string}\n"
    )
    document = tmp_path / "openapi.yaml"
    document.write_text(
        "openapi: 3.0.3\ncomponents:\n  schemas:\n    Thing: {$ref: 'parts/thing.yaml'}\n"
        "paths:\n  /a:\n    get:\n      operationId: call\n      responses:\n"
        "        200:\n          content:\n            application/json:\n"
        "              schema: {$ref: 'parts/thing.yaml'}\n"
    )

    def compile_it(*sources: Path) -> dict[str, str]:
        return compile_package(
            document,
            sources=sources,
            package="x",
            support="stepflow_api",
            command="update",
            hand_written={},
            ruff=None,
        )

    with pytest.raises(SpecError, match="add its file to the sources"):
        compile_it()
    files = compile_it(*(tmp_path / "parts").iterdir())
    assert "next: Thing | None = None" in files["models/thing.py"]
    assert [name for name in files if "thing_" in name] == []


ANSWERS: list[tuple[Any, dict[str, Any], Any, Any]] = [
    # Schema of the answer, the other schemas, a document, and the type that it becomes.
    (
        {"oneOf": [ref("A"), ref("B")], "properties": {"c": NUMBER}},
        {"A": has("a", a=TEXT), "B": has("b", b=TEXT)},
        {"b": "x", "c": 1},
        "CallResponseB",
    ),
    (
        {"allOf": [{"oneOf": [ref("A"), ref("B")]}, has(c=NUMBER)]},
        {"A": has("a", a=TEXT), "B": has("b", b=TEXT)},
        {"a": "x", "c": 1},
        "CallResponseA",
    ),
    (
        {**has(a=TEXT, b=TEXT), "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        {},
        {"b": "x"},
        "CallResponse",
    ),
    (
        ref("Pet"),
        {
            "Pet": {**has("kind", kind=TEXT), "discriminator": {"propertyName": "kind"}},
            "Cat": {"allOf": [ref("Pet"), has(lives=NUMBER)]},
        },
        {"kind": "Cat", "lives": 9},
        "Cat",
    ),
    (
        ref("Pet"),
        {
            "Pet": {**has("kind", kind=TEXT), "discriminator": {"propertyName": "kind"}},
            "Cat": {"allOf": [ref("Pet"), has(lives=NUMBER)]},
        },
        {"kind": "Dodo"},
        "Pet",
    ),
    (
        ref("Pet"),
        {
            "Pet": {
                **has("name", kind={"enum": ["Cat", "Dog"]}, name=TEXT),
                "discriminator": {"propertyName": "kind"},
            },
            "Cat": {"allOf": [ref("Pet"), has(lives=NUMBER)]},
        },
        {"kind": "Cat", "name": "Tom", "lives": 9},
        "Cat",
    ),
    (
        {"oneOf": [ref("A"), ref("Rest")], "discriminator": {"propertyName": "k"}},
        {
            "A": has("k", k={"const": "a"}),
            "B": has("k", k={"const": "b"}),
            "C": has("k", k={"const": "c"}),
            "Rest": {"oneOf": [ref("B"), ref("C")]},
        },
        {"k": "c"},
        "C",
    ),
    (
        {
            "oneOf": [ref("A"), ref("B")],
            "discriminator": {"propertyName": "k", "mapping": {"1": "A", "2": "A", "3": "B"}},
        },
        {"A": has("k", k=TEXT), "B": has("k", k=TEXT)},
        {"k": "2"},
        "A",
    ),
    (
        ref("Cat"),
        {
            "Cat": {"allOf": [ref("Pet"), has(friend=ref("Pet"))], "additionalProperties": True},
            "Pet": {
                **has("kind", kind=TEXT),
                "discriminator": {"propertyName": "kind"},
                "additionalProperties": TEXT,
            },
        },
        {"kind": "Cat", "friend": {"kind": "Cat", "other": "x"}},
        "Cat",
    ),
    (has(t={"type": "string", "format": "date-time"}), {}, {"t": "2024-01-02T03:04:05"}, None),
    (has("k", k={"const": "one"}), {}, {"k": "two"}, "CallResponse"),
    (has(k=ref("One")), {"One": {"enum": ["one"]}}, {"k": "two"}, "CallResponse"),
    (has(k={"additionalProperties": {"const": 1}}), {}, {"k": {"a": 2}}, "CallResponse"),
    ({"type": "array", "items": {"const": "one"}}, {}, ["two"], "list"),
    ({"type": "array", "prefixItems": [NUMBER, TEXT]}, {}, [1, "a", None], "list"),
    ({"type": "array", "prefixItems": [NUMBER, TEXT], "items": False}, {}, [1, "a"], "tuple"),
    (
        has(v={"items": {"prefixItems": [NUMBER, TEXT], "items": False}}),
        {},
        {"v": [[1, "a"]]},
        None,
    ),
    ({"type": ["object", "string"], "properties": {"a": NUMBER}}, {}, "x", "str"),
    ({"$ref": "#/components/schemas/A/properties/x"}, {"A": has(x=has(y=TEXT))}, {"y": "z"}, "AX"),
    ({"$ref": "#/components/schemas/A", "required": ["b"]}, {"A": has(b=TEXT)}, {"b": "x"}, None),
    ({"allOf": [ref("E")], "x-order": 1, "example": "b"}, {"E": {"enum": ["a", "b"]}}, "b", "E"),
    ({"allOf": [ref("A"), has(x=NUMBER)]}, {"A": has(x=TEXT, y=TEXT)}, {"x": 1}, "CallResponse"),
    (
        {**has(a=TEXT), "oneOf": [has("b", b=NUMBER), {"title": "no"}]},
        {},
        {"a": "x"},
        "CallResponseNo",
    ),
    (
        {**has(a=TEXT), "oneOf": [has("b", b=NUMBER), {"title": "no"}]},
        {},
        {"b": 1},
        "CallResponseB",
    ),
    ({"items": NUMBER, "oneOf": [{"type": "object"}, {"type": "array"}]}, {}, [1], "list"),
    (
        has(a={"items": NUMBER, "oneOf": [{"type": "object"}]}),
        {},
        {"a": {"b": "x"}},
        "CallResponse",
    ),
    ({"type": "string", "enum": [], "allOf": [ref("E")]}, {"E": {"enum": ["a", "b"]}}, "b", "E"),
]


@pytest.mark.parametrize(("schema", "schemas", "document", "name"), ANSWERS)
def test_answers(
    compiled: Compile,
    server: Server,
    client: Client,
    schema: Any,
    schemas: dict[str, Any],
    document: Any,
    name: str | None,
) -> None:
    package = compiled({"/a": {"get": operation(schema)}}, **schemas)
    server.answers(200, document)
    found = package("api.default.call").sync(client=client)
    if name is not None:
        assert type(found).__name__ == name
    if isinstance(document, dict):
        assert found.to_dict() == document
    else:
        assert found == (tuple(document) if name == "tuple" else document)


@pytest.mark.parametrize(
    ("more", "strict", "is_sent"),
    [
        ({}, False, True),
        ({"additionalProperties": {}}, False, True),
        ({"additionalProperties": False}, False, False),
        ({}, True, False),
        ({"additionalProperties": {}}, True, True),
    ],
)
def test_fields_of_requests_that_the_document_does_not_name(
    compiled: Compile,
    server: Server,
    client: Client,
    more: dict[str, Any],
    strict: bool,
    is_sent: bool,
) -> None:
    paths = {"/a": {"put": operation(requestBody=content(ref("Sent")))}}
    package = compiled(paths, strict_requests=strict, Sent={**has(a=NUMBER), **more})
    model = package("models").Sent
    if is_sent:
        package("api.default.call").sync(client=client, body=model.from_dict({"a": 1, "b": 2}))
        assert json.loads(server.received[-1].body) == {"a": 1, "b": 2}
    else:
        with pytest.raises(ValueError, match="Extra inputs are not permitted"):
            model.from_dict({"a": 1, "b": 2})


def test_a_document_without_models(compiled: Compile) -> None:
    models = compiled({"/a": {"get": operation()}})("models")
    assert models.__all__ == []
    # Strict type checkers ask for it where nothing is in it.
    assert models.__annotations__ == {"_MODULES": "dict[str, str]"}


def test_unknown_tags_of_unions(compiled: Compile, server: Server, client: Client) -> None:
    def variant(value: str, **more: Any) -> dict[str, Any]:
        return has("$type", "size", **{"$type": {"const": value}, "size": NUMBER, **more})

    told = {"discriminator": {"propertyName": "$type"}}
    package = compiled(
        {
            "/a": {"post": operation(has(news=ref("News")), requestBody=content(ref("Both")))},
            "/b": {"get": operation(ref("Both"), operationId="read")},
            "/c": {"put": operation(operationId="write", requestBody=content(has(it=ref("Sent"))))},
        },
        Big=variant("big"),
        Huge=variant("huge"),
        Small=variant("small"),
        Tiny=variant("tiny", inner=ref("News")),
        News={"oneOf": [ref("Huge"), ref("Tiny")], **told},
        Shape={"oneOf": [ref("Big"), ref("Small")], **told},
        Sent={"oneOf": [ref("Big"), ref("Small")], **told},
        Both=has(
            shape=ref("Shape"), either={"oneOf": [ref("Inner"), has("$type", **{"$type": TEXT})]}
        ),
        Inner={"oneOf": [ref("Big"), ref("Small")], **told},
    )
    models = package("models")
    new = {"$type": "new", "size": [None], "type": 1}
    server.answers(200, {"news": {"$type": "tiny", "size": 1, "inner": new}})
    inner = package("api.default.call").sync(client=client).news.inner
    assert (type(inner).__name__, inner.type, inner.to_dict()) == ("OtherNews", "new", new)
    old = models.Tiny(size=1, inner=inner)
    assert models.Tiny.from_dict(old.to_dict() | {"inner": {"$type": "new"}}).inner.type == "new"
    server.answers(200, {"news": {"$type": "huge", "size": "x"}})
    with pytest.raises(InvalidAnswer, match=r"news\.huge\.size: Input should be a valid int"):
        package("api.default.call").sync(client=client)
    server.answers(200, {"shape": new, "either": {"$type": "other"}})
    read = package("api.default.read").sync(client=client)
    assert read.to_dict() == {"shape": new, "either": {"$type": "other"}}
    assert type(read.either).__name__ == "BothEitherType"
    assert models.Both(shape=read.shape, either=read.either) == read
    # A request, as Python has it.
    with pytest.raises(ValueError, match="expected tags: 'big', 'small'"):
        models.Both.from_dict({"shape": new})
    assert not hasattr(models, "OtherSent")


def test_typed_additional_properties(compiled: Compile, server: Server, client: Client) -> None:
    thing = {**has(maxRetries=NUMBER), "additionalProperties": ref("Part")}
    body = {"required": True, **content(ref("Thing"))}
    package = compiled(
        {"/a": {"post": operation(ref("Thing"), requestBody=body)}}, Thing=thing, Part=has(q=NUMBER)
    )
    models = package("models")
    document = {"maxRetries": 1, "max_retries": {"q": 2}}
    server.answers(200, document)
    call = package("api.default.call")
    found = call.sync(client=client, body=models.Thing.from_dict({"max_retries": {"q": 3}}))
    assert json.loads(server.received[-1].body) == {"max_retries": {"q": 3}}
    assert found.max_retries == 1
    assert found.model_extra == {"max_retries": models.Part(q=2)}
    assert found.to_dict() == document


@pytest.mark.parametrize(
    ("schema", "default"),
    [
        ({"type": "array", "items": TEXT, "default": ["x"]}, ["x"]),
        ({"type": "object", "additionalProperties": TEXT, "default": {"a": "b"}}, {"a": "b"}),
        ({"allOf": [ref("Part")], "default": {}}, {}),
        ({**has(a=TEXT), "default": None}, None),
        ({"type": "integer", "default": "5"}, None),
    ],
)
def test_defaults(compiled: Compile, schema: Any, default: Any) -> None:
    models = compiled({}, Thing=has(it=schema), Part=has(q=NUMBER))("models")
    found, other = models.Thing(), models.Thing()
    assert (found.it.to_dict() if hasattr(found.it, "to_dict") else found.it) == default
    assert found.it is None or found.it is not other.it
    assert found.to_dict() == {}


MAYBE = {"type": ["string", "null"]}
DATE = {"type": "string", "format": "date"}
TREE = {"type": "array", "items": {"type": "object", "additionalProperties": ref("Thing")}}


@pytest.mark.parametrize(
    ("schema", "right", "wrong"),
    [
        ({"type": "array", "items": MAYBE}, ["a", None], [1]),
        ({"type": "array", "items": {**LIST, "type": ["array", "null"]}}, [["a"], None], [[1]]),
        ({"type": "object", "additionalProperties": MAYBE}, {"a": None}, {"a": 1}),
        ({"type": ["object", "null"], "additionalProperties": NUMBER}, None, {"a": "b"}),
        ({"type": ["string", "object"], "additionalProperties": NUMBER}, {"a": 1}, {"a": "b"}),
        ({"prefixItems": [TEXT, MAYBE], "items": False}, ("a", None), ["a"]),
        ({"anyOf": [{"type": "string", "minLength": 2}, NUMBER]}, "a", []),
        (TREE, [{"a": [{"b": []}]}], [{"a": 1}]),
    ],
)
def test_types_that_stand_alone(compiled: Compile, schema: Any, right: Any, wrong: Any) -> None:
    models = compiled({}, Thing=schema, Holder=has("it", it=ref("Thing")))("models")
    assert models.Holder.from_dict({"it": right}).it == right
    with pytest.raises(ValueError, match="Holder"):
        models.Holder.from_dict({"it": wrong})


def test_names_of_what_modules_import(compiled: Compile) -> None:
    parts = {name: has("x", x=TEXT) for name in ("Dict", "Optional", "Union", "annotations")}
    holder = has(**{name: ref(name) for name in parts}, date=DATE, day=DATE, default=DATE)
    kinds = {"type": "string", "enum": ["UUID", "DATE"]}
    other = has(id={"type": "string", "format": "uuid"}, on=DATE, kind=ref("Kinds"))
    # Without ruff, which puts an import from __future__ first wherever it was.
    # For typed additional properties, the library imports a Dict of its own.
    extra = {**has(a=TEXT), "additionalProperties": NUMBER}
    schemas = {"Holder": holder, "Other": other, "Kinds": kinds, "Extra": extra, **parts}
    package = compiled({}, ruff=None, **schemas)
    models = package("models")
    document = {name: {"x": "1"} for name in parts} | {"date": "2026-01-02", "day": "2026-01-03"}
    assert models.Holder.from_dict(document).to_dict() == document
    document = {"id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "on": "2026-01-02", "kind": "UUID"}
    assert models.Other.from_dict(document).to_dict() == document
