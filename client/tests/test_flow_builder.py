"""Flows written in Python: equal to flow files, and run by the real server."""

from __future__ import annotations

import datetime
import json
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, computed_field

from client.tests.support import VERSION
from stepflow_api.models import Flow, OnErrorDefault, OnErrorFail, OnErrorRetry
from stepflow_client import FlowBuilder, SyncStepflowClient, errors
from stepflow_client.documents import parse
from stepflow_client.flow_builder import Expression, Reference
from tools.spec.server import StepflowServer

INPUT = {
    "prompt": "Hello",
    "user": {"name": "Ann", "tags": ["a", {"b": "deep"}]},
    "$odd": 'dollar "quoted"',
    "s p": "space",
    " $p": "before",
    "nothing": None,
}
VARIABLES = {"tone": {"style": "dry"}}


def ask(b: FlowBuilder) -> Reference:
    """Add the step of the flow files below."""
    return b.step("ask", "/create_messages", {"user_prompt": b.input["prompt"]})


#: An expression, the same in a flow file, and its value.
EXPRESSIONS: list[tuple[Callable[[FlowBuilder, Reference], Any], str, Any]] = [
    (lambda b, ask: None, "null", None),
    (lambda b, ask: "text", "text", "text"),
    (lambda b, ask: [True, 1.5, ("x",)], "[true, 1.5, [x]]", [True, 1.5, ["x"]]),
    (lambda b, ask: {"$other": {"a": None}}, "{$other: {a: null}}", {"$other": {"a": None}}),
    (lambda b, ask: {"$literal": {"$if": 1}}, "{$literal: {$if: 1}}", {"$if": 1}),
    (lambda b, ask: {"$coalesce": (None, 2)}, "{$coalesce: [null, 2]}", 2),
    (lambda b, ask: b.input, "{$input: $}", INPUT),
    (lambda b, ask: b.input["prompt"], "{$input: prompt}", "Hello"),
    (lambda b, ask: b.input["s p"], "{$input: s p}", "space"),
    (lambda b, ask: b.input[" $p"], "{$input: '$. $p'}", "before"),
    (lambda b, ask: b.input["$odd"], "{$input: $.$odd}", 'dollar "quoted"'),
    (lambda b, ask: b.input["user"]["name"], "{$input: $.user.name}", "Ann"),
    (lambda b, ask: b.input["user"]["tags"][1]["b"], "{$input: '$.user.tags[1].b'}", "deep"),
    (lambda b, ask: ask["messages"][0]["role"], "{$step: ask, path: '$.messages[0].role'}", "user"),
    (lambda b, ask: [{"r": ask["messages"]}], "[{r: {$step: ask, path: messages}}]", ...),
    (lambda b, ask: ask, "{$step: ask}", {"messages": [{"role": "user", "content": "Hello"}]}),
    (lambda b, ask: b.variable("tone"), "{$variable: tone}", {"style": "dry"}),
    (lambda b, ask: b.variable("tone")["style"], "{$variable: $.tone.style}", "dry"),
    (
        lambda b, ask: b.variable("tone", "no", default=b.input["prompt"]),
        "{$variable: $.tone.no, default: {$input: prompt}}",
        "Hello",
    ),
    (lambda b, ask: b.variable("no", default=None), "{$variable: no, default: null}", None),
    (
        lambda b, ask: b.literal({"$step": "ask"}),
        "{$literal: {$step: ask}}",
        {"$step": "ask"},
    ),
    (
        lambda b, ask: b.if_(b.input["nothing"], "a", b.input["prompt"]),
        "{$if: {$input: nothing}, then: a, else: {$input: prompt}}",
        "Hello",
    ),
    (lambda b, ask: b.if_(ask, "a"), "{$if: {$step: ask}, then: a}", "a"),
    (
        lambda b, ask: b.coalesce(None, b.input["nothing"], b.if_(False, 1), "last"),
        "{$coalesce: [null, {$input: nothing}, {$if: false, then: 1}, last]}",
        "last",
    ),
    (lambda b, ask: {"$if": True, "then": 0}, "{$if: true, then: 0}", 0),
    (lambda b, ask: b.if_(False, "a", 0), "{$if: false, then: a, else: 0}", 0),
    # In the form of flow files, also with other expressions in it.
    (
        lambda b, ask: {"$coalesce": [{"$input": "nothing"}, ask["messages"][0]["content"]]},
        "{$coalesce: [{$input: nothing}, {$step: ask, path: '$.messages[0].content'}]}",
        "Hello",
    ),
]


