"""The macro that makes a pytest file a Bazel test."""

load("@rules_python//python:defs.bzl", "py_test")
load("//third_party:requirements.bzl", "requirement")

def pytest_test(name, srcs, deps = [], data = [], args = [], **kwargs):
    """Runs pytest on `srcs` as one test target.

    Writes the JUnit report that Bazel reads, and follows --test_filter (pytest's -k), shard_count and
    --test_runner_fail_fast. Warnings are errors. A filter that matches no test is a failure. A test that
    takes more than a third of the target's timeout fails, with the stacks of all threads.

    Args:
        name: the target's name.
        srcs: test files, and conftest.py files, which pytest finds by itself.
        deps: libraries that the tests import; pytest is always there.
        data: files that the tests read, and programs that they run.
        args: further arguments for pytest.
        **kwargs: passed on to py_test: size, shard_count, env, ...
    """
    py_test(
        name = name,
        srcs = srcs + [Label("//tools/pytest:main.py")],
        main = Label("//tools/pytest:main.py"),
        args = [
            "$(rootpath %s)" % src
            for src in srcs
            if not str(src).endswith("conftest.py")
        ] + args,
        data = data + [Label("//tools/pytest:pytest.ini")],
        deps = deps + [requirement("pytest")],
        **kwargs
    )
