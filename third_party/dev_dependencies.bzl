"""What this repository's own WORKSPACE needs besides stepflow_dependencies()."""

load("@rules_python//python:pip.bzl", "pip_parse")
load("//:dependencies.bzl", "locked_hubs")

# The same as in MODULE.bazel.
_DEV_HUBS = {
    "stepflow_http_clients": "http_clients",
    "stepflow_matplotlib": "matplotlib",
    "stepflow_openapi_python_client": "openapi_python_client",
    "stepflow_pip_lowest": "python_lowest",
    "stepflow_py": "stepflow_py",
    "stepflow_schemathesis": "schemathesis",
    "stepflow_server_0_10_0": "stepflow_server/0.10.0",
    "stepflow_server_0_11_0": "stepflow_server/0.11.0",
    "stepflow_server_0_12_0": "stepflow_server/0.12.0",
    "stepflow_server_0_13_0": "stepflow_server/0.13.0",
    "stepflow_server_0_9_0": "stepflow_server/0.9.0",
}

# The same as in MODULE.bazel.
_ENVIRONMENT_HUBS = {
    "stepflow_pip_python_3_13": ("python", "3.13"),
    "stepflow_pip_python_3_14": ("python", "3.14"),
    "stepflow_pip_python_3_15": ("python", "3.15"),
    "stepflow_pydantic_2_10": ("pydantic/2.10", "3.11"),
    "stepflow_pydantic_2_11": ("pydantic/2.11", "3.11"),
    "stepflow_pydantic_2_12": ("pydantic/2.12", "3.11"),
    "stepflow_pydantic_2_12_python_3_14": ("pydantic/2.12", "3.14"),
    "stepflow_pydantic_2_13": ("pydantic/2.13", "3.11"),
    "stepflow_pydantic_2_8": ("pydantic/2.8", "3.11"),
    "stepflow_server_python_3_13": ("stepflow_server", "3.13"),
    "stepflow_server_python_3_14": ("stepflow_server", "3.14"),
}

def dev_dependencies():
    """Declares the hubs of tests, benchmarks and other servers."""
    locked_hubs(_DEV_HUBS)
    for hub, (folder, python) in _ENVIRONMENT_HUBS.items():
        pip_parse(
            name = hub,
            download_only = True,
            extra_pip_args = [
                "--only-binary=:all:",
                "--python-version=" + python,
            ],
            incompatible_generate_aliases = True,
            isolated = False,
            python_interpreter = "python3.11",
            requirements_lock = Label("//third_party/%s:requirements_lock.txt" % folder),
        )
