"""The released servers that this repository is tested with."""

load("//third_party:requirements.bzl", "whl_requirement")
load("//tools/pytest:defs.bzl", "pytest_test")
load("//tools/python:wheel_file.bzl", "wheel_file")
load("//tools/python/lock:defs.bzl", "locked_requirements")

# One of each line of releases that answers in a way of its own, oldest first.
SERVERS = {
    "0.9.0": "//third_party/stepflow_server/0.9.0",
    "0.10.0": "//third_party/stepflow_server/0.10.0",
    "0.11.0": "//third_party/stepflow_server/0.11.0",
    # The pinned one.
    "0.11.1": "//third_party/stepflow_server",
    "0.12.0": "//third_party/stepflow_server/0.12.0",
    "0.13.0": "//third_party/stepflow_server/0.13.0",
}

# They tell no events, and their workers speak HTTP.
WITHOUT_EVENTS = ["0.9.0", "0.10.0", "0.11.0", "0.11.1"]

def released_server(name, hub = None):
    """Declares a server's binary, taken from its wheel, its lock, and the test of its version.

    Args:
        name: the target of the binary.
        hub: the hub of MODULE.bazel that locks the wheel; by default that of the version which is the target's name.
    """
    locked_requirements(name = "lock")
    wheel_file(
        name = name,
        path = "stepflow_orchestrator/bin/stepflow-server",
        visibility = ["//visibility:public"],
        wheel = whl_requirement(
            "stepflow-orchestrator",
            hub = hub or "stepflow_server_" + name.replace(".", "_"),
        ),
    )
    pytest_test(
        name = "server_starts_test",
        size = "small",
        srcs = [Label("//third_party/stepflow_server:tests/test_server_starts.py")],
        data = [
            "requirements.in",
            name,
        ],
        env = {
            "REQUIREMENTS": "$(rootpath requirements.in)",
            "STEPFLOW_SERVER": "$(rootpath %s)" % name,
        },
        deps = [Label("//tools/spec:server")],
    )
