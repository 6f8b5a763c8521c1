import datetime
import enum
import importlib
import json
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

ARRIVAL = "2024-05-06T07:08:09.123456789Z"


def new_animal(zoo: Any, **fields: Any) -> Any:
    return zoo.NewAnimal.from_dict(
        {"animal": {"kind": "lion", "name": "Leo"}, "arrival": ARRIVAL, **fields}
    )


def test_each_model_can_be_built_and_has_a_module(zoo: Any, specimens: Path) -> None:
    assert zoo.__all__ == sorted(zoo.__all__)
    modules = {file.stem for file in (specimens / "zoo" / "models").glob("*.py")}
    offered = set()
    for name in modules - {"__init__", "_generated", "_words"}:
        module = importlib.import_module(f"zoo.models.{name}")
        offered |= set(module.__all__)
        assert all(getattr(zoo, member) is getattr(module, member) for member in module.__all__)
    assert offered == set(zoo.__all__)
    for name in zoo.__all__:
        member = getattr(zoo, name)
        if isinstance(member, type) and issubclass(member, BaseModel):
            member.model_rebuild(force=True)
        elif not (isinstance(member, type) and issubclass(member, enum.Enum)):
            TypeAdapter(member)


def test_no_root_and_no_numbered_names(zoo: Any, museum: Any) -> None:
    for name in (*zoo.__all__, *museum.__all__):
        assert not name.rstrip("_")[-1].isdigit(), name
        member = getattr(zoo, name, None) or getattr(museum, name)
        assert "root" not in getattr(member, "model_fields", {}), name


def test_both_spellings_construct(zoo: Any) -> None:
    lion = zoo.Lion(name="Leo", mane_length=1.5)
    assert lion == zoo.Lion(name="Leo", maneLength=1.5)
    assert lion.to_dict() == {"kind": "lion", "name": "Leo", "maneLength": 1.5}


def test_unset_is_left_out_and_none_is_null(zoo: Any) -> None:
    assert zoo.Category(name="a").to_dict() == {"name": "a"}
    assert zoo.Category(name="a", parent=None).to_dict() == {"name": "a", "parent": None}


@pytest.mark.parametrize(
    "document",
    [
        {"animal": {"kind": "snake"}, "arrival": ARRIVAL},
        {"animal": {"kind": "parrot", "name": "Jo", "words": ["}"]}, "arrival": ARRIVAL},
        {
            "animal": {"kind": "lion", "name": "Leo"},
            "arrival": ARRIVAL,
            "quarantineUntil": None,
            "registered": "2024-02-29T12:00:00Z",
            "kind": "unicorn",
            "diet": {"meat": 1.0, "every": "week"},
            "color": None,
            "keeper": {"name": "K", "enclosures": [{"animals": [{"kind": "snake"}]}]},
            "backup": None,
            "friend": {"kind": "snake", "venom": None},
            "position": [1.5, 2.0, "left"],
            "defaultValue": {"any": ["thing", None]},
            "anything": [1, "a", None],
            "labels": {"a": "b"},
            "tagsByName": {"x": {"name": "y", "weight": 3.5}},
            "matrix": [[0, 1], [-1, 7]],
            "level": 10,
            "id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
            "extra": {"a": {"b": 1}},
        },
    ],
)
def test_documents_round_trip(zoo: Any, document: dict[str, Any]) -> None:
    model = zoo.NewAnimal.from_dict(document)
    assert model.to_dict() == document
    assert json.loads(model.to_json()) == document


def test_a_discriminator_chooses_the_class_and_its_tag_is_sent(zoo: Any) -> None:
    adapter = TypeAdapter(zoo.Animal)
    for kind, cls in (("lion", zoo.Lion), ("parrot", zoo.Parrot), ("snake", zoo.Snake)):
        animal = adapter.validate_python({"kind": kind, "name": "x"})
        assert type(animal) is cls
        assert cls(name="x").to_dict()["kind"] == kind
    with pytest.raises(ValidationError):
        adapter.validate_python({"kind": "dodo", "name": "x"})
    assert zoo.Snake().to_dict() == {"kind": "snake"}


def test_a_union_without_discriminator_keeps_the_kind_of_value(zoo: Any) -> None:
    adapter = TypeAdapter(zoo.Ref)
    assert adapter.validate_python("7") == "7"
    assert adapter.validate_python(7) == 7
    assert type(adapter.validate_python({"name": "ab"})) is zoo.Tag


def test_defaults(zoo: Any) -> None:
    animal = new_animal(zoo)
    assert animal.kind is zoo.Kind.LION
    assert type(animal.diet) is zoo.Diet
    assert (animal.diet.meat, animal.diet.every) == (2.5, zoo.DietEvery.DAY)
    assert animal.registered == datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)
    assert animal.level is zoo.Level.VALUE_1
    assert animal.tags_by_name == {}
    assert zoo.Parrot(name="x").words == ["hello", "}"]
    assert zoo.Parrot(name="x").words is not zoo.Parrot(name="y").words
    assert new_animal(zoo).diet is not animal.diet
    assert animal.to_dict() == {"animal": {"kind": "lion", "name": "Leo"}, "arrival": ARRIVAL}


