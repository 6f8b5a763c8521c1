"""The build without modules takes the same versions and the same packages as the one with them."""

from tools.python.tests.starlark import calls


def test_versions() -> None:
    modules = {one["name"]: one["version"] for one in calls("MODULE.bazel", "bazel_dep")}
    archives = {one["name"]: one["url"] for one in calls("WORKSPACE", "http_archive")}

    assert modules
    assert archives.keys() == modules.keys()
    assert {name for name, url in archives.items() if f"/{modules[name]}/" not in url} == set()


def test_python_packages() -> None:
    hubs = list(calls("MODULE.bazel", "pip.parse"))

    assert hubs
    assert list(calls("WORKSPACE", "pip_parse")) == hubs
