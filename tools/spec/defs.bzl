"""The macro that keeps a stored OpenAPI spec equal to what a server serves."""

load("@rules_python//python:defs.bzl", "py_test")
load("//tools/python:updates.bzl", "update_binary")

def stored_spec(name, spec, server, then, **kwargs):
    """Declares `update_<name>`, which stores the spec, and `<name>_up_to_date_test`.

    The spec may be missing: then the test fails, and the update can still be run.

    Args:
        name: the part of the targets' names that distinguishes the spec from others of the package.
        spec: the stored file, in the package that calls this.
        server: the server's executable.
        then: the target to run after a changed spec, such as the update of what is compiled from it.
        **kwargs: passed on to both targets.
    """
    update = "update_" + name
    package = native.package_name()
    then = native.package_relative_label(then)
    args = [
        "--server=$(rootpath %s)" % server,
        "--spec=%s" % "/".join([part for part in [package, spec] if part]),
        "--update=//%s:%s" % (package, update),
        "--then=//%s:%s" % (then.package, then.name),
    ]
    update_binary(
        name = update,
        srcs = [Label("//tools/spec:update.py")],
        main = Label("//tools/spec:update.py"),
        args = args,
        data = [server],
        deps = [Label("//tools/spec")],
        **kwargs
    )
    py_test(
        name = name + "_up_to_date_test",
        tags = ["up_to_date"],
        size = "small",
        srcs = [Label("//tools/spec:check.py")],
        main = Label("//tools/spec:check.py"),
        args = args,
        data = [server] + native.glob(
            [spec],
            allow_empty = True,
        ),
        deps = [Label("//tools/spec")],
        **kwargs
    )
