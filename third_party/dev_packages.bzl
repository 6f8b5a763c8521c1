"""What this repository's own WORKSPACE needs besides stepflow_packages()."""

load("@stepflow_http_clients//:requirements.bzl", install_http_clients = "install_deps")
load("@stepflow_matplotlib//:requirements.bzl", install_matplotlib = "install_deps")
load("@stepflow_openapi_python_client//:requirements.bzl", install_openapi_python_client = "install_deps")
load("@stepflow_pip_lowest//:requirements.bzl", install_pip_lowest = "install_deps")
load("@stepflow_py//:requirements.bzl", install_py = "install_deps")
load("@stepflow_schemathesis//:requirements.bzl", install_schemathesis = "install_deps")
load("@stepflow_server_0_10_0//:requirements.bzl", install_server_0_10_0 = "install_deps")
load("@stepflow_server_0_11_0//:requirements.bzl", install_server_0_11_0 = "install_deps")
load("@stepflow_server_0_12_0//:requirements.bzl", install_server_0_12_0 = "install_deps")
load("@stepflow_server_0_13_0//:requirements.bzl", install_server_0_13_0 = "install_deps")
load("@stepflow_server_0_9_0//:requirements.bzl", install_server_0_9_0 = "install_deps")

def dev_packages():
    """Declares the locked packages of each hub of dev_dependencies()."""
    install_http_clients()
    install_matplotlib()
    install_openapi_python_client()
    install_pip_lowest()
    install_py()
    install_schemathesis()
    install_server_0_10_0()
    install_server_0_11_0()
    install_server_0_12_0()
    install_server_0_13_0()
    install_server_0_9_0()