@pytest.fixture(scope="module")
def client(server: StepflowServer) -> Any:
    with SyncStepflowClient(server.url, server_version=VERSION) as client:
        yield client


@pytest.mark.parametrize(("write", "text", "value"), EXPRESSIONS, ids=[e[1] for e in EXPRESSIONS])
def test_every_expression_equals_its_yaml_and_runs(
    client: SyncStepflowClient, write: Callable[..., Any], text: str, value: Any
) -> None:
    b = FlowBuilder("expressions")
    flow = b.build(output={"it": write(b, ask(b))})
    yaml = f"""
        name: expressions
        steps:
          - {{id: ask, component: /create_messages, input: {{user_prompt: {{$input: prompt}}}}}}
        output: {{it: {text}}}
    """
    document = parse(yaml.encode(), name="it", is_json=False)
    assert flow.to_dict() == document
    assert FlowBuilder.from_flow(document).build().to_dict() == document

    result = client.run(flow, INPUT, variables=VARIABLES, timeout=30)

    assert result.is_success, result.error
    if value is not ...:
        assert result.output == {"it": value}


class Question(BaseModel):
    prompt: str
    parts: list[Question] = []


class Answer(BaseModel):
    questions: list[Question]


def everything() -> FlowBuilder:
    """A flow with all fields that a builder sets."""
    b = FlowBuilder(
        "all",
        description="What it does.",
        version="1.0",
        metadata={"team": "x", "$input": 1},
        input_schema={"type": "object", "required": ["path"]},
        output_schema=list[int],
        variables_schema=dict[str, str],
    )
    read = b.step(
        "read",
        "/load_file",
        {"path": b.input["path"]},
        on_error=OnErrorDefault(default_value={"data": {"$input": "x"}}),
        metadata={"n": [1]},
        output_schema=Answer,
    )
    b.step(
        "log", "/create_messages", {"user_prompt": "x"}, must_execute=True, on_error=OnErrorFail()
    )
    b.step("put", "/put_blob", {"data": read["data"], "blob_type": "data"}, on_error=OnErrorRetry())
    return b


def test_a_flow_with_everything(client: SyncStepflowClient) -> None:
    b = everything()
    flow = b.build(output=b.steps["read"]["data"])
    definitions = Answer.model_json_schema(ref_template="#/schemas/$defs/{model}")["$defs"]
    assert flow.to_dict() == {
        "name": "all",
        "description": "What it does.",
        "version": "1.0",
        "metadata": {"team": "x", "$input": 1},
        "schemas": {
            "type": "object",
            "$defs": definitions,
            "properties": {
                "input": {"type": "object", "required": ["path"]},
                "output": {"type": "array", "items": {"type": "integer"}},
                "variables": {"type": "object", "additionalProperties": {"type": "string"}},
                "steps": {
                    "type": "object",
                    "properties": {
                        "read": {
                            "title": "Answer",
                            "type": "object",
                            "required": ["questions"],
                            "properties": {
                                "questions": {
                                    "title": "Questions",
                                    "type": "array",
                                    "items": {"$ref": "#/schemas/$defs/Question"},
                                }
                            },
                        }
                    },
                },
            },
        },
        "steps": [
            {
                "id": "read",
                "component": "/load_file",
                "input": {"path": {"$input": "path"}},
                "onError": {"action": "useDefault", "defaultValue": {"data": {"$input": "x"}}},
                "metadata": {"n": [1]},
            },
            {
                "id": "log",
                "component": "/create_messages",
                "input": {"user_prompt": "x"},
                "onError": {"action": "fail"},
                "mustExecute": True,
            },
            {
                "id": "put",
                "component": "/put_blob",
                "input": {"data": {"$step": "read", "path": "data"}, "blob_type": "data"},
                "onError": {"action": "retry"},
            },
        ],
        "output": {"$step": "read", "path": "data"},
    }
    assert FlowBuilder.from_flow(flow).build() == flow

    handle = client.submit(flow, {"path": "/nowhere"})
    assert handle.result(timeout=30).output == {"$input": "x"}
    assert {"read", "log"} <= handle.steps().keys()


