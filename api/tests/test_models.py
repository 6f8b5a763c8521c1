"""How models behave that have something of their own: flows, unions, outcomes, runs."""

from __future__ import annotations

import copy
import json
import pickle
import sys
import types
from typing import Any, Literal

import pytest
from pydantic import TypeAdapter, ValidationError

from stepflow_api import Client, models
from stepflow_api.api.flow import get_flow
from stepflow_api.api.run import get_run_items
from stepflow_api.errors import InvalidAnswer
from stepflow_api.testing import MockServer

FLOW: dict[str, Any] = {
    "name": "f",
    "later": {"a": [None, {"b": 1.5}]},
    "steps": [
        {
            "id": "s",
            "component": "/x",
            "later": 1,
            "onError": {"action": "useDefault", "defaultValue": None, "later": [2]},
            "input": {"$step": "a", "path": "b", "snake_case": True},
        },
        {"id": "t", "component": "/y", "onError": {"action": "retry", "later": {}}},
        {"id": "u", "component": "/z", "onError": None, "mustExecute": None},
    ],
    "test": {
        "later": 3,
        "configFile": None,
        "cases": [
            {
                "name": "c",
                "input": None,
                "later": 4,
                "output": {"outcome": "success", "result": None, "later": 5},
            },
            {
                "name": "d",
                "input": [],
                "output": {"outcome": "failed", "error": {"code": -1, "message": "", "later": 6}},
            },
        ],
    },
    "examples": [{"name": "e", "input": {}, "later": 7}],
    "output": {"$step": "s"},
    "metadata": {},
}


def test_a_flow_keeps_unknown_fields_at_every_depth() -> None:
    flow = models.Flow.from_dict(FLOW)
    assert flow.to_dict() == FLOW
    assert models.Flow.from_dict(flow.to_dict()) == flow
    assert pickle.loads(pickle.dumps(flow)).to_dict() == FLOW
    assert flow.model_extra == {"later": {"a": [None, {"b": 1.5}]}}
    # A request and an answer that hold a flow keep them too.
    assert models.StoreFlowRequest(flow=flow).to_dict() == {"flow": FLOW}
    answer = {"flow": FLOW, "flowId": "i", "allExamples": FLOW["examples"]}
    assert models.FlowResponse.from_dict({**answer, "later": 1}).to_dict() == answer


def test_a_flow_in_both_spellings_at_every_depth() -> None:
    snake = models.Flow(
        steps=[
            models.Step(
                id="s",
                component="/x",
                on_error=models.OnErrorRetry(max_retries=2),
                must_execute=True,
            )
        ],
        test=models.TestConfig(config_file="c"),
    )
    camel = {
        "steps": [
            {
                "id": "s",
                "component": "/x",
                "onError": {"action": "retry", "maxRetries": 2},
                "mustExecute": True,
            }
        ],
        "test": {"configFile": "c"},
    }
    assert snake.to_dict() == camel
    assert models.Flow.from_dict(camel).to_dict() == camel


@pytest.mark.parametrize("part", ["test", "examples"])
@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        "text",
        1,
        1.0,
        {"cases": [{"output": {"outcome": "failed", "error": {"code": "1", "message": 2}}}]},
        {"cases": [{"name": 1, "output": {"outcome": "later"}}], "config_file": "c"},
        [{"name": None, "input": {"when": "2026-01-01"}}],
    ],
)
def test_what_a_run_does_not_read_is_kept_as_it_is(part: str, value: Any) -> None:
    flow = {"steps": [], part: value}
    text = json.dumps(models.Flow.from_dict(flow).to_dict())
    assert text == json.dumps(flow)
    assert models.Flow.from_dict(flow).to_json().decode() == text.replace(" ", "")


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"action": "fail"}, models.OnErrorFail),
        ({"action": "useDefault"}, models.OnErrorDefault),
        ({"action": "useDefault", "defaultValue": None}, models.OnErrorDefault),
        ({"action": "retry", "maxRetries": 0}, models.OnErrorRetry),
    ],
)
def test_an_error_action_is_told_by_its_tag(document: dict[str, Any], kind: type[Any]) -> None:
    step = models.Step.from_dict({"id": "s", "component": "/x", "onError": document})
    assert type(step.on_error) is kind
    assert step.to_dict()["onError"] == document


@pytest.mark.parametrize("document", [{"action": "later"}, {}, {"defaultValue": 1}, "fail", 1])
def test_an_unknown_error_action_is_refused(document: object) -> None:
    with pytest.raises(ValidationError) as raised:
        models.Step.from_dict({"id": "s", "component": "/x", "onError": document})
    assert raised.value.errors()[0]["loc"][0] == "onError"


