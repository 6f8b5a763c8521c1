import asyncio
import datetime
import importlib
import inspect
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest

from stepflow_api.client import Client
from stepflow_api.errors import Conflict, InvalidRequest, NotFound, ServerError, UnexpectedStatus

from .conftest import Server

FORMS = ("sync", "sync_detailed", "asyncio", "asyncio_detailed")
ID = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(base_url=server.url) as client:
        yield client


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def call(server: Server, endpoint: Any, form: str, *path: Any, **arguments: Any) -> Any:
    """Call one form of an endpoint, and return the result of a success."""
    function = getattr(endpoint, form)

    async def wait() -> Any:
        async with Client(base_url=server.url) as client:
            return await function(*path, client=client, **arguments)

    if form.startswith("asyncio"):
        result = asyncio.run(wait())
    else:
        with Client(base_url=server.url) as client:
            result = function(*path, client=client, **arguments)
    return result.parsed if form.endswith("_detailed") else result


def query_of(server: Server) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(server.received[-1].target).query, keep_blank_values=True)


def endpoint(name: str) -> Any:
    return importlib.import_module(f"zoo.api.{name}")


def test_query_and_header_parameters(zoo: Any, server: Server, form: str) -> None:
    server.answers(200, [{"kind": "parrot", "name": "Jo"}, {"kind": "lion", "name": "Leo"}])
    animals = call(
        server,
        endpoint("animal_care.list_animals"),
        form,
        x_trace_id="t r",
        body_=True,
        limit=7,
        kind=[zoo.Kind.LION, "new kind"],
        tag=["a", "b&c"],
        born_after=datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=datetime.UTC),
        arrived=datetime.date(2024, 5, 6),
        keeper=ID,
        from_=3,
        client_="c/d",
        sort=zoo.ListAnimalsSort.MINUS_NAME,
        filter="ü=1",
        weight=0.5,
        models=99.5,
        x_sizes=[1, 2],
        if_none_match='"etag"',
    )
    assert [type(animal) for animal in animals] == [zoo.Parrot, zoo.Lion]
    (received,) = server.received
    assert received.method == "GET"
    assert urlsplit(received.target).path == "/api/v1/animals"
    assert query_of(server) == [
        ("limit", "7"),
        ("kind", "lion"),
        ("kind", "new kind"),
        ("tag", "a,b&c"),
        ("bornAfter", "2024-05-06T07:08:09+00:00"),
        ("arrived", "2024-05-06"),
        ("keeper", str(ID)),
        ("from", "3"),
        ("client", "c/d"),
        ("body", "true"),
        ("sort", "-name"),
        ("$filter", "ü=1"),
        ("weight", "0.5"),
        ("models", "99.5"),
    ]
    assert received.headers["x-trace-id"] == "t r"
    assert received.headers["x-sizes"] == "1,2"
    assert received.headers["if-none-match"] == '"etag"'
    assert received.body == b""


def test_what_is_not_given_is_not_sent(zoo: Any, server: Server, form: str) -> None:
    server.answers(200, [])
    list_animals = endpoint("animal_care.list_animals")
    assert call(server, list_animals, form, x_trace_id="t", body_=False, keeper=None) == []
    assert query_of(server) == [("body", "false")]
    assert "x-sizes" not in server.received[-1].headers


def test_path_parameters_are_encoded(zoo: Any, server: Server, form: str) -> None:
    server.answers(200, {"moved": True, "path": [{"cage": "c"}], "new": 1})
    move = endpoint("animal_care.http_move_animal2_cage")
    body = zoo.HTTPMoveAnimal2CageRequest(reason="r", escort={"name": "e"})
    result = call(server, move, form, ID, "a/b {sizes}?", [1, 2], body=body)
    assert result.path[0].cage == "c"
    (received,) = server.received
    assert received.method == "PUT"
    assert received.target == f"/api/v1/animals/{ID}/cages/a%2Fb%20%7Bsizes%7D%3F/1,2"
    assert received.headers["content-type"] == "application/json"
    assert json.loads(received.body) == {"reason": "r", "escort": {"name": "e"}}