def test_any_value_may_stand_where_the_schema_is_true(zoo: Any) -> None:
    values: list[Any] = [None, 0, False, "", [], {}, 1.5, [{"a": None}]]
    for value in values:
        assert new_animal(zoo, defaultValue=value).to_dict()["defaultValue"] == value


def test_a_tuple_has_its_members_types(zoo: Any) -> None:
    assert new_animal(zoo, position=[1, 2, "x"]).position == (1.0, 2.0, "x")
    for wrong in ([1, 2], [1, 2, "x", 4], ["a", 2, "x"]):
        with pytest.raises(ValidationError):
            new_animal(zoo, position=wrong)
    assert TypeAdapter(zoo.OldPoint).validate_python([1, "a"]) == (1, "a")


def test_null_is_allowed_where_the_spec_says_so(zoo: Any) -> None:
    for name in ("keeper", "backup", "friend", "color", "quarantineUntil"):
        assert new_animal(zoo, **{name: None}).to_dict()[name] is None
    keeper = {"name": "K"}
    assert type(new_animal(zoo, keeper=keeper).keeper) is zoo.Keeper
    assert type(new_animal(zoo, backup=keeper).backup) is zoo.Keeper
    assert new_animal(zoo, color="red").color is zoo.MaybeColor.RED


def test_recursive_models(zoo: Any) -> None:
    category = zoo.Category.from_dict(
        {"name": "c", "parent": {"name": "p"}, "children": [{"name": "d"}], "byName": {}}
    )
    assert category.children[0].name == "d"
    keeper = zoo.Keeper(enclosures=[zoo.Enclosure(keeper=zoo.Keeper(name="K"))])
    assert zoo.Keeper.from_dict(keeper.to_dict()) == keeper
    expression = {"sum": [1.5, {"not": {"sum": []}}, {"not": 2.0}]}
    found = TypeAdapter(zoo.Expression).validate_python(expression)
    assert type(found.sum[1]) is zoo.Negation
    assert type(found.sum[1].not_) is zoo.Sum
    assert found.to_dict() == expression
    tree = ["a", ["b", ["c"]], []]
    assert TypeAdapter(zoo.Tree).validate_python(tree) == tree


def test_enumerations(zoo: Any) -> None:
    assert [member.name for member in zoo.Odd] == [
        "EMPTY",
        "TWO_WORDS",
        "VALUE_2ND",
        "A_B",
        "A_B_",
        "CLASS",
        "NONE",
        "MRO",
        "NAME",
        "VALUE",
        "RED_",
        "RED",
        "U",
        "HYPHEN_MINUS_GREATER_THAN_SIGN",
        "PRIVATE",
        "INIT",
        "QUOTED_BACK",
        "TITLE",
        "FORMAT",
    ]
    assert [member.value for member in zoo.Odd][-3:] == ['"quoted" \\ back', "title", "format"]
    assert zoo.Odd("two words") is zoo.Odd.TWO_WORDS
    assert zoo.Level.MINUS_1 == -1
    assert zoo.Level(99).value == 99
    assert zoo.Odd("new").value == "new"
    assert {member.value for member in zoo.MaybeColor} == {"red", "green"}
    assert TypeAdapter(zoo.Mixed).validate_python("else") == "else"
    assert zoo.ListAnimalsSort.MINUS_NAME == "-name"


def test_inheritance_from_two(zoo: Any) -> None:
    ticket = zoo.Ticket(id="1234", owner="me", place=3, state="two words")
    assert isinstance(ticket, zoo.Owned)
    assert ticket.state is zoo.Odd.TWO_WORDS
    with pytest.raises(ValidationError):
        zoo.Ticket(id="1")


def test_unknown_fields_by_use(zoo: Any) -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        new_animal(zoo, nope=1)
    assert zoo.Ticket.from_dict({"id": "1", "owner": "a", "nope": 1}).to_dict() == {
        "id": "1",
        "owner": "a",
    }
    both_ways = {"kind": "snake", "nope": 1}
    assert zoo.Snake.from_dict(both_ways).to_dict() == both_ways
    with pytest.raises(ValidationError, match="Extra inputs"):
        zoo.HTTPMoveAnimal2CageRequest.from_dict({"reason": "x", "nope": 1})
    with pytest.raises(ValidationError, match="Extra inputs"):
        zoo.HTTPMoveAnimal2CageRequestEscort(nope=1)


