"""The macro that names a package's Python files for the type checkers."""

load("//tools/pytest:defs.bzl", "every_test_runs")

def python_files(name = "python", srcs = None, tests = []):
    """Declares `<name>_files`, which both type checkers judge, and `<name>_tests`, for mypy alone.

    To be called after the targets that run the tests: a test file that none runs stops the build.

    Args:
        name: the beginning of both names.
        srcs: files of the package; by default all that are not in a folder.
        tests: files of its tests.
    """
    if srcs == None and not tests:
        srcs = native.glob(["*.py"])
    native.filegroup(
        name = name + "_files",
        srcs = srcs or [],
        visibility = ["//tools:__pkg__"],
    )
    native.filegroup(
        name = name + "_tests",
        srcs = tests,
        visibility = ["//tools:__pkg__"],
    )
    every_test_runs(tests)