def test_an_optional_body_may_be_left_out(zoo: Any, server: Server, form: str) -> None:
    server.answers(200, {})
    call(server, endpoint("animal_care.http_move_animal2_cage"), form, "x", "y", [1])
    assert server.received[-1].body == b""
    assert "content-type" not in server.received[-1].headers


def test_several_successes_have_each_its_type(zoo: Any, server: Server, form: str) -> None:
    add = endpoint("animal_care.add_animal")
    body = zoo.NewAnimal(animal=zoo.Snake(), arrival="2024-05-06T07:08:09Z")
    for status, content, cls in (
        (200, {"kind": "lion", "name": "Leo"}, zoo.Lion),
        (201, {"kind": "snake"}, zoo.Snake),
        (202, {"id": "1", "owner": "o"}, zoo.Ticket),
    ):
        server.answers(status, content)
        assert type(call(server, add, form, x_trace_id="t", body=body)) is cls
    assert json.loads(server.received[-1].body) == {
        "animal": {"kind": "snake"},
        "arrival": "2024-05-06T07:08:09Z",
    }


@pytest.mark.parametrize("status", [404, 418, 500])
def test_error_answers_are_parsed_by_status(
    zoo: Any, server: Server, client: Client, status: int
) -> None:
    list_animals = endpoint("animal_care.list_animals")
    arguments: dict[str, Any] = {"client": client, "x_trace_id": "t", "body_": True}
    is_problem = status < 500
    if is_problem:
        server.answers(status, {"title": "no", "detail": "nothing"}, "application/problem+json")
    else:
        server.answers(status, b"broken", "text/plain")
    response = list_animals.sync_detailed(**arguments)
    assert response.status_code == status
    problem = zoo.Problem(title="no", detail="nothing")
    assert response.parsed == (problem if is_problem else "broken")
    cls = {404: NotFound, 418: UnexpectedStatus, 500: ServerError}[status]
    with pytest.raises(cls, match="nothing" if is_problem else "broken"):
        list_animals.sync(**arguments)


def test_a_media_type_with_a_suffix_is_json(zoo: Any, server: Server, client: Client) -> None:
    server.answers(409, {"title": "clash"}, "application/problem+json")
    body = zoo.NewAnimal(animal=zoo.Snake(), arrival="2024-05-06T07:08:09Z")
    with pytest.raises(Conflict) as caught:
        endpoint("animal_care.add_animal").sync(client=client, x_trace_id="t", body=body)
    assert caught.value.parsed == zoo.Problem(title="clash")


def test_bytes_go_and_come_as_they_are(zoo: Any, server: Server, form: str) -> None:
    data = bytes(range(256))
    server.answers(200, b"/photos/1", "text/plain")
    store = endpoint("photos.store_photo")
    assert call(server, store, form, 1, body=data) == "/photos/1"
    received = server.received[-1]
    assert (received.method, received.body) == ("PUT", data)
    assert received.headers["content-type"] == "application/octet-stream"
    link = zoo.PhotoLink(url="http://x/y")
    call(server, store, form, 1, body=link)
    assert server.received[-1].headers["content-type"] == "application/json"
    assert json.loads(server.received[-1].body) == {"url": "http://x/y"}
    server.answers(206, data, "image/png")
    assert (
        call(
            server,
            endpoint("photos.get_photo"),
            form,
            1,
        )
        == data
    )


def test_text_bodies(zoo: Any, server: Server, form: str) -> None:
    server.answers(200, {"any": ["thing"]})
    add_note = endpoint("default.add_note")
    assert call(server, add_note, form, body="grüß") == {"any": ["thing"]}
    assert server.received[-1].body == "grüß".encode()
    assert server.received[-1].headers["content-type"] == "text/plain; charset=utf-8"


