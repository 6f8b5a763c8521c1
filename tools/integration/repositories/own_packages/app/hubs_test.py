"""The packages beside this repository's own httpx and pydantic."""

import httpx
import pydantic
import pydantic_core

import stepflow_api
import stepflow_client
import stepflow_runtime
from stepflow_api.models import Flow, Step

if __name__ == "__main__":
    assert Flow(name="greet", steps=[Step(id="hello", component="/hello")]).name == "greet"
    for module in (httpx, pydantic, pydantic_core):
        print(module.__file__, module.__version__)
    for module in (stepflow_api, stepflow_client, stepflow_runtime):
        print(module.__file__)
