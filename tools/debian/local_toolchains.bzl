"""Stands in for //python/local_toolchains:repos.bzl of a newer rules_python: provision adds it to the unpacked one."""

_RUNTIME = """\
load("@bazel_tools//tools/python:toolchain.bzl", "py_runtime_pair")

py_runtime(
    name = "runtime",
    interpreter_path = {interpreter},
    python_version = "PY3",
    stub_shebang = {shebang},
)

py_runtime_pair(
    name = "runtimes",
    py3_runtime = ":runtime",
    visibility = ["//visibility:public"],
)
"""

_TOOLCHAIN = """\
toolchain(
    name = "{runtime}",
    toolchain = "@{runtime}//:runtimes",
    toolchain_type = "@bazel_tools//tools/python:toolchain_type",
)
"""

def _local_runtime_repo_impl(repository_ctx):
    name = repository_ctx.attr.interpreter_path
    interpreter = repository_ctx.which(name)
    if not interpreter:
        fail("%s is not on PATH: install it, then run bazel again" % name)
    interpreter = str(interpreter.realpath)
    repository_ctx.file("BUILD.bazel", _RUNTIME.format(
        interpreter = repr(interpreter),
        shebang = repr("#!" + interpreter),
    ))

local_runtime_repo = repository_rule(
    implementation = _local_runtime_repo_impl,
    attrs = {
        "interpreter_path": attr.string(default = "python3"),
        "on_failure": attr.string(),
    },
    environ = ["PATH"],
    local = True,
)

def _local_runtime_toolchains_repo_impl(repository_ctx):
    repository_ctx.file("BUILD.bazel", "".join([
        _TOOLCHAIN.format(runtime = runtime)
        for runtime in repository_ctx.attr.runtimes
    ]))

local_runtime_toolchains_repo = repository_rule(
    implementation = _local_runtime_toolchains_repo_impl,
    attrs = {"runtimes": attr.string_list()},
)