def test_unions_and_maps(zoo: Any, server: Server, form: str) -> None:
    search = endpoint("default.search")
    server.answers(200, {"a": {"name": "b"}})
    assert call(server, search, form, body=["x", 7])["a"].path() == "b"
    assert json.loads(server.received[-1].body) == ["x", 7]
    server.answers(201, "text")
    assert call(server, search, form, body=zoo.Tag(name="x")) == "text"
    assert json.loads(server.received[-1].body) == {"name": "x"}
    call(server, search, form, body=None)
    assert server.received[-1].body == b"null"
    call(server, search, form)
    assert server.received[-1].body == b""


def test_answers_without_a_body(zoo: Any, server: Server, client: Client, form: str) -> None:
    for name, status in (("default.sweep", 204), ("default.sweep", 200), ("default.ping", 200)):
        server.answers(status, b"", "text/plain")
        assert call(server, endpoint(name), form) is None
    server.answers(304, b"")
    response = endpoint("animal_care.list_animals").sync_detailed(
        client=client, x_trace_id="t", body_=True
    )
    assert (response.status_code, response.parsed) == (304, None)


def test_a_status_that_is_not_documented(zoo: Any, server: Server, client: Client) -> None:
    server.answers(299, b"")
    photo = endpoint("photos.get_photo")
    assert photo.sync_detailed(1, client=client).parsed is None
    with pytest.raises(UnexpectedStatus):
        photo.sync(1, client=client)


def test_an_empty_path_parameter_is_refused(zoo: Any, server: Server, client: Client) -> None:
    with pytest.raises(InvalidRequest, match="from"):
        endpoint("animal_care.http_move_animal2_cage").sync(ID, "", [1], client=client)
    assert server.received == []


def test_hand_written_endpoints_stay(zoo: Any) -> None:
    assert endpoint("animal_care.remove_animal").sync() == "by hand"


def test_facts(zoo: Any) -> None:
    facts = importlib.import_module("zoo.spec")
    assert facts.TITLE == 'The "Zoo" \\ API'
    assert (facts.API_VERSION, facts.PATH_PREFIX) == ("2.7.0-rc.1", "/zoo/v2")
    assert len(facts.OPERATIONS) == 10
    for operation in facts.OPERATIONS.values():
        importlib.import_module(f"zoo.{operation.module}")
    assert facts.OPERATIONS["add-note"].module == "api.default.add_note"
    assert facts.OPERATIONS["listAnimals"].tag == "Animal Care"


def test_the_four_forms_have_the_same_arguments_and_documentation(zoo: Any) -> None:
    facts = importlib.import_module("zoo.spec")
    for operation in facts.OPERATIONS.values():
        if operation.module == "api.animal_care.remove_animal":
            continue
        module = importlib.import_module(f"zoo.{operation.module}")
        signatures = [inspect.signature(getattr(module, form)).parameters for form in FORMS]
        assert all(list(found.items()) == list(signatures[0].items()) for found in signatures)
        assert module.sync.__doc__ == module.asyncio.__doc__
        assert module.sync_detailed.__doc__ == module.asyncio_detailed.__doc__


def test_documentation(zoo: Any) -> None:
    list_animals = endpoint("animal_care.list_animals")
    doc = inspect.getdoc(list_animals.sync_detailed)
    assert doc is not None
    assert doc.startswith("Lists animals.\n\nGives the animals of the zoo")
    for line in (
        "    x_trace_id: Traces a request.",
        '    tag: The query parameter `tag`. The server\'s default is ["a", "b"].',
        "    - 200 `list[models.Animal]`: The animals, a page of them",
        "    - 304 `None`: Nothing is new",
        "    - 4XX `models.Problem`: A problem",
        "    - default `str`: Anything else",
        "  docstring, as this one is.",
    ):
        assert line in doc.splitlines()
    long = [line for line in doc.splitlines() if len(line) > 96]
    assert [line.split()[0][:7] for line in long] == ['{"code"', "an", "https:/"]
    assert "'''quoted''' and \\n escaped" in doc
    plain = inspect.getdoc(list_animals.sync)
    assert plain is not None
    assert "        - 4XX `models.Problem`: A problem" in plain.splitlines()
    moved = inspect.getdoc(endpoint("animal_care.add_animal").sync)
    assert moved is not None
    assert "    body: The newcomer.\n\n        On two paragraphs." in moved
