"""The macro that names a package's Python files for the type checkers."""

def python_files(name = "python", srcs = None, tests = []):
    """Declares `<name>_files`, which both type checkers judge, and `<name>_tests`, for mypy alone.

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
