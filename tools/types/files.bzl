"""The macro that names a package's Python files for the type checkers."""

load("//tools/pytest:defs.bzl", "every_test_runs")

def python_files(name = "python", srcs = None, tests = None):
    """Declares `<name>_files`, which both type checkers judge, and `<name>_tests`, for mypy alone.

    To be called after the targets that run the tests: a test file that none runs stops the build.

    Args:
        name: the beginning of both names.
        srcs: files of the package; by default all that are in no folder below it, and no tests.
        tests: files of its tests; by default those in its folder `tests`.
    """
    if tests == None:
        tests = native.glob(["tests/*.py"], allow_empty = True)
    if srcs == None:
        srcs = native.glob(["*.py"], exclude = tests, allow_empty = True)
    native.filegroup(
        name = name + "_files",
        srcs = srcs,
        visibility = ["//tools:__pkg__"],
    )
    native.filegroup(
        name = name + "_tests",
        srcs = tests,
        visibility = ["//tools:__pkg__"],
    )
    every_test_runs(tests)
