"""A Python toolchain around the python3.11 on PATH: nothing is downloaded."""

load(":former_hubs.bzl", "former_hubs")

_BUILD = """\
load("@rules_python//python:defs.bzl", "py_runtime", "py_runtime_pair")

py_runtime(
    name = "runtime",
    interpreter_path = {interpreter},
    python_version = "PY3",
    stub_shebang = {shebang},
)

py_runtime_pair(
    name = "runtimes",
    py3_runtime = ":runtime",
)

toolchain(
    name = "toolchain",
    toolchain = ":runtimes",
    toolchain_type = "@bazel_tools//tools/python:toolchain_type",
)
"""

def _local_python_impl(repository_ctx):
    name = "python3.11"
    found = repository_ctx.which(name)
    if not found:
        fail("{0} is not on PATH: install it (on Debian bookworm: apt-get install {0}), then run bazel again".format(name))

    # A version manager's shim is no interpreter, and a virtual environment's has packages of its own.
    result = repository_ctx.execute([found, "-I", "-c", "import sys; print(sys._base_executable)"])
    if result.return_code != 0:
        fail("{} cannot run: {}: repair or reinstall it, then run bazel again".format(found, result.stderr.strip()))
    interpreter = result.stdout.strip()
    repository_ctx.file("BUILD.bazel", _BUILD.format(
        interpreter = repr(interpreter),
        shebang = repr("#!" + interpreter),
    ))

_local_python = repository_rule(
    implementation = _local_python_impl,
    doc = "Defines :toolchain, a Python toolchain for the python3.11 on PATH.",
    environ = ["PATH"],
    local = True,
)

def local_python(name):
    """Defines a repository with :toolchain, a Python toolchain for the python3.11 on PATH.

    Args:
        name: the repository's name.
    """
    _local_python(name = name)

    # This is all that a WORKSPACE file from before stepflow_dependencies() calls.
    former_hubs()