def test_constants_are_sent_without_being_set() -> None:
    assert models.OnErrorFail().to_dict() == {"action": "fail"}
    assert models.OnErrorRetry(max_retries=1).to_dict() == {"action": "retry", "maxRetries": 1}
    assert models.OnErrorDefault().to_dict() == {"action": "useDefault"}
    assert models.FlowResultSuccess(result=1).to_dict() == {"outcome": "success", "result": 1}
    error = models.FlowError(code=1, message="m")
    failed = models.FlowResultFailed(error=error)
    assert failed.to_dict() == {"outcome": "failed", "error": {"code": 1, "message": "m"}}
    assert models.OnErrorFail.from_dict({}).to_json() == b'{"action":"fail"}'
    assert models.OnErrorFail().model_copy().to_dict() == {"action": "fail"}
    assert models.OnErrorFail.model_construct().to_dict() == {"action": "fail"}
    assert pickle.loads(pickle.dumps(models.OnErrorFail())).to_dict() == {"action": "fail"}
    retry = models.OnErrorRetry.model_validate_json(b"{}")
    assert retry.model_fields_set == {"action"}
    retry.max_retries = 2
    assert retry.model_dump(exclude_unset=True) == {"action": "retry", "max_retries": 2}
    assert copy.deepcopy(retry).to_dict() == {"action": "retry", "maxRetries": 2}


def test_a_subclass_may_have_more_constants() -> None:
    class More(models.OnErrorFail):
        reason: Literal["more"] = "more"

    assert models.OnErrorFail().to_dict() == {"action": "fail"}
    assert More().to_dict() == {"action": "fail", "reason": "more"}


def test_a_constant_cannot_be_another() -> None:
    with pytest.raises(ValidationError, match="Input should be 'fail'"):
        models.OnErrorFail.from_dict({"action": "retry"})


def test_outcomes_share_what_they_say() -> None:
    success: models.FlowResult = models.FlowResultSuccess(result=[1])
    failed: models.FlowResult = models.FlowResultFailed(
        error=models.FlowError(code=5, message="no", data={"a": None})
    )
    assert (success.is_success, success.is_failed, success.is_skipped) == (True, False, False)
    assert (success.output, success.error) == ([1], None)
    assert (failed.is_success, failed.is_failed, failed.is_skipped) == (False, True, False)
    assert failed.output is None
    assert failed.error is not None
    assert (failed.error.code, failed.error.message) == (5, "no")


def test_an_unknown_tag_in_a_response_becomes_an_open_member() -> None:
    result = {"outcome": "postponed", "until": [2030], "error": "none"}
    items = [{"itemIndex": 0, "status": "x", "result": result}, ITEM]
    with Client(
        "http://server",
        transport=MockServer({"GET /runs/{run_id}/items": {"itemCount": 2, "items": items}}),
    ) as client:
        first, second = get_run_items.sync(RUN_ID, client=client).items
    other = first.result
    assert isinstance(other, models.OtherFlowResult)
    assert [other.is_success, other.is_failed] == [False, False]
    assert [other.output, other.error] == [None, None]
    assert other.to_dict() == first.to_dict()["result"] == result
    assert models.ItemResult.model_validate_json(first.to_json()) == first
    assert pickle.loads(pickle.dumps(first)) == copy.deepcopy(first) == first
    again = models.ItemResult(item_index=0, status=first.status, result=other)
    assert again == first
    assert isinstance(second.result, models.FlowResultSuccess)


def test_an_unknown_action_in_a_stored_flow_is_kept() -> None:
    flow = {"steps": [{"id": "s", "component": "/c", "onError": {"action": "wait", "for": 1}}]}
    answer = {"flowId": "f", "flow": flow}
    with Client("http://server", transport=MockServer({"GET /flows/{flow_id}": answer})) as client:
        found = get_flow.sync("f", client=client).flow
    assert found.steps is not None
    assert isinstance(found.steps[0].on_error, models.OtherErrorAction)
    assert found.to_dict() == flow


def test_a_known_tag_with_a_wrong_body_is_an_error_that_names_the_field() -> None:
    items = [{"itemIndex": 0, "status": "x", "result": {"outcome": "failed", "error": {"code": 1}}}]
    with (
        Client(
            "http://server",
            transport=MockServer({"GET /runs/{run_id}/items": {"itemCount": 2, "items": items}}),
        ) as client,
        pytest.raises(InvalidAnswer, match=r"failed\.error\.message: Field required"),
    ):
        get_run_items.sync(RUN_ID, client=client)


def test_an_unknown_tag_in_a_request_is_refused() -> None:
    step = {"id": "s", "component": "/c", "onError": {"action": "again"}}
    with pytest.raises(ValidationError, match="'fail', 'useDefault', 'retry'") as caught:
        models.Flow.from_dict({"steps": [step]})
    assert caught.value.error_count() == 1