def test_a_flow_of_others_keeps_all_of_it(tmp_path: Path) -> None:
    document = {
        "later": {"a": [None]},
        "steps": [
            {"id": "s", "component": "/x", "later": 1, "onError": None, "input": {"$new": 1}}
        ],
        "test": {"cases": []},
        "examples": [{"name": "e", "input": {"$step": "no"}}],
        "schemas": {"type": "object", "properties": {"input": True}},
    }
    path = tmp_path / "flow.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    for flow in (document, Flow.from_dict(document), path, str(path)):
        assert FlowBuilder.from_flow(flow).build().to_dict() == document
    assert FlowBuilder.from_flow({}).build().to_dict() == {}
    emptied = FlowBuilder.from_flow({"steps": [{"id": "a", "component": "/x"}]})
    emptied.remove("a")
    assert emptied.build().to_dict() == {"steps": []}


@pytest.mark.parametrize("schemas", [None, {}, {"$defs": {}}, {"properties": {"output": True}}])
def test_a_schema_is_added_to_those_of_a_flow(schemas: Any) -> None:
    b = FlowBuilder.from_flow({"name": "f", "steps": [], "schemas": schemas})
    b.step("one", "/x", output_schema=int)
    added = {"steps": {"type": "object", "properties": {"one": {"type": "integer"}}}}
    found: Any = b.build().schemas
    assert found["properties"].pop("steps") == added["steps"]
    found["properties"] = found["properties"] or None
    assert found == {
        **(schemas or {}),
        "properties": (schemas or {}).get("properties"),
        **({"type": "object"} if schemas is None else {}),
    }


@pytest.mark.parametrize(
    "schemas",
    [
        None,
        {},
        {"properties": {}},
        {"properties": {"steps": {}}},
        {"properties": {"steps": {"properties": {}}}},
        {"properties": {"steps": {"properties": {"b": True}}, "input": {}}},
    ],
)
def test_a_step_is_removed_whatever_schemas_a_flow_has(schemas: Any) -> None:
    steps = [{"id": id, "component": "/x"} for id in "ab"]
    b = FlowBuilder.from_flow({"steps": steps, "schemas": schemas})
    b.remove("a")
    assert b.build().to_dict() == {"steps": steps[1:], "schemas": schemas}