def test_property_names_of_all_kinds_round_trip(zoo: Any) -> None:
    document = {
        "class": "a",
        "from": "b",
        "None": "c",
        "$type": "d",
        "$ref": "e",
        "foo-bar": "f",
        "schema": {"g": 1},
        "copy": "h",
        "json": "i",
        "dict": {"j": "k"},
        "list": [1],
        "str": "l",
        "int": 2,
        "model_config": "m",
        "model_fields": "n",
        "model_dump": "o",
        "to_dict": "p",
        "from_dict": "q",
        "2fast": True,
        "_private": "r",
        "date": "2024-05-06",
        "UUID": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "Literal": "x",
        "default": "s",
        "enum": "t",
        "properties": {"type": "u"},
        "HTTPCode": 3,
        "self": "v",
        "any": [None],
        "Field": 4,
    }
    model = zoo.PropertyNames.from_dict(document)
    assert model.to_dict() == document
    assert zoo.PropertyNames(**{name: getattr(model, name) for name in model.model_fields_set}) == (
        model
    )
    assert (model.class_, model.from_, model.type, model.ref) == ("a", "b", "d", "e")
    assert (model.foo_bar, model.schema_, model.private) == ("f", {"g": 1}, "r")
    assert model.date == datetime.date(2024, 5, 6)
    assert isinstance(model.uuid, UUID)


def test_names_that_are_imported_in_the_module_get_a_suffix(zoo: Any) -> None:
    uuid = zoo.UUIDModel(of=zoo.AnyModel(field=zoo.FieldModel(size=1)))
    assert zoo.ModelModel(uuid=uuid).to_dict() == {"uuid": {"of": {"field": {"size": 1}}}}
    assert zoo.Response(model={}).model == zoo.ModelModel()
    assert zoo.Client(literal={"only": "literal", "list": "set"}).literal.list_ is zoo.List.SET
    assert zoo.TimestampModel(at=ARRIVAL).to_dict() == {"at": ARRIVAL}
    assert zoo.StrEnumModel.A == "a"


def test_formats_that_would_change_the_wire_are_text(zoo: Any) -> None:
    link = zoo.PhotoLink(url="HTTP://Example.com")
    assert link.to_dict() == {"url": "HTTP://Example.com"}


def test_constraints(zoo: Any) -> None:
    with pytest.raises(ValidationError):
        zoo.Tag(name="UPPER")
    with pytest.raises(ValidationError):
        zoo.Tag(name="a", weight=101)


def test_what_only_the_server_sets_need_not_be_sent(zoo: Any) -> None:
    assert not zoo.NewAnimal.model_fields["id"].is_required()


def test_docstrings(zoo: Any) -> None:
    files = sorted(Path(zoo.__file__).parent.rglob("[!_]*.py"))
    source = "".join(file.read_text() for file in files)
    # But for the types of unions, which are strings in one line.
    long = [line for line in source.splitlines() if len(line) > 100]
    assert [line for line in long if not line.startswith('    "Annotated[')] == []
    assert """LION = "lion"\n    \"\"\"\n    It roars,\n      and it sleeps.\n""" in source
    assert "It talks." in source
    assert "Cases:" in zoo.Kind.__doc__
    assert 'C:\\new, """triple quotes""", \'\'\'single ones\'\'\', ends with a quote: "' in (
        " ".join(zoo.Described.__doc__.split())
    )
    assert 'x = "\\\\n"' in source
    assert "A leaf, or trees." in source


def test_hand_written_models_take_the_place_of_generated_ones(zoo: Any) -> None:
    assert zoo.Lion.__module__ == "zoo.models.lion"
    animal = new_animal(zoo, friend={"kind": "lion", "name": "Nala"}).friend
    assert animal.roar() == "Nala roars"
    enclosure = zoo.Enclosure.from_dict({"animals": [{"kind": "lion", "name": "Leo"}]})
    assert type(enclosure.animals[0]) is zoo.Lion
    category = zoo.Category.from_dict(
        {
            "name": "c",
            "parent": {"name": "p"},
            "children": [{"name": "d"}],
            "byName": {"e": {"name": "f"}},
        }
    )
    assert category.path() == "p/c"
    assert type(category.children[0]) is type(category.by_name["e"]) is zoo.Category
    assert (
        TypeAdapter(dict[str, zoo.Category]).validate_python({"a": {"name": "b"}})["a"].path()
        == "b"
    )
    assert zoo.Visit(animals=[{"kind": "lion", "name": "Leo"}]).animals[0].roar() == "Leo roars"
    assert zoo.VisitKind is zoo.Kind
    # A model that inherits has the generated part, since the hand-written one comes later.
    assert zoo.Ticket.__mro__[1].__name__ == "GeneratedBase"
    assert zoo.Base(id="abcdef").short_id == "abc"
    assert get_args(zoo.Lion.model_fields["kind"].annotation) == ("lion",)
