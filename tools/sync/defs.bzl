"""The macro that makes synchronous modules from asynchronous ones."""

load("@rules_python//python:defs.bzl", "py_test")
load("//tools/python:updates.bzl", "update_binary")

def synchronous_modules(name, modules):
    """Declares `<name>_up_to_date_test` and `update_<name>`.

    The synchronous modules are checked in, and read like the others; the test fails on any difference
    from what the asynchronous ones compile to.

    Args:
        name: the part of the targets' names that they share.
        modules: the files of asynchronous modules, and for each the file that is made from it.
    """
    here = native.package_name()
    ruff = "//third_party/python:ruff"
    args = [
        "--command='tools/bazel run //%s:update_%s'" % (here, name),
        "--ruff=$(rootpath %s)" % ruff,
    ] + ["%s/%s=%s/%s" % (here, source, here, made) for source, made in modules.items()]
    update_binary(
        name = "update_" + name,
        srcs = [Label("//tools/sync:sync.py")],
        main = Label("//tools/sync:sync.py"),
        args = ["--update"] + args,
        data = [ruff],
        visibility = ["//:__pkg__"],
    )
    py_test(
        name = name + "_up_to_date_test",
        tags = ["up_to_date"],
        size = "small",
        srcs = [Label("//tools/sync:sync.py")],
        main = Label("//tools/sync:sync.py"),
        args = args,
        data = [ruff] + modules.keys() + modules.values(),
    )
