"""The macro that has both type checkers judge a package."""

load("@rules_python//python:defs.bzl", "py_test")
load("//:siblings.bzl", "SIBLINGS")
load("//third_party:requirements.bzl", "requirement")

# Where packages have their sources; a file in a later one wins.
_ROOTS = [
    "%s/%s" % (sibling, folder)
    for sibling in SIBLINGS
    for folder in [
        "generated",
        "src",
    ]
]

def type_checks(name, srcs = [], calls = [], tests = [], imports = [], deps = []):
    """Declares `<name>_mypy_test` and, for `srcs`, `<name>_basedpyright_test`, both in strict mode.

    What is checked in is checked, the mirror of generated code included: whether that is what the spec
    gives is another test's matter, so a changed spec does not fail this one as well.

    Args:
        name: the beginning of the tests' names.
        srcs: files to check, and READMEs, whose Python examples are.
        calls: files with calls from outside. Both checkers must reject each line that ends with
            `# rejected`, and take the others.
        tests: files of which mypy alone is asked.
        imports: other files of the repository that these import.
        deps: third-party libraries that these import.
    """
    native.filegroup(
        name = name + "_files",
        srcs = srcs + calls + tests,
        visibility = ["//tools/types:__pkg__"],
    )
    checkers = {"mypy": srcs + tests}
    if srcs:
        checkers["basedpyright"] = srcs
    for checker, files in checkers.items():
        py_test(
            name = "%s_%s_test" % (name, checker),
            size = "medium",
            srcs = [Label("//tools/types:check.py")],
            main = Label("//tools/types:check.py"),
            args = [
                checker,
                "--settings=$(rootpath //:pyproject.toml)",
                "--roots",
            ] + _ROOTS + ["--check"] + [
                "$(rootpaths %s)" % file
                for file in files
            ] + ["--calls"] + [
                "$(rootpaths %s)" % file
                for file in calls
            ] + ["--imports"] + [
                "$(rootpaths %s)" % file
                for file in imports
            ],
            data = ["//:pyproject.toml"] + files + calls + imports,
            deps = deps + [requirement(checker)],
        )
