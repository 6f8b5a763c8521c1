"""The macro that tests what is installed from wheels."""

load("@rules_python//python:defs.bzl", "py_test")
load("//third_party:requirements.bzl", "whl_requirement")

def installed_test(name, srcs, install, wheels, data = [], **kwargs):
    """Installs wheels by pip into an empty virtual environment, and runs pytest on `srcs` there.

    Nothing of Bazel's is on the import path but the repository's root, for helpers of the tests. Shards
    have whole files.

    Args:
        name: the target's name.
        srcs: test files, conftest.py files, and what they import from this repository.
        install: what to install, as for pip; the tests need pytest.
        wheels: all there is to install from: wheels with what they need.
        data: files that the tests read, and programs that they run.
        **kwargs: passed on to py_test: size, shard_count, env, ...
    """
    main = Label("//tools/pytest:main.py")
    pip = whl_requirement("pip")
    py_test(
        name = name,
        srcs = [Label("//tools/wheel:installed.py")],
        main = Label("//tools/wheel:installed.py"),
        args = ["--pip=$(rootpath %s)" % pip] + [
            "--install='%s'" % one
            for one in install
        ] + [
            "--main=$(rootpath %s)" % main,
            "--",
        ] + [
            "$(rootpath %s)" % src
            for src in srcs
            if str(src).rpartition("/")[2].startswith("test_")
        ],
        data = srcs + wheels + data + [
            pip,
            main,
            Label("//tools/pytest:pytest.ini"),
        ],
        **kwargs
    )

# What each package's tests need besides its own wheels.
_NEEDED = [
    "httptools",
    "httpx",
    "httpx2",
    "opentelemetry-api",
    "opentelemetry-sdk",
    "pydantic",
    "pytest",
    "pyyaml",
    "rich",
    "typer",
    "typing-extensions",
]

def lowest_test(name, srcs, install, wheels, **kwargs):
    """Runs tests of a package, as installed_test does, on the oldest versions that it allows.

    Args:
        name: the target's name.
        srcs: test files, and what they import from this repository.
        install: what to install besides pytest.
        wheels: the wheels of this repository, and of a server.
        **kwargs: passed on to installed_test: data, env, size, shard_count, ...
    """
    installed_test(
        name = name,
        srcs = srcs,
        install = install + ["pytest"],
        wheels = wheels + [whl_requirement(one, hub = "stepflow_pip_lowest") for one in _NEEDED],
        **kwargs
    )
