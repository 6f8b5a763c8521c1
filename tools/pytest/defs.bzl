"""The macro that makes a pytest file a Bazel test."""

load("@rules_python//python:defs.bzl", "py_test")
load("//third_party:requirements.bzl", "requirement")
load(":bytecode.bzl", "bytecode")

def pytest_test(name, srcs, deps = [], data = [], args = [], **kwargs):
    """Runs pytest on `srcs` as one test target.

    Writes the JUnit report that Bazel reads, and follows --test_filter (pytest's -k), shard_count and
    --test_runner_fail_fast. Warnings are errors. A filter that matches no test is a failure. A test that
    takes more than a third of the target's timeout fails, with the stacks of all threads.

    Args:
        name: the target's name.
        srcs: test files, and conftest.py files, which pytest finds on its own.
        deps: libraries that the tests import; pytest is always there.
        data: files that the tests read, and programs that they run.
        args: further arguments for pytest.
        **kwargs: passed on to py_test: size, shard_count, env, ...
    """
    libraries = deps + [requirement("pytest")]
    bytecode(
        name = name + "_bytecode",
        testonly = True,
        tags = ["manual"],
        deps = libraries,
    )
    py_test(
        name = name,
        srcs = srcs + [Label("//tools/pytest:main.py")],
        main = Label("//tools/pytest:main.py"),
        args = [
            "$(rootpath %s)" % src
            for src in srcs
            if not str(src).endswith("conftest.py")
        ] + args,
        data = data + [
            name + "_bytecode",
            Label("//tools/pytest:pytest.ini"),
        ],
        deps = libraries,
        **kwargs
    )

def every_test_runs(files, elsewhere = []):
    """Stops the build where a test file is run by no target of the BUILD file above this call.

    Args:
        files: files of tests, and others.
        elsewhere: files that another package runs.
    """
    run = {
        src.removeprefix(":"): None
        for rule in native.existing_rules().values()
        if rule["kind"].endswith("_test")
        for src in list(rule["srcs"] or []) + list(rule["data"] or [])
    }
    for file in files:
        if file.split("/")[-1].startswith("test_") and file not in run and file not in elsewhere:
            fail("no target runs %s/%s; declare one with pytest_test" % (native.package_name(), file))

def pytest_tests(folder = "tests", special = {}, apart = [], elsewhere = [], together = 0, deps = [], **kwargs):
    """Runs each file `test_<name>.py` of a folder as `<name>_test`, by pytest_test: a new file needs nothing else.

    To be called after the targets that run files of `apart`.

    Of short tests, most of the time goes by before the first one. With `together`, `bazel test //...` leaves out the
    targets of all files that are not `special`, and runs `together_test` with all of them.

    Args:
        folder: the folder of the test files, in this package; empty for the package itself.
        special: what differs from `kwargs`, by name: {"fork": {"shard_count": 6}}. Its deps are added to `deps`.
        apart: names whose files other targets of this BUILD file run.
        elsewhere: names whose files another package runs.
        together: shards of `together_test`; 0 for none.
        deps: what each of the tests imports.
        **kwargs: passed on to pytest_test.
    """
    prefix = folder + "/" if folder else ""
    conftest = native.glob([prefix + "conftest.py"], allow_empty = True)
    files = {
        file.removeprefix(prefix + "test_").removesuffix(".py"): file
        for file in native.glob([prefix + "test_*.py"])
    }
    for name in special.keys() + apart + elsewhere:
        if name not in files:
            fail("there is no %stest_%s.py, which pytest_tests names; correct the name or remove it" % (prefix, name))
    for name, file in files.items():
        if name not in apart + elsewhere:
            differing = {"tags": ["manual"]} if together else {}
            if name in special:
                differing = dict(special[name])
            pytest_test(
                name = name + "_test",
                srcs = conftest + [file],
                deps = deps + differing.pop("deps", []),
                **(kwargs | differing)
            )
    if together:
        pytest_test(
            name = "together_test",
            srcs = conftest + [
                file
                for name, file in files.items()
                if name not in special and name not in apart + elsewhere
            ],
            shard_count = together,
            deps = deps,
            **(kwargs | {"size": "medium"})
        )
    every_test_runs(files.values(), elsewhere = [files[name] for name in elsewhere])
