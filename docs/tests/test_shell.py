"""The shell commands and configuration files of pages and READMEs, from the installed wheels.

- Commands of the packages run.
- `pip install` installs what the environment of this test was made with.
- Of `tools/bazel` commands, which no test can run, the targets exist.
- Commands that need what a test does not have are in `NOT_RUN`.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from docs.tests.pages import PORT, Machine, blocks, machine_in, write_steps
from stepflow_runtime import ALL_BUILTINS, StepflowRuntime

PAGES = [
    *sorted(Path("docs").absolute().rglob("*.md")),
    *(Path(name).absolute() for name in ("CONTRIBUTING.md", "README.md", "SECURITY.md")),
    *(Path(name, "README.md").absolute() for name in ("api", "client", "runtime/examples")),
    Path("runtime/README.md").absolute(),
]

#: Beginnings of commands that other tests run.
ELSEWHERE = {
    "export STEPFLOW_SERVER_BINARY=": "test_a_server_is_where_pip_installs_it",
    "stepflow-runtime serve ": "test_the_server_command_serves_functions",
    "stepflow-runtime worker ": "test_the_config_starts_a_worker",
}
#: Beginnings of commands that no test runs, and why.
NOT_RUN = {
    "cargo build ": "needs the source of the server",
    "python3 -m venv ": "needs a network for what is installed next; this environment is one",
    "tools/integration/try_rules_python ": "needs releases of rules_python",
}
FLOW = """
name: greeting
steps:
  - { id: ask, component: /create_messages, input: { user_prompt: Hello! } }
output: { $step: ask, path: "messages[0].content" }
"""


def lines(*programs: str) -> list[str]:
    """Return the commands of all shell blocks that start with one of these words."""
    found = [
        line.strip()
        for page in PAGES
        for block in blocks(page)
        if block.language == "sh"
        for line in re.sub(r"\s*\\\n\s*", " ", block.code).splitlines()
    ]
    return [line for line in dict.fromkeys(found) if line.startswith(programs)]


CLIENT = lines("stepflow-client ", "echo ")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A folder with the files that commands read, and a server on the documented port."""
    machine = machine_in(tmp_path_factory.mktemp("machine"))
    for name, text in {
        "flow.yaml": FLOW,
        "FLOW.yaml": FLOW,
        "input.json": "{}",
        "inputs.jsonl": "{}\n{}\n",
    }.items():
        (machine.folder / name).write_text(text)
    for example in Path("runtime/examples").glob("*/"):
        (machine.folder / example.name).symlink_to(example.absolute())
    with StepflowRuntime.start(ALL_BUILTINS, port=int(machine.port)) as runtime:
        run = runtime.sync_client.submit(machine.folder / "flow.yaml", {})
        assert run.result(timeout=60).is_success
        (machine.folder / "run_id").write_text(str(run.id))
        yield machine


def test_every_command_is_checked() -> None:
    checked = ("echo ", "pip install ", "stepflow-client ", "tools/bazel ", *ELSEWHERE, *NOT_RUN)
    assert [line for line in lines("") if line and not line.startswith(checked)] == []


@pytest.mark.parametrize("line", CLIENT)
def test_a_client_command_runs(line: str, machine: Machine) -> None:
    # Graphviz is no package of Python.
    command, draws, _ = line.partition(" | dot ")
    run_id = (machine.folder / "run_id").read_text()
    output = machine.run(re.sub(r"\bRUN_(A|B|ID)\b", run_id, command))
    if draws:
        assert output.startswith("digraph")
    if file := re.search(r" -o (\S+)", command):
        assert (machine.folder / file[1]).stat().st_size


def test_the_server_command_serves_functions(tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    write_steps(machine)
    serve = lines("stepflow-runtime serve ")
    assert len(serve) == 2
    for line in serve:
        with machine.serving(line.partition("#")[0].replace(PORT, machine.port)):
            components = machine.run("stepflow-client components")
            assert ("/python/shout" in components) == ("--components" in line)


def test_the_config_starts_a_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = machine_in(tmp_path)
    write_steps(machine)
    configs = {
        block.code
        for page in PAGES
        for block in blocks(page)
        if "plugins:" in block.code
        if block.language == "yaml"
    }
    assert configs
    monkeypatch.chdir(machine.folder)
    for config in configs:
        document = yaml.safe_load(config)
        worker = document["plugins"]["python"]
        assert [f"{worker['command']} {shlex.join(worker['args'])}"] == lines(
            "stepflow-runtime worker"
        )
        # The test's own PATH lacks the folder.
        worker["command"] = str(tmp_path / "bin" / worker["command"])
        with StepflowRuntime.start(document) as runtime:
            step = {"id": "call", "component": "/python/shout", "input": {"text": "hello"}}
            flow = {"name": "call", "steps": [step], "output": {"$step": "call"}}
            assert runtime.sync_client.run(flow, {}, timeout=60).output == "HELLO"


def test_profiles_of_the_command(machine: Machine) -> None:
    (config,) = (block.code for page in PAGES for block in blocks(page) if block.language == "toml")
    assert len(tomllib.loads(config)["profiles"]) == 2
    file = machine.folder / "config.toml"
    file.write_text(config.replace(PORT, machine.port))
    assert machine.run(f"STEPFLOW_CONFIG={file} STEPFLOW_URL= stepflow-client components")


@pytest.mark.parametrize("line", lines("pip install "))
def test_pip_installs_what_is_installed_here(line: str) -> None:
    arguments = [one for one in shlex.split(line)[2:] if not one.startswith("-")]
    for argument in arguments:
        if argument in ("bazel-bin/{api,client,runtime}/*.whl", "server-0.13"):
            continue
        parts = re.fullmatch(r"([\w-]+)(?:\[(\w+)\])?(?:==(.+))?", argument)
        assert parts
        name, extra, version = parts.groups()
        distribution = importlib.metadata.distribution(name)
        assert extra is None or extra in distribution.metadata.get_all("Provides-Extra", [])
        # test_a_server_is_where_pip_installs_it checks the other version.
        assert version is None or name == "stepflow-orchestrator"


def test_a_server_is_where_pip_installs_it() -> None:
    (line,) = lines("export STEPFLOW_SERVER_BINARY=")
    _, _, inside = line.partition("stepflow_orchestrator/")
    package = importlib.metadata.distribution("stepflow-orchestrator").locate_file(
        "stepflow_orchestrator"
    )
    assert os.access(Path(str(package), inside), os.X_OK)


@pytest.mark.parametrize("line", lines("tools/bazel "))
def test_targets_exist(line: str) -> None:
    existing = set(Path(os.environ["TARGETS"]).read_text().split())
    packages = {target.partition(":")[0] for target in existing}
    for target in targets(line):
        if target.endswith("/..."):
            top = target.removesuffix("...")
            assert any(f"{package}/".startswith(top) for package in packages), f"no {target}"
        else:
            assert target in existing, f"no {target}: correct it, or list it in docs/BUILD.bazel"


def targets(line: str) -> Iterator[str]:
    """Yield the targets of a command, with braces expanded."""
    for target in re.findall(r" (//\S+)", line.partition("#")[0]):
        braces = re.fullmatch(r"(.*)\{(.*)\}(.*)", target)
        for one in braces[2].split(",") if braces else [""]:
            full = f"{braces[1]}{one}{braces[3]}" if braces else target
            package, _, name = full.partition(":")
            is_whole = name or full.endswith("...")
            yield full if is_whole else f"{full}:{package.rpartition('/')[2]}"
