"""What operations need of the schemas, and of the media types."""

from dataclasses import dataclass

from tools.codegen.document import Node

# Streamed bodies: events, or a JSON document on each line.
EVENT_TYPES = (
    "text/event-stream",
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonlines",
    "application/json-lines",
    "application/stream+json",
)


@dataclass(frozen=True)
class Use:
    """A schema that an endpoint needs the Python type of.

    Attributes:
        name: What its class is called if it has none of its own.
        schema: The schema; None where the spec has none.
        sent: Whether requests hold it; otherwise answers do.
        is_parameter: Whether it is a parameter in the usual style.
    """

    name: str
    schema: Node | None
    sent: bool
    is_parameter: bool = False


def essence_of(media_type: str) -> str:
    """Return a media type without its parameters, in lower case."""
    return media_type.partition(";")[0].strip().lower()


def media_kind(media_type: str) -> str:
    """Return what a body of a media type is in Python: `json`, `form`, `text` or `bytes`."""
    essence = essence_of(media_type)
    main, _, sub = essence.partition("/")
    is_stream = essence in EVENT_TYPES
    if not is_stream and (sub == "json" or sub.endswith("+json") or essence == "*/*"):
        return "json"
    if sub == "x-www-form-urlencoded":
        return "form"
    return "text" if main == "text" else "bytes"
