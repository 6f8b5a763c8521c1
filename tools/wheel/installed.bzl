"""The macro that tests what is installed from wheels."""

load("@rules_python//python:defs.bzl", "py_test")
load("//third_party:requirements.bzl", "whl_requirement")

def installed_test(name, srcs, install, wheels, data = [], python = "python3.11", **kwargs):
    """Installs wheels by pip into an empty virtual environment, and runs pytest on `srcs` there.

    Nothing of Bazel's is on the import path but the repository's root, for helpers of the tests. Shards
    have whole files.

    Args:
        name: the target's name.
        srcs: test files, conftest.py files, and what they import from this repository.
        install: what to install, as for pip; the tests need pytest.
        wheels: all there is to install from: wheels with what they need.
        data: files that the tests read, and programs that they run.
        python: the Python to install for, which has to be on PATH.
        **kwargs: passed on to py_test: size, shard_count, env, ...
    """
    main = Label("//tools/pytest:main.py")
    pip = whl_requirement("pip")
    py_test(
        name = name,
        srcs = [Label("//tools/wheel:installed.py")],
        main = Label("//tools/wheel:installed.py"),
        args = ["--pip=$(rootpath %s)" % pip, "--python=" + python] + [
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
