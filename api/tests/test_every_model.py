"""What holds for every model: names, round trips, copies, pickles."""

from __future__ import annotations

import copy
import enum
import importlib
import inspect
import json
import pickle
import pkgutil
import re
import typing
from typing import Any

import pytest
from pydantic import BaseModel, RootModel

import stepflow_api.models
from api.tests.support.specimens import document, enumerations, model_classes
from stepflow_api import models
from stepflow_api.base import AnswerModel, IntEnum, Model, RequestModel, StrEnum

MODELS = list(model_classes())
ENUMERATIONS = list(enumerations())

by_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
by_enumeration = pytest.mark.parametrize("kind", ENUMERATIONS, ids=lambda kind: kind.__name__)
by_size = pytest.mark.parametrize("full", [True, False], ids=["full", "least"])


def modules() -> list[Any]:
    """Return the models package, and every module in it."""
    package = stepflow_api.models
    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    return [package, *(importlib.import_module(f"{package.__name__}.{name}") for name in names)]


def test_all_kinds_are_here() -> None:
    assert len(MODELS) > 40
    assert {RequestModel, AnswerModel, Model} == {
        next(base for base in model.__mro__ if base in (RequestModel, AnswerModel, Model))
        for model in MODELS
    }
    aliases = {n for n in models.__all__ if not isinstance(getattr(models, n), type)}
    assert aliases == {"ErrorAction", "FlowResult"}
    assert len(MODELS) + len(ENUMERATIONS) + len(aliases) == len(models.__all__)


def test_no_root_and_no_number_in_any_name() -> None:
    for module in modules():
        for name, found in vars(module).items():
            assert not re.search(r"\d$", name), f"{module.__name__}.{name}"
            if isinstance(found, type) and issubclass(found, BaseModel):
                assert not issubclass(found, RootModel)
                assert not hasattr(found, "root")
                assert "root" not in found.model_fields
                assert not re.search(r"\d", found.__name__)


def test_each_module_of_a_model_offers_it() -> None:
    for module in modules()[1:]:
        short = module.__name__.rpartition(".")[2]
        if short.startswith("_") or short == "generated":
            continue
        assert module.__all__
        for name in module.__all__:
            assert getattr(models, name) is getattr(module, name)
            assert name in models.__all__


def test_all_is_sorted_and_generated_names_stay_inside() -> None:
    assert list(models.__all__) == sorted(models.__all__)
    assert not [name for name in models.__all__ if name.startswith("Generated")]


@by_model
def test_no_model_is_taken_for_a_test(model: type[Model]) -> None:
    # What pytest asks of a class that is called Test...
    assert model.__test__ is False
    assert "__test__" not in model.model_fields


@by_model
def test_fields_are_snake_case_and_aliases_are_the_wires(model: type[Model]) -> None:
    model.model_rebuild()
    for name, field in model.model_fields.items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
        alias = field.alias or name
        # The wire has these two as they are.
        if name not in ("input_schema", "output_schema"):
            assert "_" not in alias
        assert alias.lower().lstrip("$").replace("_", "") == name.replace("_", "") or (
            model.__name__,
            name,
        ) in (("CreateRunResponse", "run_result"), ("RunDetails", "run_result"))


@by_size
@by_model
def test_both_spellings_construct(model: type[Model], full: bool) -> None:
    wire = document(model, full=full)
    names = {field.alias or name: name for name, field in model.model_fields.items()}
    made = model.from_dict(wire)
    assert model(**wire) == made
    assert model(**{names[key]: value for key, value in wire.items()}) == made
    assert made.to_dict() == wire


@by_size
@by_model
def test_round_trip(model: type[Model], full: bool) -> None:
    wire = document(model, full=full)
    made = model.from_dict(wire)
    assert json.loads(made.to_json()) == made.to_dict() == wire
    assert model.from_dict(made.to_dict()) == made
    assert model.model_validate_json(made.to_json()) == made


