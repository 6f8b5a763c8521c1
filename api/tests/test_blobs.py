"""Blobs of bytes, which the spec names in its prose alone, on the real server."""

from __future__ import annotations

import json

import pytest

from api.tests.support.exchange import SERVER, Recorder
from api.tests.support.flows import UNKNOWN_HASH
from api.tests.support.forms import DETAILED, FORMS, PLAIN, Form
from api.tests.support.world import World
from stepflow_api import Client, models
from stepflow_api.api.blob import get_blob, get_blob_bytes, store_blob, store_blob_bytes
from stepflow_api.errors import BadRequest, InvalidRequest, NotFound, PayloadTooLarge, ServerError
from stepflow_api.testing import MockServer

pytestmark = pytest.mark.anyio

by_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)


@by_form
@pytest.mark.parametrize(
    "content",
    [
        b"\0\xff\xfe\x00",
        b"",
        b"plain text",
        b'{"json": 1}',
        b'{"error":{"code":404,"message":"no"}}',
        b'{"summary":{},"results":[]}',
        "ä".encode("utf-16"),
        bytes(range(256)),
    ],
    ids=["no text", "empty", "text", "JSON", "error", "run", "UTF-16", "every byte"],
)
async def test_bytes_come_back_as_they_were(
    form: Form, content: bytes, client: Client, recorder: Recorder
) -> None:
    stored = await form("blob.store_blob_bytes", content, client=client)
    assert recorder.last_request.headers["content-type"] == "application/octet-stream"
    blob = stored.parsed if form.is_detailed else stored
    assert type(blob) is models.StoreBlobResponse
    assert blob.to_dict() == recorder.received == {"blobId": blob.blob_id}
    read = await form("blob.get_blob_bytes", blob.blob_id, client=client)
    if form.is_detailed:
        assert (read.status_code, read.content) == (200, content)
        assert read.headers["x-blob-type"] == "binary"
        assert "content-disposition" not in read.headers
    assert (read.parsed if form.is_detailed else read) == content


@by_form
async def test_a_file_name_is_kept(form: Form, client: Client, recorder: Recorder) -> None:
    name = "two words.bin"
    stored = await form("blob.store_blob_bytes", b"\0", client=client, filename=name)
    blob = stored.parsed if form.is_detailed else stored
    assert blob.filename == name
    assert blob.to_dict() == recorder.received
    await form("blob.get_blob_bytes", blob.blob_id, client=client)
    disposition = recorder.last_answer.headers.get("content-disposition")
    assert disposition == 'attachment; filename="two words.bin"'


@by_form
@pytest.mark.parametrize("name", ["ä.bin", "a\nb", " a", "\0"])
async def test_a_file_name_that_the_server_would_drop_is_refused(
    form: Form, name: str, client: Client, recorder: Recorder
) -> None:
    with pytest.raises(InvalidRequest) as raised:
        await form("blob.store_blob_bytes", b"\0", client=client, filename=name)
    assert "x-blob-filename header cannot hold" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert recorder.answers == []


async def test_no_file_name_is_sent_where_none_is_given(client: Client, recorder: Recorder) -> None:
    store_blob_bytes.sync(b"\0", client=client)
    store_blob_bytes.sync(b"\0", client=client, filename=None)
    for _, request in recorder.requests:
        assert request.headers == {"content-type": "application/octet-stream"}


async def test_both_ways_to_store_bytes_are_one(client: Client) -> None:
    first = store_blob.sync(client=client, body=b"\0same")
    assert store_blob_bytes.sync(b"\0same", client=client).blob_id == first.blob_id


@by_form
async def test_a_json_blob_as_bytes(form: Form, client: Client, world: World) -> None:
    read = await form("blob.get_blob_bytes", world.named_blob, client=client)
    if form.is_detailed:
        assert read.headers["x-blob-type"] == "data"
        assert read.headers["content-disposition"] == 'attachment; filename="notes.json"'
    content = read.parsed if form.is_detailed else read
    assert json.loads(content) == "text"


@pytest.mark.parametrize("form", PLAIN, ids=lambda form: form.name)
async def test_errors_of_the_plain_forms(form: Form, client: Client) -> None:
    with pytest.raises(NotFound, match=f"404 Not Found: Blob '{UNKNOWN_HASH}' not found") as raised:
        await form("blob.get_blob_bytes", UNKNOWN_HASH, client=client)
    assert type(raised.value.parsed) is models.ErrorResponse
    large = bytes(2 * 1024 * 1024 + 1)
    if SERVER >= (0, 12):
        stored = await form("blob.store_blob_bytes", large, client=client)
        assert await form("blob.get_blob_bytes", stored.blob_id, client=client) == large
        return
    with pytest.raises(PayloadTooLarge, match=r"413 .*length limit exceeded"):
        await form("blob.store_blob_bytes", large, client=client)


@pytest.mark.parametrize("form", DETAILED, ids=lambda form: form.name)
async def test_errors_of_the_detailed_forms(form: Form, client: Client) -> None:
    response = await form("blob.get_blob_bytes", UNKNOWN_HASH, client=client)
    assert (response.status_code, response.parsed.code) == (404, 404)
    if SERVER < (0, 12):
        response = await form("blob.store_blob_bytes", bytes(2 * 1024 * 1024 + 1), client=client)
        assert (response.status_code, response.parsed) == (413, None)


async def test_the_largest_body_that_the_server_takes(client: Client) -> None:
    content = bytes(2 * 1024 * 1024)
    blob = store_blob_bytes.sync(content, client=client)
    assert get_blob_bytes.sync(blob.blob_id, client=client) == content


async def test_a_binary_blob_read_as_json_says_so(client: Client, world: World) -> None:
    if SERVER >= (0, 12):
        # These can return it, in base64.
        assert get_blob.sync(world.binary_blob, client=client).data == "AP/+"
    else:
        with pytest.raises(ServerError) as raised:
            get_blob.sync(world.binary_blob, client=client)
        assert raised.value.message == "500 Internal Server Error: Failed to deserialize blob data"
    assert get_blob_bytes.sync(world.binary_blob, client=client) == b"\0\xff\xfe"


@pytest.mark.parametrize("content", ["text", 1, None, ["a"]])
async def test_only_bytes_are_stored_as_bytes(
    content: object, client: Client, recorder: Recorder
) -> None:
    # A str has no bytes of its own; which encoding is meant is not for this package to guess.
    with pytest.raises(InvalidRequest, match=r"the body is of type .*; pass bytes"):
        store_blob_bytes.sync(content, client=client)  # type: ignore[arg-type]
    assert recorder.answers == []


@by_form
async def test_the_name_of_a_file_is_sent(form: Form) -> None:
    server = MockServer({"POST /blobs": {"blobId": UNKNOWN_HASH}})
    async with Client("http://server", transport=server) as client:
        await form("blob.store_blob_bytes", b"x", client=client, filename="a.txt")
        await form("blob.store_blob_bytes", b"x", client=client)
        named, plain = (request.headers for request in server.requests)
        assert named["x-blob-filename"] == "a.txt"
        assert "x-blob-filename" not in plain
        # An error is parsed to what the spec documents.
        server.add("POST /blobs", 400)
        try:
            result = (await form("blob.store_blob_bytes", b"x", client=client)).parsed
        except BadRequest as error:
            result = error.parsed
    assert result == models.ErrorResponse(code=400, message="Bad Request")
