"""Makes of the stored spec one that openapi-python-client can read.

Two things stop openapi-python-client 0.29.1, and both are valid OpenAPI 3.1:

- a property whose schema is `true` (`OnErrorDefault.defaultValue`) ends it: `{}` says the same;
- a default that is an object (`items` of three answers) loses the whole model: it is left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.json_types import is_json_array, is_json_object


def patch(document: Any) -> None:
    """Change a spec in place.

    Args:
        document: The spec.
    """
    for properties in _properties(document):
        for name, schema in properties.items():
            if schema is True:
                properties[name] = {}
            elif is_json_object(schema.get("default")):
                del schema["default"]


def _properties(node: Any) -> Iterator[dict[str, Any]]:
    if is_json_object(node):
        if node.get("type") == "object" and is_json_object(node.get("properties")):
            yield node["properties"]
        node = list(node.values())
    if is_json_array(node):
        for part in node:
            yield from _properties(part)


def main(arguments: list[str]) -> int:
    """Read one file and write the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("spec", type=Path, help="the OpenAPI document, JSON")
    parser.add_argument("patched", type=Path, help="the file to write")
    options = parser.parse_args(arguments)
    document = json.loads(options.spec.read_text(encoding="utf-8"))
    patch(document)
    options.patched.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