ITEM = {"itemIndex": 0, "status": "completed", "result": {"outcome": "success", "result": 42}}
RUN_ID = "01a205b5-0a0a-7542-9354-0c70a04a73df"
RUN = {
    "runId": RUN_ID,
    "flowId": "f",
    "status": "completed",
    "createdAt": "2026-11-23T00:01:20.394215421Z",
    "rootRunId": RUN_ID,
    "createdAtSeqno": 0,
}


@pytest.mark.parametrize("model", [models.CreateRunResponse, models.RunDetails])
@pytest.mark.parametrize(
    ("added", "output"),
    [
        ({"results": [ITEM]}, 42),
        ({"result": {"outcome": "success", "result": 42}}, 42),
        ({"result": {"outcome": "success", "result": 42}, "results": [ITEM]}, 42),
        ({"results": [{"itemIndex": 0, "status": "running"}]}, None),
        ({"results": [ITEM, {**ITEM, "itemIndex": 1}]}, None),
        ({"results": []}, None),
        ({"results": None}, None),
        ({"result": None}, None),
        ({}, None),
    ],
    ids=["new", "old", "both", "running", "several", "none", "null", "old null", "absent"],
)
def test_the_result_of_a_run_in_both_shapes(
    model: type[models.CreateRunResponse] | type[models.RunDetails],
    added: dict[str, Any],
    output: object,
) -> None:
    run = model.from_dict({**RUN, **added})
    assert (run.result.output if run.result else None) == output
    assert run.to_dict() == {**RUN, **added}


def test_a_run_without_items_counts_none() -> None:
    run = models.RunSummary.from_dict(RUN)
    assert type(run.items) is models.ItemStatistics
    assert (run.items.total, run.items.running) == (0, 0)
    assert run.to_dict() == RUN


def test_a_status_that_a_newer_server_adds() -> None:
    run = models.RunSummary.from_dict({**RUN, "status": "hibernating"})
    assert run.status == "hibernating"
    assert isinstance(run.status, models.ExecutionStatus)
    assert run.status is models.ExecutionStatus("hibernating")
    assert run.to_dict()["status"] == "hibernating"
    again = pickle.loads(pickle.dumps(run))
    assert again == run and again.status is run.status
    assert models.RunSummary.model_validate_json(run.to_json()).status is run.status


def test_an_unknown_field_of_a_request_is_named() -> None:
    with pytest.raises(ValidationError) as raised:
        models.CreateRunRequest.from_dict({"flowId": "f", "input": 1, "timeout": 5})
    (error,) = raised.value.errors()
    assert (error["loc"], error["msg"]) == (("timeout",), "Extra inputs are not permitted")


def test_equality_is_by_value_and_class() -> None:
    assert models.OnErrorFail() == models.OnErrorFail()
    other: object = models.OnErrorDefault()
    assert models.OnErrorFail() != other
    assert models.Step(id="a", component="/x") != models.Step(id="b", component="/x")


def test_a_repr_shows_python_names() -> None:
    assert repr(models.OnErrorRetry(max_retries=1)) == (
        "OnErrorRetry(max_retries=1, action='retry')"
    )


def _module(name: str, text: str) -> types.ModuleType:
    """Makes a module of its text, as far as it gets."""
    module = sys.modules[name] = types.ModuleType(name)
    exec("from __future__ import annotations\n" + text, vars(module))
    return module


@pytest.mark.parametrize("way", ["from_dict", "constructor", "adapter", "list", "nested"])
def test_a_hand_written_model_inherits_fields_with_types_of_another_module(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first_", "second_"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    # As in a compiled package: the subclass is made before all names of its base's module are.
    first = _module(
        "first_",
        "from typing import Annotated\n"
        "from pydantic import Field\n"
        "from stepflow_api.base import Model\n"
        "class Base(Model):\n"
        "    part_of: Annotated[Later | None, Field(alias='partOf')] = None\n"
        "    next: list[Sub] | None = None\n",
    )
    second = _module("second_", "from first_ import Base\nclass Sub(Base): pass\n")
    exec("class Later(Model):\n    n: int\nfrom second_ import Sub\n", vars(first))
    exec("class Holder(Model):\n    sub: Sub\n", vars(first))
    document = {"partOf": {"n": 1}, "next": [{"partOf": None}]}
    if way == "from_dict":
        made = second.Sub.from_dict(document)
    elif way == "constructor":
        made = second.Sub(part_of={"n": 1}, next=[second.Sub(part_of=None)])
    elif way == "adapter":
        made = TypeAdapter(second.Sub).validate_python(document)
    elif way == "list":
        many: Any = types.GenericAlias(list, (second.Sub,))
        (made,) = TypeAdapter(many).validate_python([document])
    else:
        made = first.Holder.from_dict({"sub": document}).sub
    assert (type(made), type(made.part_of)) == (second.Sub, first.Later)
    assert type(made.next[0]) is second.Sub
    assert made.to_dict() == document
