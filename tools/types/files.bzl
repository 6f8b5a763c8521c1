"""The macro that names a package's Python files for the type checkers."""

def python_files(srcs = None, tests = []):
    """Declares `python_files`, which both type checkers judge, and `python_tests`, for mypy alone.

    Args:
        srcs: files of the package; by default all that are not in a folder.
        tests: files of its tests.
    """
    if srcs == None and not tests:
        srcs = native.glob(["*.py"])
    native.filegroup(
        name = "python_files",
        srcs = srcs or [],
        visibility = ["//tools:__pkg__"],
    )
    native.filegroup(
        name = "python_tests",
        srcs = tests,
        visibility = ["//tools:__pkg__"],
    )
