"""Threads that are the first to use the models of a fresh process."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import pytest

from api.tests.support.specimens import document, model_classes
from stepflow_api import models

# Each thread creates every model from a document, serializes it directly and in a field of type Any
# that pydantic, not the model, serializes, and sends it as a part of a body.
PROGRAM = """
import json, sys, threading, time
import pydantic
from pydantic._internal import _model_construction

documents, delay = json.load(sys.stdin)
if delay:
    construct = _model_construction.SchemaSerializer

    def construct_slowly(*args, **kwargs):
        time.sleep(delay)
        return construct(*args, **kwargs)

    _model_construction.SchemaSerializer = construct_slowly

from stepflow_api import models
from stepflow_api.api.flow import store_flow

class Holder(pydantic.BaseModel):
    value: object = None

barrier = threading.Barrier(16)
failures = set()

def check(name, wire):
    model = getattr(models, name)
    made = model.from_dict(wire)
    assert json.loads(Holder(value=made).model_dump_json(by_alias=True, exclude_unset=True)) == {
        "value": wire
    }
    parts = [made, {"made": made}, *(part for _, part in made)]
    store_flow.OPERATION.request(body=parts)
    assert made.to_dict() == json.loads(made.to_json()) == wire

def work():
    barrier.wait(60)
    for name, wire in documents.items():
        try:
            check(name, wire)
        except BaseException as error:
            failures.add(f"{name}: {error!r}")

threads = [threading.Thread(target=work) for _ in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(*sorted(failures), sep="\\n", end="")
"""


# The same by one thread, of models that nothing has built: each is made without its validator.
UNBUILT = """
import pickle, pydantic
from stepflow_api import models

class Holder(pydantic.BaseModel):
    value: object = None

for made in (
    models.Flow.from_dict({"steps": [{"id": "it", "component": "/x"}]}).steps[0],
    models.ExampleInput.model_construct(name="it"),
    pickle.loads(bytes.fromhex(input())),
):
    print(Holder(value=made).model_dump_json(exclude_unset=True))
"""

# Prints the models that are built on their first use although pydantic cannot defer it.
INCOMPLETE = """
from stepflow_api import models

for name in models.__all__:
    model = getattr(models, name)
    if not getattr(model, "__pydantic_complete__", True) and not model.model_config["defer_build"]:
        print(name)
"""


def run(program: str, text: str) -> str:
    """Run a program in a fresh process; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path = {sys.path!r}\n{program}"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr
    return done.stdout + done.stderr


def first_uses(delay: float) -> str:
    """Use all models in threads of a fresh process; return the failures.

    Args:
        delay: How much longer the construction of each serializer takes, in seconds.
    """
    documents = {model.__name__: document(model) for model in model_classes()}
    return run(PROGRAM, json.dumps([documents, delay]))


@pytest.mark.parametrize("delay", [0, 0.001], ids=["natural", "slowed"])
def test_threads_that_are_the_first_to_use_the_models(delay: float) -> None:
    assert first_uses(delay) == ""


def test_models_that_cannot_wait_are_complete_once_they_are_imported() -> None:
    assert run(INCOMPLETE, "") == ""


def test_an_unbuilt_model_in_a_field_that_takes_anything() -> None:
    pickled = pickle.dumps(models.ComponentInfo(component="/x"))
    assert run(UNBUILT, pickled.hex()).splitlines() == [
        '{"value":{"id":"it","component":"/x"}}',
        '{"value":{"name":"it"}}',
        '{"value":{"component":"/x"}}',
    ]
