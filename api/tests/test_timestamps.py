"""Points in time: to Python a datetime, to the wire the text of the server, to the nanosecond."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from pydantic import TypeAdapter, ValidationError

from stepflow_api.types import Timestamp

ADAPTER = TypeAdapter(Timestamp)

NANOS = "2026-11-23T00:01:20.394215421Z"


def parse(text: str) -> datetime:
    """Return a timestamp as an answer would."""
    return ADAPTER.validate_json(json.dumps(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (NANOS, datetime(2026, 11, 23, 0, 1, 20, 394215, UTC)),
        ("2026-11-23T00:01:20.394215421+00:00", datetime(2026, 11, 23, 0, 1, 20, 394215, UTC)),
        ("2026-11-23T00:01:20Z", datetime(2026, 11, 23, 0, 1, 20, 0, UTC)),
        ("2026-11-23T00:01:20.1Z", datetime(2026, 11, 23, 0, 1, 20, 100000, UTC)),
        ("2026-11-23T00:01:20.000000001Z", datetime(2026, 11, 23, 0, 1, 20, 0, UTC)),
        (
            "2026-11-23T02:01:20.394215421+02:00",
            datetime(2026, 11, 23, 2, 1, 20, 394215, timezone(timedelta(hours=2))),
        ),
        ("2026-11-23 00:01:20.5-00:30", datetime(2026, 11, 23, 0, 31, 20, 500000, UTC)),
        ("9999-12-31T23:59:59.999999999Z", datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_text_is_kept_and_time_is_right(text: str, expected: datetime) -> None:
    time = parse(text)
    assert isinstance(time, datetime)
    assert time == expected
    assert hash(time) == hash(expected)
    for again in (
        time,
        ADAPTER.validate_python(text),
        ADAPTER.validate_python(time),
        copy.copy(time),
        copy.deepcopy(time),
        *(pickle.loads(pickle.dumps(time, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1)),
    ):
        assert again == expected
        assert ADAPTER.dump_python(again, mode="json") == text
        assert json.loads(ADAPTER.dump_json(again)) == text


def test_to_python_it_is_a_datetime() -> None:
    time = parse(NANOS)
    assert repr(time) == repr(datetime(2026, 11, 23, 0, 1, 20, 394215, UTC))
    assert str(time) == "2026-11-23 00:01:20.394215+00:00"
    assert time.isoformat() == "2026-11-23T00:01:20.394215+00:00"
    assert f"{time:%Y}" == "2026"
    assert ADAPTER.dump_python(time) is time


def test_arithmetic_gives_times_of_their_own() -> None:
    time = parse(NANOS)
    hour = timedelta(hours=1)
    assert (time + hour) - time == hour
    assert time < time + hour
    assert max(time, datetime(2000, 1, 1, tzinfo=UTC)) is time
    for other in (
        time + hour,
        time - hour,
        time.replace(hour=5),
        time.astimezone(timezone(timedelta(hours=5))),
    ):
        # The text of the old time would be wrong for the new one.
        text = ADAPTER.dump_python(other, mode="json")
        assert "394215421" not in text
        assert datetime.fromisoformat(text) == other
        assert pickle.loads(pickle.dumps(other)) == other
        assert copy.deepcopy(other) == other


@pytest.mark.parametrize(
    "time",
    [
        datetime(2026, 11, 23, 0, 1, 20, 394215, UTC),
        datetime(2026, 11, 23, tzinfo=timezone(timedelta(hours=-3))),
    ],
)
def test_a_datetime_of_ones_own(time: datetime) -> None:
    assert ADAPTER.validate_python(time) == time
    text = ADAPTER.dump_python(ADAPTER.validate_python(time), mode="json")
    assert parse(text) == time


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-23",
        "2026-13-23T00:01:20Z",
        "2026-11-23T00:01:20.Z5",
        "soon",
        "",
        date(2026, 11, 23),
        None,
        [],
    ],
    ids=repr,
)
def test_what_is_no_time_with_a_zone_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        ADAPTER.validate_python(value)
    with pytest.raises(ValidationError):
        ADAPTER.validate_json(json.dumps(value, default=str))


@pytest.mark.parametrize(
    "value", ["2026-11-23T00:01:20", "2026-11-23T00:01:20.394215", datetime(2026, 11, 23)], ids=repr
)
def test_a_time_without_a_zone_is_taken_of_a_server_alone(value: object) -> None:
    with pytest.raises(ValidationError, match="timezone"):
        ADAPTER.validate_python(value)
    found = ADAPTER.validate_json(json.dumps(value, default=str))
    assert found.tzinfo is None
    assert found == (value if isinstance(value, datetime) else datetime.fromisoformat(str(value)))


@pytest.mark.parametrize(
    ("document", "strictly"),
    [(NANOS, True), (1700000000, False), ("20261123T000120Z", None), ("2026-11-23", None)],
)
def test_json_is_held_to_what_python_is(document: object, strictly: bool | None) -> None:
    for strict, taken in ((False, strictly is not None), (True, bool(strictly))):
        for validate, value in (
            (ADAPTER.validate_json, json.dumps(document)),
            (ADAPTER.validate_python, document),
        ):
            if taken:
                assert validate(value, strict=strict).tzinfo is not None  # type: ignore[arg-type]
                continue
            with pytest.raises(ValidationError):
                validate(value, strict=strict)  # type: ignore[arg-type]


def test_its_json_schema_is_that_of_a_datetime() -> None:
    expected = {"type": "string", "format": "date-time"}
    assert ADAPTER.json_schema(mode="validation") == expected
    assert ADAPTER.json_schema(mode="serialization") == expected