def test_any_mapping_is_a_json_object() -> None:
    def built(kind: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        schema = kind({"type": "object", "properties": kind({"a": kind({})})})
        schemas = {"input_schema": schema, "output_schema": schema, "variables_schema": schema}
        b = FlowBuilder("f", metadata=kind({"a": kind({"b": 1})}), **schemas)
        error = kind({"action": "useDefault", "defaultValue": kind({"a": 1})})
        metadata = kind({"a": kind({})})
        one = b.step("a", "/x", kind({"a": kind({"b": b.input})}), metadata=metadata)
        b.step("b", "/x", kind({"$step": "a"}), on_error=error, output_schema=schema)
        b.change("a", on_error=error, metadata=kind({"b": kind({})}))
        literal = b.literal(kind({"$step": "a"}))
        return b.build(output=kind({"a": [kind({"b": one}), literal]})).to_dict()

    assert built(MappingProxyType) == built(dict)
    flow = built(dict)
    assert FlowBuilder.from_flow(MappingProxyType(flow)).build().to_dict() == flow


def test_a_schema_of_everything_is_kept() -> None:
    b = FlowBuilder(input_schema={}, output_schema={}, variables_schema={})
    for id in "ab":
        b.step(id, "/x", output_schema={})
    steps = {"type": "object", "properties": {"a": {}, "b": {}}}
    assert b.build().schemas == {
        "type": "object",
        "properties": {"input": {}, "output": {}, "variables": {}, "steps": steps},
    }


def test_a_flow_is_changed_without_the_one_it_was_made_of() -> None:
    flow = everything().build(output=1)
    before = flow.to_dict()
    b = FlowBuilder.from_flow(flow)
    first = b.step("first", "/create_messages", {"user_prompt": b.input["q"]}, before="read")
    b.change("read", component="/other", input={"path": first["x"]}, on_error={"action": "fail"})
    b.change("log", must_execute=False, metadata={})
    b.remove("put")
    changed = b.build(output=b.steps["read"])

    assert flow.to_dict() == before
    assert changed.steps is not None
    assert [step.to_dict() for step in changed.steps] == [
        {"id": "first", "component": "/create_messages", "input": {"user_prompt": {"$input": "q"}}},
        {
            "id": "read",
            "component": "/other",
            "input": {"path": {"$step": "first", "path": "x"}},
            "onError": {"action": "fail"},
            "metadata": {"n": [1]},
        },
        {**before["steps"][1], "mustExecute": False, "metadata": {}},
    ]
    assert changed.output == {"$step": "read"}
    inserted: Any = changed.steps[0]
    inserted.input["user_prompt"] = "x"
    assert b.build().to_dict()["steps"][0]["input"] == {"user_prompt": {"$input": "q"}}
    b.step("last", "/x", output_schema=int)
    assert flow.to_dict() == before
    assert "last" not in changed.to_dict()["schemas"]["properties"]["steps"]["properties"]
    b.remove("last")
    b.remove("read")
    assert "steps" in before["schemas"]["properties"]
    assert b.build(output=1).to_dict()["schemas"]["properties"]["steps"]["properties"] == {}


@pytest.mark.parametrize("value", [0, False, "", [], {}], ids=repr)
def test_a_value_that_counts_as_false_is_kept(value: Any) -> None:
    b = FlowBuilder("", description="", version="", metadata={"it": value})
    error = {"action": "useDefault", "defaultValue": value}
    b.step("a", "/x", value, metadata={"it": value}, on_error=error)
    b.step(
        "b",
        "/x",
        {
            "if": b.if_(value, value, value),
            "variable": b.variable("v", default=value),
            "literal": b.literal(value),
            "coalesce": b.coalesce(value),
        },
    )
    b.step("c", "/x", 1, metadata={"it": 1})
    b.change("c", input=value, metadata={"it": value})
    expected = {
        "name": "",
        "description": "",
        "version": "",
        "metadata": {"it": value},
        "steps": [
            {
                "id": "a",
                "component": "/x",
                "input": value,
                "metadata": {"it": value},
                "onError": error,
            },
            {
                "id": "b",
                "component": "/x",
                "input": {
                    "if": {"$if": value, "then": value, "else": value},
                    "variable": {"$variable": "v", "default": value},
                    "literal": {"$literal": value},
                    "coalesce": {"$coalesce": [value]},
                },
            },
            {"id": "c", "component": "/x", "input": value, "metadata": {"it": value}},
        ],
        "output": value,
    }
    flow = b.build(output=value)
    # By their text, since 0 equals false.
    assert json.dumps(flow.to_dict(), sort_keys=True) == json.dumps(expected, sort_keys=True)
    assert FlowBuilder("f", metadata={}).build().to_dict()["metadata"] == {}


def test_a_change_of_a_step_keeps_the_rest_of_it() -> None:
    step: dict[str, Any] = {
        "id": "s",
        "component": "/x",
        "input": None,
        "later": 1,
        "onError": None,
        "mustExecute": False,
        "metadata": {},
    }
    fail = {"action": "fail"}
    for change, expected in (
        ({"component": "/y"}, {"component": "/y"}),
        ({"input": [1]}, {"input": [1]}),
        ({"on_error": fail}, {"onError": fail}),
        ({"on_error": OnErrorFail()}, {"onError": fail}),
        ({"must_execute": True}, {"mustExecute": True}),
        ({"metadata": {"a": 1}}, {"metadata": {"a": 1}}),
        ({}, {}),
    ):
        b = FlowBuilder.from_flow({"steps": [step]})
        b.change("s", **change)
        assert b.build().to_dict() == {"steps": [step | expected]}


def test_a_step_is_inserted_before_any_other() -> None:
    for before, order in (("a", "xabc"), ("b", "axbc"), ("c", "abxc"), (None, "abcx")):
        b = FlowBuilder()
        for id in "abc":
            b.step(id, "/x")
        b.step("x", "/x", before=before)
        assert "".join(step["id"] for step in b.build().to_dict()["steps"]) == order


def test_a_model_in_an_input_is_data() -> None:
    class Data(BaseModel):
        expression: dict[str, Any]
        when: datetime.date

    b = FlowBuilder()
    day = datetime.date(2024, 1, 2)
    inner = {"a": [{"$step": "a"}]}
    b.step("a", "/x", [Data(expression=one, when=day) for one in ({}, {"$step": "a"}, inner)])
    assert b.build().to_dict()["steps"][0]["input"] == [
        {"expression": {}, "when": "2024-01-02"},
        {"$literal": {"expression": {"$step": "a"}, "when": "2024-01-02"}},
        {"$literal": {"expression": inner, "when": "2024-01-02"}},
    ]


def test_a_model_has_its_names_in_json() -> None:
    class Data(BaseModel):
        some_text: Annotated[str, Field(alias="someText")]
        step: Annotated[dict[str, Any] | None, Field(alias="$step")] = None

    data = Data.model_validate({"someText": "a"})
    plain = {"someText": "a", "$step": None}
    b = FlowBuilder(metadata={"it": data})
    b.step("a", "/x", data, metadata={"it": data})
    flow = b.build(output=[b.literal(data), b.literal([data])]).to_dict()
    assert flow == {
        "metadata": {"it": plain},
        "steps": [
            {
                "id": "a",
                "component": "/x",
                "input": {"$literal": plain},
                "metadata": {"it": plain},
            }
        ],
        "output": [{"$literal": plain}, {"$literal": [plain]}],
    }


def test_a_default_of_null() -> None:
    b = FlowBuilder()
    b.step("a", "/x", on_error=OnErrorDefault(default_value=None))
    error = {"action": "useDefault", "defaultValue": None}
    assert b.build().to_dict()["steps"][0]["onError"] == error


def test_one_type_in_several_schemas() -> None:
    b = FlowBuilder(input_schema=list[Question], output_schema=Question)
    b.step("a", "/x", output_schema=Answer)
    schemas: Any = b.build().schemas
    assert list(schemas["$defs"]) == ["Question"]


def test_an_element_of_the_input_is_referred_to() -> None:
    b = FlowBuilder()
    flow = b.build(output=[b.input[0], b.input[0][1]["a"]])
    assert flow.output == [{"$input": "$[0]"}, {"$input": "$[0][1].a"}]


CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)


