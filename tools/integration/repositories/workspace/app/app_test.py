"""The three packages in a program of another repository."""

import httpx
import pydantic

import stepflow_api
import stepflow_client
import stepflow_runtime
from stepflow_api.models import Flow, Step

if __name__ == "__main__":
    flow = Flow(name="greet", steps=[Step(id="hello", component="/hello")])
    assert flow.steps[0].id == "hello"
    for package in (stepflow_api, stepflow_client, stepflow_runtime):
        print(package.__file__)
    print("httpx", httpx.__version__, "pydantic", pydantic.__version__)
