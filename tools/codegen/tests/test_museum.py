import datetime
import importlib
from typing import Any
from uuid import UUID

import pytest
from pydantic import TypeAdapter, ValidationError

EXHIBIT = {"id": "1", "secret": "s", "title": None}


def exhibit(museum: Any, **fields: Any) -> Any:
    return museum.Exhibit.from_dict({**EXHIBIT, **fields})


@pytest.mark.parametrize("name", ["era", "mood", "room", "work", "sizes", "title"])
def test_nullable_in_all_spellings_of_3_0(museum: Any, name: str) -> None:
    assert exhibit(museum, **{name: None}).to_dict()[name] is None


@pytest.mark.parametrize("name", ["price", "count", "parts"])
def test_defaults_do_not_make_null_out_of_what_has_none(museum: Any, name: str) -> None:
    assert name not in exhibit(museum).to_dict()


def test_nullable_references_keep_their_type(museum: Any) -> None:
    assert exhibit(museum, era="modern").era is museum.Era.MODERN
    assert exhibit(museum, mood="calm").mood is museum.Mood.CALM
    assert exhibit(museum, moods=["calm", None]).moods == [museum.Mood.CALM, None]
    assert type(exhibit(museum, room={"floor": 1}).room) is museum.Room
    assert type(exhibit(museum, work={"kind": "Statue", "stone": "marble"}).work) is museum.Statue
    assert exhibit(museum, ghost="modern").ghost is museum.Era.MODERN


def test_defaults(museum: Any) -> None:
    found = exhibit(museum)
    assert found.ages is museum.Era.ANCIENT
    assert found.home == museum.Room(floor=2)
    assert found.made == datetime.date(1999, 12, 31)
    assert found.owner == UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
    assert (found.parts, found.wanted) == ([], [museum.Era.MODERN])
    assert found.to_dict() == EXHIBIT


def test_what_goes_one_way_is_not_asked_for_the_other(museum: Any) -> None:
    fields = museum.Exhibit.model_fields
    assert not fields["id"].is_required()
    assert not fields["secret"].is_required()
    assert fields["title"].is_required()


def test_bounds_of_3_0(museum: Any) -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        exhibit(museum, price=0)
    assert exhibit(museum, price=0.5).price == 0.5
    assert exhibit(museum, count=0).count == 0
    assert exhibit(museum, count=18446744073709551615).count == 18446744073709551615


def test_patterns_that_cannot_be_checked_are_left_to_the_server(museum: Any) -> None:
    assert exhibit(museum, code="x").code == "x"


def test_formats_that_would_change_the_wire_are_text(museum: Any) -> None:
    document = {**EXHIBIT, "site": "HTTPS://A.example", "mail": "no mail"}
    assert museum.Exhibit.from_dict(document).to_dict() == document


def test_a_closed_object_that_answers_hold_keeps_what_a_newer_server_adds(museum: Any) -> None:
    assert exhibit(museum, new=1).to_dict() == {**EXHIBIT, "new": 1}
    room = {"floor": 1, "color": "red"}
    assert museum.Room.from_dict(room).to_dict() == room


def test_models_that_share_a_base_go_each_its_way(museum: Any) -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        museum.Lot(size=1, nope=2)
    with pytest.raises(ValidationError, match="required"):
        museum.Lot(name="x")
    answer = museum.LotAnswer.from_dict({"name": "x", "stored": True, "nope": 1})
    assert answer.to_dict() == {"name": "x", "stored": True}
    assert issubclass(museum.Lot, museum.LotBase)
    # Requests leave out what the server sets, which another class must have.
    assert museum.Lot(size=1, maker=museum.Maker()).to_dict() == {"size": 1, "maker": {}}
    with pytest.raises(ValidationError):
        museum.Named()


def test_a_discriminator_without_mapping_goes_by_the_names(museum: Any) -> None:
    adapter = TypeAdapter(museum.StoreScanResponseItem)
    assert type(adapter.validate_python({"kind": "Painting", "oil": True})) is museum.Painting
    assert museum.Statue(stone="granite").to_dict() == {"kind": "Statue", "stone": "granite"}
    tagged = TypeAdapter(museum.Tagged)
    assert type(tagged.validate_python({"t": "b", "y": 1})) is museum.TaggedB


def test_inline_members_of_a_union_are_named_by_what_tells_them(museum: Any) -> None:
    adapter = TypeAdapter(museum.Shape)
    assert type(adapter.validate_python({"radius": 1})) is museum.ShapeCircle
    assert type(adapter.validate_python({"width": 1})) is museum.ShapeWidth
    assert adapter.validate_python("line") is museum.ShapeChoice.LINE
    assert type(adapter.validate_python([{"width": 1}])[0]) is museum.ShapeWidth


def test_a_union_of_constants_is_an_enumeration(museum: Any) -> None:
    assert [(m.name, m.value) for m in museum.Constants] == [("ON", "on"), ("OFF", "off")]


def test_another_name_for_a_schema(museum: Any) -> None:
    assert TypeAdapter(museum.Renamed).validate_python({"floor": 1}) == museum.Room(floor=1)
    assert TypeAdapter(museum.Wrapped).validate_python("modern") is museum.Era.MODERN


def test_facts(museum: Any) -> None:
    facts = importlib.import_module("museum.spec")
    assert (facts.TITLE, facts.API_VERSION, facts.PATH_PREFIX) == ("Museum", "1", "")
    assert facts.OPERATIONS["getExhibit"] == (
        "GET",
        "/exhibits/{id}",
        "exhibits",
        "api.exhibits.get_exhibit",
    )


def test_default_is_the_answer_where_no_success_is_documented(museum: Any) -> None:
    endpoint = importlib.import_module("museum.api.exhibits.get_exhibit")
    assert endpoint.sync.__annotations__["return"] == "models.Exhibit"


def test_headers_that_others_write_are_no_arguments(museum: Any) -> None:
    endpoint = importlib.import_module("museum.api.exhibits.get_exhibit")
    assert set(endpoint.sync.__annotations__) == {
        *("id", "client", "era", "when", "fields", "timeout", "headers", "return")
    }


def test_bases_with_theirs_in_opposite_orders(museum: Any) -> None:
    assert museum.Label.from_dict({"name": "a", "price": 2.5}).to_dict() == {
        "name": "a",
        "price": 2.5,
    }
    assert issubclass(museum.PricedName, museum.Priced)
