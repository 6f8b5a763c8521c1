"""The macros that have both type checkers judge packages."""

load("@rules_python//python:defs.bzl", "py_library", "py_test")
load("//:siblings.bzl", "SIBLINGS")
load("//third_party:requirements.bzl", "requirement")

def type_checks(name, srcs = [], calls = [], tests = [], imports = [], deps = []):
    """Declares `<name>_mypy_test` and, for `srcs`, `<name>_basedpyright_test`, both in strict mode.

    What is checked in is checked, the mirror of generated code included: whether that is what the spec
    compiles to is another test's matter, so a changed spec does not fail this one as well. They are for who works on
    the package: `bazel test //...` leaves them to //tools/types, which checks all packages at once.

    Args:
        name: the beginning of the tests' names.
        srcs: files to check, and READMEs, whose Python examples are.
        calls: files with calls from outside. Both checkers must reject each line that ends with
            `# rejected`, and take the others.
        tests: files of which mypy alone is asked.
        imports: other files of the repository that these import.
        deps: third-party libraries that these import.
    """
    groups = {
        "calls": calls,
        "imports": imports,
        "srcs": srcs,
        "tests": tests,
    }
    for group, files in (groups | {"files": srcs + calls + tests}).items():
        native.filegroup(
            name = "%s_%s" % (name, group),
            testonly = True,
            srcs = files,
            visibility = ["//tools/types:__pkg__"],
        )
    py_library(
        name = name + "_libraries",
        visibility = ["//tools/types:__pkg__"],
        deps = deps,
    )
    _checks(
        name,
        {name: [group for group, files in groups.items() if not files]},
        tags = ["manual"],
    )

def type_checks_of(name, packages):
    """Declares `<name>_mypy_test` and `<name>_basedpyright_test` for what several packages declare.

    Args:
        name: the beginning of the tests' names.
        packages: what type_checks declares, by the name that it is given; with what it is not given of "calls",
            "imports", "srcs" and "tests".
    """
    _checks(name, packages)

def _checks(name, packages, **kwargs):
    for checker, checked in {
        "basedpyright": ["srcs"],
        "mypy": [
            "srcs",
            "tests",
        ],
    }.items():
        options = {
            option: [
                "%s_%s" % (package, group)
                for package, missing in packages.items()
                for group in groups
                if group not in missing
            ]
            for option, groups in {
                "--calls": ["calls"],
                "--check": checked,
                "--imports": ["imports"],
            }.items()
        }
        if not options["--check"]:
            continue
        py_test(
            name = "%s_%s_test" % (name, checker),
            size = "medium",
            srcs = [Label("//tools/types:check.py")],
            main = Label("//tools/types:check.py"),
            args = [
                checker,
                "--settings=$(rootpath //:pyproject.toml)",
                "--packages",
            ] + SIBLINGS + [
                argument
                for option, files in options.items()
                for argument in [option] + ["$(rootpaths %s)" % file for file in files]
            ],
            data = ["//:pyproject.toml"] + [file for files in options.values() for file in files],
            deps = [package + "_libraries" for package in packages] + [
                Label("//tools:packages"),
                requirement(checker),
            ],
            **kwargs
        )
