"""Programs that write into the repository that they belong to."""

load("@rules_python//python:defs.bzl", "py_binary")

def update_binary(name, srcs, main, args = [], data = [], deps = [], **kwargs):
    """Declares a program that updates files of the repository, for `bazel run`.

    `bazel run` from another repository would have it write there; it then does nothing but say so.

    Args:
        name: the target's name.
        srcs: as for py_binary.
        main: as for py_binary.
        args: as for py_binary.
        data: as for py_binary.
        deps: as for py_binary.
        **kwargs: passed on to py_binary.
    """
    if native.repo_name():
        refuse = Label("//tools/python:refuse.py")
        srcs = [refuse]
        main = refuse
        args = ["//%s:%s" % (native.package_name(), name)]
        data = []
        deps = []
    py_binary(
        name = name,
        srcs = srcs,
        main = main,
        args = args,
        data = data,
        deps = deps,
        # Bazel would otherwise write __init__.py files where a package's own are missing.
        legacy_create_init = 0,
        **kwargs
    )
