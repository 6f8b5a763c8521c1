"""What this repository's own WORKSPACE needs besides stepflow_dependencies()."""

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

def dev_dependencies():
    """Declares the hubs of tests, benchmarks and other servers."""
    locked_hubs(_DEV_HUBS)