@by_size
@by_model
def test_copies_and_pickles(model: type[Model], full: bool) -> None:
    made = model.from_dict(document(model, full=full))
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(made, protocol))
        assert again == made and type(again) is model
        assert again.to_dict() == made.to_dict()
    for again in (copy.copy(made), copy.deepcopy(made), made.model_copy(deep=True)):
        assert again == made and again is not made and type(again) is model
        assert again.to_dict() == made.to_dict()


@by_model
def test_what_is_not_set_is_not_sent(model: type[Model]) -> None:
    least = document(model, full=False)
    assert model.from_dict(least).to_dict() == least
    assert model.from_dict(least).to_dict().keys() == least.keys()


@by_model
def test_an_explicit_none_is_sent_as_null(model: type[Model]) -> None:
    least = document(model, full=False)
    for name, field in model.model_fields.items():
        optional = type(None) in typing.get_args(field.annotation)
        if optional and not field.is_required():
            made = model.from_dict({**least, name: None})
            wire = {**least, field.alias or name: None}
            assert made.to_dict() == wire
            assert json.loads(made.to_json()) == wire


@by_model
def test_fields_that_a_newer_api_adds(model: type[Model]) -> None:
    wire = document(model)
    extended = {**wire, "addedLater": {"x": [1, None]}}
    if issubclass(model, RequestModel):
        with pytest.raises(ValueError, match=r"addedLater\n  Extra inputs are not permitted"):
            model.from_dict(extended)
    elif issubclass(model, AnswerModel):
        assert model.from_dict(extended) == model.from_dict(wire)
        assert model.from_dict(extended).to_dict() == wire
    else:
        made = model.from_dict(extended)
        assert made.to_dict() == extended
        assert pickle.loads(pickle.dumps(made)).to_dict() == extended
        assert copy.deepcopy(made).to_dict() == extended


@by_model
def test_every_model_has_a_docstring_or_is_called_what_it_is(model: type[Model]) -> None:
    # The spec describes all of its models but this one.
    assert inspect.getdoc(model) or model.__name__ == "ComponentInfo"


@by_model
def test_what_is_required_cannot_be_left_out(model: type[Model]) -> None:
    least = document(model, full=False)
    if model is models.WorkflowOverrides:
        # No field at all is a map of no steps.
        assert model.from_dict({}).to_dict() == least | {"steps": {}}
        return
    for key in least:
        field = next(f for n, f in model.model_fields.items() if (f.alias or n) == key)
        if field.is_required():
            with pytest.raises(ValueError, match="Field required"):
                model.from_dict({k: v for k, v in least.items() if k != key})


@by_enumeration
def test_an_enumeration_is_open(kind: type[enum.StrEnum]) -> None:
    assert issubclass(kind, StrEnum)
    members = list(kind)
    later = kind("addedLater")
    assert later is kind("addedLater")
    assert isinstance(later, kind)
    assert (later, later.value, later.name, str(later)) == ("addedLater",) * 4
    assert later != kind("addedEvenLater")
    assert hash(later) == hash("addedLater")
    # What the spec lists stays what can be listed.
    assert list(kind) == members
    assert "addedLater" not in kind.__members__
    for member in (*members, later):
        assert pickle.loads(pickle.dumps(member)) is member
        assert copy.deepcopy(member) is member
        assert copy.copy(member) is member
        assert kind(member.value) is member
        assert json.dumps(member) == json.dumps(member.value)


@by_enumeration
@pytest.mark.parametrize("value", [None, 1, True, b"running", ["running"], {}])
def test_an_enumeration_takes_text_alone(kind: type[enum.StrEnum], value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        kind(value)  # type: ignore[arg-type]


class Level(IntEnum):
    """An enumeration of numbers: no model of this API has one, those of another may."""

    LOW = 1


def test_an_enumeration_of_numbers_is_open() -> None:
    later = Level(7)
    assert later is Level(7) and isinstance(later, Level)
    assert (later, later.value, later.name) == (7, 7, "7")
    assert list(Level) == [Level.LOW]
    assert copy.deepcopy(later) is later
    values: list[Any] = ["7", None, 8.5, False]
    for value in values:
        with pytest.raises(ValueError, match="is not a valid Level"):
            Level(value)
