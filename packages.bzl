"""For WORKSPACE files, after stepflow_dependencies() of dependencies.bzl."""

load("@stepflow_orchestrator//:requirements.bzl", install_orchestrator = "install_deps")
load("@stepflow_pip//:requirements.bzl", install_pip = "install_deps")

def stepflow_packages():
    """Declares the locked packages of each hub: one is fetched when a target needs it, and no sooner."""
    install_orchestrator()
    install_pip()