def build_without(b: FlowBuilder, one: Reference) -> None:
    """Remove a step that another one reads."""
    b.remove("one")
    b.build()


MISTAKES: dict[str, tuple[Callable[[FlowBuilder, Reference], Any], str]] = {
    "two of one id": (lambda b, one: b.step("one", "/x"), "two steps 'one'"),
    "no id": (lambda b, one: b.step("", "/x"), "step id ''"),
    "unknown step": (lambda b, one: b.step("a", "/x", {"$step": "no"}), "reads step 'no'"),
    "itself": (lambda b, one: b.step("a", "/x", [{"$step": "a"}]), "reads its own output"),
    "later step": (
        lambda b, one: b.change("one", input=b.steps["two"]),
        "step 'one' reads step 'two'",
    ),
    "later step, inserted": (
        lambda b, one: b.step("a", "/x", one, before="one"),
        "reads step 'one'",
    ),
    "other flow": (lambda b, one: b.step("a", "/x", ask(FlowBuilder())), "of another flow"),
    "other flow, in if_": (lambda b, one: b.if_(one, FlowBuilder().input), "of another flow"),
    "output of other flow": (lambda b, one: b.build(output=ask(FlowBuilder())), "of another flow"),
    "removed": (build_without, "step 'two' reads step 'one'"),
    "no such step": (lambda b, one: b.remove("no"), "the steps are 'one', 'two'"),
    "no step to change": (
        lambda b, one: b.change("no"),
        "no step 'no'; the steps are 'one', 'two'",
    ),
    "no step to precede": (
        lambda b, one: b.step("a", "/x", before="no"),
        "no step 'no'; the steps are 'one', 'two'",
    ),
    "no id to precede": (
        lambda b, one: b.step("a", "/x", before=""),
        "no step ''; the steps are 'one', 'two'",
    ),
    "later step, inserted before another": (
        lambda b, one: b.step("a", "/x", b.steps["two"], before="two"),
        "step 'a' reads step 'two', which is not before it; the steps before it are 'one'",
    ),
    "two of one id, from a flow": (
        lambda b, one: FlowBuilder.from_flow({"steps": [{"id": "a", "component": "/x"}] * 2}),
        "there are two steps 'a'",
    ),
    "number as an id": (lambda b, one: b.step(7, "/x"), "step id 7"),  # type: ignore[arg-type]
    "output of an unknown step": (
        lambda b, one: b.build(output=[{"$step": "no"}]),
        "the output reads step 'no', which is not before it; the steps before it are 'one', 'two'",
    ),
    "output of an unknown step, without steps": (
        lambda b, one: FlowBuilder().build(output={"$step": "no"}),
        "the steps before it are none",
    ),
    "set": (lambda b, one: b.step("a", "/x", {"k": [{1}]}), "input.k[0] is of type set"),
    "bytes": (lambda b, one: b.literal(b"x"), "the literal is of type bytes"),
    "date": (lambda b, one: b.build(output=datetime.date.today()), "the output is of type date"),
    "nan": (lambda b, one: b.coalesce(1, math.nan), "coalesce: [1] is nan"),
    "inf": (lambda b, one: b.literal([-math.inf]), "the literal[0] is -inf"),
    "key": (lambda b, one: b.step("a", "/x", {1: 2}), "the key 1"),
    "key of a literal": (lambda b, one: b.literal({None: 2}), "the key None"),
    "surrogate": (lambda b, one: b.step("a", "/x", "\ud800"), "half a surrogate pair"),
    "circle": (lambda b, one: b.step("a", "/x", CIRCLE), "contains itself"),
    "reference in a literal": (lambda b, one: b.literal([one]), "only plain JSON"),
    "reference in a default": (
        lambda b, one: b.step("a", "/x", on_error=OnErrorDefault(default_value=one)),
        "on_error.defaultValue is <expression",
    ),
    "on_error": (lambda b, one: b.step("a", "/x", on_error={"action": "boo"}), "boo"),
    "component": (lambda b, one: b.step("a", 5), "component"),  # type: ignore[arg-type]
    "$from": (lambda b, one: b.step("a", "/x", {"$from": {"step": "one"}}), "use $step"),
    "$if": (lambda b, one: b.step("a", "/x", {"$if": True}), "needs `then`"),
    "$coalesce": (lambda b, one: b.step("a", "/x", {"$coalesce": 1}), "needs a list"),
    "$if after else": (lambda b, one: b.step("a", "/x", {"else": 1, "$if": 1}), "needs `then`"),
    "$step": (lambda b, one: b.step("a", "/x", {"$step": one}), "needs a text"),
    "$step after its path": (
        lambda b, one: b.step("a", "/x", {"path": "x", "$step": 1}),
        "step 'a': input has the expression $step: it needs a text",
    ),
    "$variable after its default": (
        lambda b, one: b.step("a", "/x", {"default": 1, "$variable": 1}),
        "needs a text",
    ),
    "$input": (lambda b, one: b.step("a", "/x", {"$input": 1}), "needs a text"),
    "$variable": (lambda b, one: b.step("a", "/x", {"$variable": None}), "needs a text"),
    "dot": (lambda b, one: one["a.b"], "'a.b' cannot be referred to"),
    "bracket": (lambda b, one: b.variable("a[0]"), "'a[0]' cannot be referred to"),
    "empty": (lambda b, one: one[""], "'' cannot be referred to"),
    "space at the end": (lambda b, one: one["a "], "'a ' cannot be referred to"),
    "true": (lambda b, one: one[True], "the name of a member"),
    "negative": (lambda b, one: one[-1], "from the start only"),
    "slice": (lambda b, one: one[1:2], "the name of a member"),  # type: ignore[index]
    "part of a default": (lambda b, one: b.variable("v", default={})["x"], "variable(name, key"),
    "schema": (lambda b, one: FlowBuilder(input_schema=3), "the input schema cannot be made of 3"),
    "name": (lambda b, one: FlowBuilder(5), "the flow: name: Input should be a valid string"),  # type: ignore[arg-type]
    "version": (lambda b, one: FlowBuilder(version=1.0), "the flow: version: Input should be"),  # type: ignore[arg-type]
    "description": (lambda b, one: FlowBuilder(description=["a"]), "the flow: description: "),  # type: ignore[arg-type]
    "metadata as a list": (
        lambda b, one: FlowBuilder(metadata=[1]),  # type: ignore[arg-type]
        "the flow: metadata: Input should be a valid dictionary",
    ),
    "metadata of a step as a list": (
        lambda b, one: b.step("a", "/x", metadata=[1]),  # type: ignore[arg-type]
        "step 'a': metadata: Input should be a valid dictionary",
    ),
    "on_error as text": (lambda b, one: b.step("a", "/x", on_error="fail"), "step 'a': onError"),  # type: ignore[arg-type]
    "on_error as a number": (lambda b, one: b.change("one", on_error=5), "step 'one': onError"),  # type: ignore[arg-type]
    "metadata": (lambda b, one: FlowBuilder(metadata={"a": set()}), "metadata.a is of type set"),
    "id of a stored flow": (lambda b, one: FlowBuilder.from_flow("a" * 64), "client.get_flow"),
    "file": (lambda b, one: FlowBuilder.from_flow("/nowhere"), "no such file"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_reported_where_it_is_made(mistake: str) -> None:
    b = FlowBuilder()
    one = b.step("one", "/x")
    b.step("two", "/x", one)
    before = b.build().to_dict()
    make, message = MISTAKES[mistake]
    with pytest.raises(errors.InvalidInput) as caught:
        make(b, one)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    if mistake != "removed":
        assert b.build().to_dict() == before


@pytest.mark.parametrize(
    ("make", "place"),
    [
        (lambda b: FlowBuilder(metadata=b), "the flow's metadata"),
        (lambda b: FlowBuilder(input_schema={"a": b}), "the input schema.a"),
        (lambda b: FlowBuilder(output_schema={"a": b}), "the output schema.a"),
        (lambda b: FlowBuilder(variables_schema={"a": b}), "the variables schema.a"),
        (lambda b: b.variable("v", default=b), "the default of 'v'"),
        (lambda b: b.literal(b), "the literal"),
        (lambda b: b.if_(b, 1, 2), "the condition of if_"),
        (lambda b: b.if_(1, b, 2), "then of if_"),
        (lambda b: b.if_(1, 2, b), "else_ of if_"),
        (lambda b: b.coalesce(1, [b]), "coalesce: [1][0]"),
        (lambda b: b.step("s", "/x", b), "step 's': input"),
        (lambda b: b.step("s", "/x", on_error={"a": b}), "step 's': on_error.a"),
        (lambda b: b.step("s", "/x", metadata=b), "step 's': metadata"),
        (lambda b: b.step("s", "/x", output_schema={"a": b}), "the output schema of step 's'.a"),
        (lambda b: b.change("one", input=b), "step 'one': input"),
        (lambda b: b.change("one", on_error={"a": b}), "step 'one': on_error.a"),
        (lambda b: b.change("one", metadata=b), "step 'one': metadata"),
        (lambda b: b.build(output=b), "the output"),
    ],
)
def test_a_mistake_has_its_place(make: Callable[[Any], Any], place: str) -> None:
    b = FlowBuilder()
    b.step("one", "/x")
    with pytest.raises(errors.InvalidInput) as caught:
        make(b)
    assert str(caught.value).startswith(f"{place} is of type FlowBuilder, which JSON cannot")


class Computed(BaseModel):
    number: int

    @computed_field
    def double(self) -> int:
        return 2 * self.number


def test_a_field_that_is_computed_is_in_the_output_alone() -> None:
    b = FlowBuilder(input_schema=Computed, output_schema=Computed)
    b.step("a", "/x", output_schema=Computed)
    schemas: Any = b.build().schemas
    parts = schemas["properties"].pop("steps")["properties"] | schemas["properties"]
    fields = {part: [*schema["properties"]] for part, schema in parts.items()}
    every = ["number", "double"]
    assert fields == {"input": ["number"], "output": every, "a": every}


def test_a_reference_that_is_used_twice_can_be_changed_in_one_place() -> None:
    b = FlowBuilder()
    flow = b.build(output=[b.input["a"]] * 2)
    output: Any = flow.output
    output[0]["$input"] = "b"
    assert flow.output == [{"$input": "b"}, {"$input": "a"}]


def test_two_types_of_one_name() -> None:
    class Question(BaseModel):
        other: int

    b = FlowBuilder(input_schema=list[Question])
    with pytest.raises(errors.InvalidInput, match="a type 'Question'"):
        b.step("a", "/x", output_schema=Answer)
    assert not b.steps


@pytest.mark.parametrize(
    ("use", "problem"),
    [
        (lambda one: one == 1, "before the flow runs, and .*; compare in a component"),
        (lambda one: one != 1, "before the flow runs, and .*; compare in a component"),
        (lambda one: not one, "before the flow runs; use if_"),
        (lambda one: f"{one}", "before the flow runs, so .*; make the text in a component"),
        (lambda one: one + "x", "unsupported operand"),
        (lambda one: list(one), "not iterable"),
        (lambda one: {one: 1}, "unhashable"),
        (lambda one: "x" in one, "before the flow runs|not iterable|not a container"),
        (lambda one: len(one), "has no len"),
    ],
)
def test_a_reference_is_not_a_value(use: Callable[[Expression], Any], problem: str) -> None:
    b = FlowBuilder()
    with pytest.raises(TypeError, match=problem):
        use(b.input["x"])
    assert repr(b.input["x"]) == "<expression {'$input': 'x'}>"


def test_steps_that_servers_never_start() -> None:
    def build(must_execute: bool | None, condition: str) -> None:
        b = FlowBuilder()
        check = ask(b)
        branch = b.step("branch", "/x", must_execute=must_execute)
        b.build(output=b.if_(check if condition == "step" else b.input["x"], branch))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build(True, "step")
        build(None, "input")
    with pytest.warns(UserWarning, match="'branch'") as caught:
        build(None, "step")
    assert caught[0].filename == __file__


@pytest.mark.parametrize("reader", ["the output", "a step"])
@pytest.mark.parametrize("has_other_reader", [False, True])
def test_whoever_reads_a_step_that_servers_never_start(reader: str, has_other_reader: bool) -> None:
    b = FlowBuilder()
    check, branch = ask(b), b.step("branch", "/x")
    if has_other_reader:
        b.step("other", "/x", branch)
    late: Any = b.if_(check, branch)
    if reader == "a step":
        late = b.step("reader", "/x", {"it": [late, late]})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # One that is read twice is named once.
        b.build(output=[late, late])
    assert ["'branch'" in str(one.message) for one in caught] == [True] * (not has_other_reader)


def test_they_run_if_they_must(client: SyncStepflowClient) -> None:
    b = FlowBuilder()
    check = ask(b)
    yes = b.step("yes", "/create_messages", {"user_prompt": "yes"}, must_execute=True)
    flow = b.build(output=b.if_(check["messages"], yes["messages"][0]["content"], "no"))
    assert client.run(flow, INPUT, timeout=30).output == "yes"


def test_a_large_flow(client: SyncStepflowClient) -> None:
    b = FlowBuilder()
    last = ask(b)
    for number in range(1, 1000):
        content = last["messages"][0]["content"]
        last = b.step(f"step{number}", "/create_messages", {"user_prompt": content})
    assert len(b.build(output=last).to_dict()["steps"]) == 1000
    assert client.validate(b.build(output=last)).is_valid
