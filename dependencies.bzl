"""For WORKSPACE files that define rules_python and bazel_skylib; stepflow_packages() of packages.bzl comes next."""

load("@rules_python//python:pip.bzl", "pip_parse")
load("@rules_python//python:repositories.bzl", "py_repositories")

# The same as in MODULE.bazel.
_HUBS = {
    "stepflow_orchestrator": "stepflow_server",
    "stepflow_pip": "python",
}

def locked_hubs(hubs):
    """Declares a hub of Python packages for each lock.

    Args:
        hubs: names of hubs, and for each the folder of its lock below third_party.
    """
    for hub, folder in hubs.items():
        pip_parse(
            name = hub,
            extra_pip_args = ["--only-binary=:all:"],
            incompatible_generate_aliases = True,
            isolated = False,
            python_interpreter = "python3.11",
            requirements_lock = Label("//third_party/%s:requirements_lock.txt" % folder),
        )

def stepflow_dependencies():
    """Declares the hubs of what the three packages and the compiler need."""
    py_repositories()
    locked_hubs(_HUBS)
