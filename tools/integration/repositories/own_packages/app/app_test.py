"""This repository's own versions of what the packages need, and one of each."""

import sys
from pathlib import Path

import httpx
import pydantic

from stepflow_api.models import Flow, Step
from stepflow_client import StepflowClient
from stepflow_runtime import StepflowRuntime

if __name__ == "__main__":
    assert Flow(name="greet", steps=[Step(id="hello", component="/hello")]).name == "greet"
    assert (httpx.__version__, pydantic.VERSION) == ("0.27.0", "2.8.0")
    assert StepflowClient
    assert StepflowRuntime
    folders = [Path(folder) for folder in sys.path]
    assert len([folder for folder in folders if (folder / "pydantic_core").is_dir()]) == 1
    assert len([folder for folder in folders if (folder / "httpx").is_dir()]) == 1
