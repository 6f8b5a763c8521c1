import ast
import copy
import json
import os
import subprocess
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tools.codegen.compile import main
from tools.pytest.forked import run_forked

COMPILER, RUFF = Path(os.environ["COMPILER"]).absolute(), Path(os.environ["RUFF"]).absolute()

GOOD: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Good", "version": "1"},
    "paths": {
        "/things/{id}": {
            "get": {
                "operationId": "getThing",
                "tags": ["things"],
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "q", "in": "query", "schema": {"type": "string"}},
                ],
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}
                    }
                },
                "responses": {
                    "200": {
                        "description": "It",
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}
                        },
                    }
                },
            }
        }
    },
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "kind": {"$ref": "#/components/schemas/Kind"},
                },
            },
            "Kind": {"type": "string", "enum": ["a", "b"]},
        }
    },
}

OPERATION = "#/paths/~1things~1{id}/get"
SCHEMAS = "#/components/schemas"
B = {"$ref": f"{SCHEMAS}/B"}
THING = {"$ref": f"{SCHEMAS}/Thing"}
OTHER = {"$ref": f"{SCHEMAS}/Other"}


def execute(
    arguments: Sequence[str], *, env: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    """Run the compiler as Bazel does, in a second; a forked one takes a tenth of that."""
    return subprocess.run([COMPILER, *arguments], env=env, capture_output=True, text=True)


class Run:
    """Run the compiler's command line in a folder of its own."""

    def __init__(
        self, folder: Path, start: Callable[..., "subprocess.CompletedProcess[str]"]
    ) -> None:
        self.start = start
        self.folder = folder
        self.outputs = folder / "out"
        self.temporary = folder / "temporary"
        self.temporary.mkdir()

    def __call__(self, spec: Path, hand_written: dict[str, Path] | None = None) -> str:
        """Return what it says on stderr; check that it fails and leaves nothing behind."""
        made = self.process(spec, hand_written or {})
        assert made.returncode == 1, made.stderr
        assert made.stdout == ""
        assert not self.outputs.exists()
        assert list(self.temporary.iterdir()) == []
        (line,) = made.stderr.splitlines()
        prefix = f"{spec}: "
        assert line.startswith(prefix)
        return line.removeprefix(prefix)

    def process(
        self, spec: Path, hand_written: dict[str, Path]
    ) -> "subprocess.CompletedProcess[str]":
        return self.start(
            [
                *(f"--spec={spec}", "--package=good", "--command=bazel run //good:update"),
                *(f"--ruff={RUFF}", f"--archive={self.outputs / 'good.zip'}"),
                *(f"--folder={self.outputs}", "--output", "models/thing.py", "spec.py"),
                "--hand-written",
                *(f"{path}={file}" for path, file in hand_written.items()),
            ],
            env={**os.environ, "TMPDIR": str(self.temporary)},
        )


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Compile once here: the generator imports most of itself only then, so each child would."""
    folder = tmp_path_factory.mktemp("imported")
    (folder / "good.json").write_text(json.dumps(GOOD))
    arguments = [f"--spec={folder / 'good.json'}", f"--archive={folder / 'good.zip'}"]
    assert main([*arguments, "--package=good", "--command=x", f"--ruff={RUFF}"]) == 0


@pytest.fixture
def run(imported: None, tmp_path: Path) -> Run:
    return Run(tmp_path, partial(run_forked, main))


@pytest.fixture
def command(tmp_path: Path) -> Run:
    return Run(tmp_path, execute)


@pytest.fixture
def refused(run: Run, tmp_path: Path) -> Callable[[Callable[[dict[str, Any]], object]], str]:
    """Change the good spec, and return what the compiler says of it."""

    def with_change(change: Callable[[dict[str, Any]], object]) -> str:
        document = copy.deepcopy(GOOD)
        change(document)
        spec = tmp_path / "bad.json"
        spec.write_text(json.dumps(document))
        return run(spec)

    return with_change


def operation(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"]["/things/{id}"]["get"]
    return found


def schemas(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"]
    return found


def test_the_good_spec_compiles(command: Run, tmp_path: Path) -> None:
    spec = tmp_path / "good.json"
    spec.write_text(json.dumps(GOOD))
    made = command.process(spec, {})
    assert (made.returncode, made.stdout, made.stderr) == (0, "", "")
    assert "class Thing(Model)" in (command.outputs / "models" / "thing.py").read_text()
    assert list(command.temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not JSON: Expecting value at line 1, column 1"),
        (b"{\n  nope", "is not JSON: Expecting property name enclosed in double quotes at line 2"),
        (b"openapi: 3.1.0\n", "is not JSON"),
        (b"[]", "#: is an array; an object is needed"),
        (b'"text"', "#: is a string; an object is needed"),
        (b"null", "#: is null; an object is needed"),
        (b'{"openapi": "3.1.0", "info": "\xff"}', "is not UTF-8 (byte 30)"),
        (b'{"openapi": "3.1.0", "info": "\\ud800"}', "half of a surrogate pair"),
        (b'{"openapi": "3.1.0", "x": NaN}', "has NaN"),
        (b'{"openapi": "3.1.0", "x": 1e999}', "has 1e999"),
        (b'{"openapi": "3.1.0", "paths": {}, "paths": {}}', "the key 'paths' occurs twice"),
        (b'{"x":' * 100_000, "nested too deeply"),
        (
            b'{"openapi": "3.1.0", "components": {"schemas": {"A": '
            + b'{"type": "array", "items": ' * 400
            + b"{}"
            + b"}" * 403,
            "is nested too deeply to be compiled",
        ),
        (b"{}", "#/openapi: no openapi key; this compiler supports OpenAPI 3.x"),
        (b'{"swagger": "2.0"}', "#/openapi: swagger: '2.0'; this compiler supports OpenAPI 3.x"),
        (b'{"openapi": "4.0.0"}', "#/openapi: openapi: '4.0.0'"),
        (b'{"openapi": 3.1}', "#/openapi: openapi: 3.1"),
        (b'{"openapi": "3.x"}', "#/openapi: openapi: '3.x'"),
        (b'{"openapi": null}', "#/openapi: openapi: None"),
    ],
)
def test_files_that_are_no_spec(run: Run, tmp_path: Path, content: bytes, said: str) -> None:
    spec = tmp_path / "bad.json"
    spec.write_bytes(content)
    assert said in run(spec)


def test_a_file_that_is_missing(command: Run, tmp_path: Path) -> None:
    assert command(tmp_path / "none.json") == "cannot be read: No such file or directory"
    assert command(tmp_path) == "cannot be read: Is a directory"


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        (f"{SCHEMAS}/Nope", "$ref '#/components/schemas/Nope' points to nothing"),
        ("#/components/nope/Thing", "nothing is at 'nope'"),
        ("other.json#/components/schemas/Thing", "leads out of the document; add its file to"),
        ("https://example.com/thing.json", "leads out of the document"),
        ("Thing", "leads out of the document"),
        ("#thing", "no $anchor is 'thing'"),
        (1, "$ref is a number; a string is needed"),
        (None, "$ref is null; a string is needed"),
    ],
)
def test_references(refused: Any, reference: object, said: str) -> None:
    line = refused(lambda d: schemas(d)["Thing"]["properties"].update(kind={"$ref": reference}))
    assert line.startswith(f"{SCHEMAS}/Thing/properties/kind")
    assert said in line


@pytest.mark.parametrize(
    "loop",
    [
        {"A": {"$ref": f"{SCHEMAS}/A"}},
        {"A": {"$ref": f"{SCHEMAS}/B"}, "B": {"$ref": f"{SCHEMAS}/A"}},
        {"A": {"allOf": [{"$ref": f"{SCHEMAS}/B"}]}, "B": {"allOf": [{"$ref": f"{SCHEMAS}/A"}]}},
        {"A": {"oneOf": [{"$ref": f"{SCHEMAS}/A"}, {"type": "string"}]}},
        {
            "A": {"anyOf": [{"$ref": f"{SCHEMAS}/B"}, {"type": "null"}]},
            "B": {"$ref": f"{SCHEMAS}/A"},
        },
    ],
)
def test_schemas_that_are_themselves(refused: Any, loop: dict[str, Any]) -> None:
    def change(document: dict[str, Any]) -> None:
        schemas(document).update(loop)
        schemas(document)["Thing"]["properties"]["a"] = {"$ref": f"{SCHEMAS}/A"}

    line = refused(change)
    assert "leads back to itself" in line
    assert line.startswith(f"{SCHEMAS}/")


def test_a_parameter_that_is_itself(refused: Any) -> None:
    reference = {"$ref": "#/components/parameters/Loop"}

    def change(document: dict[str, Any]) -> None:
        document["components"]["parameters"] = {"Loop": reference}
        operation(document)["parameters"].append(reference)

    assert "#/components/parameters/Loop" in refused(change)


@pytest.mark.parametrize(
    ("change", "place", "said"),
    [
        (lambda o: o.update(tags=[1]), "/tags/0", "a tag is a string"),
        (lambda o: o.update(tags={}), "/tags", "is an object; an array is needed"),
        (lambda o: o["parameters"].pop(0), "", "the path has {id} but no parameter of that name"),
        (lambda o: o["parameters"][0].update({"in": "query"}), "", "the path has {id} but no"),
        (
            lambda o: o["parameters"][1].update({"in": "path"}),
            "/parameters/1",
            "'q' does not stand in the path '/things/{id}'",
        ),
        (lambda o: o["parameters"][1].pop("name"), "/parameters/1", "has no name"),
        (
            lambda o: o["parameters"][1].update({"in": "body"}),
            "/parameters/1",
            "in: 'body'; path, query, header and cookie are supported",
        ),
        (
            lambda o: o["parameters"][1].update(style="matrix"),
            "/parameters/1",
            "style 'matrix'; a query has form or spaceDelimited or pipeDelimited or deepObject",
        ),
        (
            lambda o: o["parameters"].append({**o["parameters"][1], "required": True}),
            "/parameters/2",
            "stands here twice",
        ),
        (lambda o: o.update(parameters={}), "/parameters", "is an object; an array is needed"),
        (lambda o: o.update(parameters=[None]), "/parameters/0", "is null; an object is needed"),
        (lambda o: o.update(requestBody={"content": {}}), "/requestBody", "has no content"),
        (lambda o: o["requestBody"].update(content=None), "/requestBody/content", "is null"),
        (lambda o: o.update(responses=None), "/responses", "is null; an object is needed"),
        (lambda o: o.update(responses=[]), "/responses", "is an array; an object is needed"),
        (lambda o: o.update(responses={"ok": {}}), "/responses/ok", "'ok' is no status"),
        (lambda o: o.update(responses={"600": {}}), "/responses/600", "'600' is no status"),
        (
            lambda o: o["responses"]["200"].update(content=None),
            "/responses/200/content",
            "is null; an object is needed",
        ),
        (lambda o: o.update(summary=1), "/summary", "is a number; a string is needed"),
        (lambda o: o.update(description=[]), "/description", "is an array; a string is needed"),
    ],
)
def test_operations(
    refused: Any, change: Callable[[dict[str, Any]], object], place: str, said: str
) -> None:
    line = refused(lambda document: change(operation(document)))
    assert line.startswith(f"{OPERATION}{place}: ")
    assert said in line


@pytest.mark.parametrize(
    ("paths", "place", "said"),
    [
        ([], "#/paths", "is an array; an object is needed"),
        (None, "#/paths", "is null; an object is needed"),
        ({"/a": None}, "#/paths/~1a", "is null; an object is needed"),
        ({"/a": {"get": []}}, "#/paths/~1a/get", "is an array; an object is needed"),
        ({"a": {}}, "#/paths/a", "a path begins with /"),
        ({"/{a": {"get": {"operationId": "x"}}}, "#/paths/~1{a", "braces in this path do not pair"),
        ({"/a": {"$ref": "#/paths/~1a"}}, "#/paths/~1a", "leads back to itself"),
    ],
)
def test_paths(refused: Any, paths: object, place: str, said: str) -> None:
    line = refused(lambda document: document.update(paths=paths))
    assert line.startswith(f"{place}: ")
    assert said in line


@pytest.mark.parametrize(
    ("schema", "place", "said"),
    [
        ("text", "", "is a string; an object is needed"),
        (1, "", "is a number; an object is needed"),
        ([], "", "is an array; an object is needed"),
        ({"type": "text"}, "/type", "'text' is no JSON type"),
        ({"type": []}, "/type", "is empty"),
        ({"type": {}}, "/type", "is an object, which has no meaning here"),
        ({"properties": []}, "/properties", "is an array, which has no meaning here"),
        ({"properties": {"a": 1}}, "/properties/a", "is a number; an object is needed"),
        ({"properties": {"a": {}}, "required": "a"}, "/required", "is a string"),
        ({"properties": {"a": {}}, "required": [1]}, "/required", "a member that is not a string"),
        ({"type": "array", "items": 1}, "/items", "is a number"),
        ({"allOf": []}, "/allOf", "is empty"),
        ({"enum": "a"}, "/enum", "is a string"),
        ({"oneOf": []}, "/oneOf", "is empty"),
        ({"allOf": [False, {"type": "string"}]}, "/allOf/0", "allows no value"),
        (
            {"allOf": [{"type": "string"}, {"properties": {"a": {}}}]},
            "/allOf/0",
            "allOf joins an object and what is none",
        ),
        (
            {
                "oneOf": [THING, OTHER],
                "discriminator": {},
            },
            "/discriminator",
            "has no propertyName",
        ),
        (
            {
                "oneOf": [THING, OTHER],
                "discriminator": {"propertyName": "name", "mapping": {"a": f"{SCHEMAS}/Nope"}},
            },
            "/discriminator/mapping/a",
            "points to nothing",
        ),
        ({"type": "string", "minLength": -1}, "/minLength", "is -1, which is too small"),
        ({"type": "number", "multipleOf": 0}, "/multipleOf", "is 0, which is too small"),
        ({"type": "string", "minLength": "1"}, "/minLength", "is a string"),
        ({"type": "string", "minLength": True}, "/minLength", "is a boolean"),
        ({"type": "string", "pattern": 1}, "/pattern", "is a number"),
        ({"type": "string", "description": 1}, "/description", "is a number"),
    ],
)
def test_schemas(refused: Any, schema: object, place: str, said: str) -> None:
    def change(document: dict[str, Any]) -> None:
        schemas(document)["Other"] = {"type": "object", "properties": {"b": {"type": "integer"}}}
        tag = {"propertyName": "b"}
        schemas(document)["Before"] = {"oneOf": [THING, OTHER], "discriminator": tag}
        schemas(document)["Bad"] = schema
        schemas(document)["Thing"]["properties"]["bad"] = {"$ref": f"{SCHEMAS}/Bad"}

    line = refused(change)
    assert line.startswith(f"{SCHEMAS}/Bad{place}: ")
    assert said in line


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda d: d.update(components=[]), "#/components"),
        (lambda d: d["components"].update(schemas=None), "#/components/schemas"),
        (lambda d: d.update(info=1), "#/info"),
        (lambda d: d["info"].update(title=None), "#/info/title"),
        (lambda d: d["info"].update(version=1), "#/info/version"),
        (lambda d: d.update(servers={}), "#/servers"),
        (lambda d: d.update(servers=[None]), "#/servers/0"),
        (lambda d: d.update(servers=[{"url": 1}]), "#/servers/0/url"),
        (lambda d: d.update(servers=[{"url": "http://["}]), "#/servers/0/url"),
    ],
)
def test_the_rest_of_the_document(
    refused: Any, change: Callable[[dict[str, Any]], object], place: str
) -> None:
    # What names schemas would come first.
    def changed(document: dict[str, Any]) -> None:
        document["paths"] = {}
        change(document)

    assert refused(changed).startswith(f"{place}: ")


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("models/thing.py", "class Thing(:\n", "models/thing.py, line 1: is no Python module: "),
        ("models/_private.py", "x = = 1", "models/_private.py, line 1: is no Python module: "),
        ("api/things/get_thing.py", "def", "api/things/get_thing.py, line 1: is no Python module"),
        ("models/thing.py", "\0", "models/thing.py: is no Python module: "),
        ("models/thing.py", "x = 1", "models/thing.py: does not define Thing, the model whose"),
        ("models/thing.py", "__all__ = ['Other']", "models/thing.py: does not define Thing"),
        (
            "models/thing.py",
            "from good.models._generated.thing import Thing\n__all__ = ['Thing']",
            "models/thing.py: imports Thing, which is this module's own; its generated class is"
            " called GeneratedThing, in models/_generated/thing.py",
        ),
        (
            "models/thing.py",
            "from good.models import Thing\n__all__ = ['Thing']",
            "models/thing.py: imports Thing, which is this module's own",
        ),
        (
            "models/kind.py",
            "class Kind: pass",
            "models/kind.py: takes the place of Kind, which is no class with fields",
        ),
        ("models/other.py", "_x = 1", "models/other.py: offers no class; name a private module"),
        (
            "models/other.py",
            "class Thing: pass",
            "models/other.py: offers Thing, as models/thing",
        ),
        (
            "models/_generated.py",
            "class Other: pass",
            "models/_generated.py: stands where the compiler's modules do",
        ),
        (
            "models/_generated/thing.py",
            "class Other: pass",
            "models/_generated/thing.py: stands where the compiler's modules do",
        ),
    ],
)
def test_hand_written_modules(run: Run, tmp_path: Path, path: str, text: str, said: str) -> None:
    spec = tmp_path / "good.json"
    spec.write_text(json.dumps(GOOD))
    file = tmp_path / "written.py"
    file.write_text(text)
    assert run(spec, {path: file}).startswith(said)


def test_two_hand_written_modules_that_offer_one_name(run: Run, tmp_path: Path) -> None:
    spec = tmp_path / "good.json"
    spec.write_text(json.dumps(GOOD))
    file = tmp_path / "written.py"
    file.write_text("class Extra: pass")
    line = run(spec, {"models/a.py": file, "models/b.py": file})
    assert line == "models/b.py: offers Extra, as models/a.py does; rename one of them"


def test_an_output_that_cannot_be_written_leaves_none(run: Run, tmp_path: Path) -> None:
    spec = tmp_path / "good.json"
    spec.write_text(json.dumps(GOOD))
    run.outputs.mkdir()
    (run.outputs / "good.zip").mkdir()
    made = run.process(spec, {})
    assert made.returncode == 1
    (line,) = made.stderr.splitlines()
    assert line == f"{run.outputs / 'good.zip'}: cannot be written: Is a directory"
    assert [file for file in run.outputs.rglob("*") if file.is_file()] == []


#: A NUL, terminal commands, line breaks, and a character that changes the direction of text.
ODD = "x\0\x1b[2J\ny\u2028\x9b\u202e"


@pytest.mark.parametrize("end", ["\0", "\n", "\x1b[2J", "\u202e"])
def test_a_path_that_no_url_has(refused: Any, end: str) -> None:
    line = refused(lambda d: d["paths"].update({f"/a{end}": {}}))
    assert "no URL can have a control character in its path" in line
    assert line.isprintable()


def test_an_error_is_one_line_whatever_it_quotes(refused: Any) -> None:
    line = refused(lambda d: operation(d)["responses"].update({ODD: {"description": ""}}))
    assert line.isprintable()
    assert "is no status" in line


def test_code_has_no_control_characters_whatever_the_spec_has(run: Run, tmp_path: Path) -> None:
    document = copy.deepcopy(GOOD)
    document["info"].update(title=ODD, description=ODD)
    operation(document).update(summary=ODD, description=ODD, tags=["things" + ODD])
    operation(document)["responses"]["200"].update(description=ODD)
    operation(document)["parameters"][1].update(description=ODD)
    schemas(document)["Thing"].update(description=ODD)
    schemas(document)["Thing"]["properties"]["name"].update(description=ODD, default=ODD)
    schemas(document)["Kind"].update(enum=["a", ODD])
    spec = tmp_path / "odd.json"
    spec.write_text(json.dumps(document))
    made = run.process(spec, {})
    assert (made.returncode, made.stderr) == (0, "")
    with zipfile.ZipFile(run.outputs / "good.zip") as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    for name, text in texts.items():
        compile(text, name, "exec")
        assert text.replace("\n", "").isprintable(), name
    values = [
        node.value
        for name in ("models/kind.py", "models/thing.py")
        for node in ast.walk(ast.parse(texts[name]))
        if isinstance(node, ast.Constant)
    ]
    # The value of the enumeration, and the default.
    assert values.count(ODD) == 2
