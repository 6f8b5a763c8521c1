"""The macro that keeps a listing of a package's public names."""

load("@rules_python//python:defs.bzl", "py_test")
load("//tools/python:updates.bzl", "update_binary")

def public_surface(name, package, folders = ["src"], listing = "api.txt", command = "tools/bazel run //:update_surface"):
    """Declares `<name>_up_to_date_test`, `update_<name>`, and `up_to_date`: all tests of the package against drift.

    The listing has a line for each public name, with its signature. The test fails on any difference and
    says which ones break callers. It reads what is checked in, the mirror of generated code included:
    whether that is what the spec compiles to is another test's matter.

    Args:
        name: the part of the targets' names that they share.
        package: import name of the package.
        folders: import roots with the package's sources; a file in a later one wins.
        listing: the stored file.
        command: what a person types to write the listing anew.
    """
    here = native.package_name()
    args = [
        "--package=" + package,
        "--listing=%s/%s" % (here, listing),
        "--command='%s'" % command,
    ] + ["%s/%s" % (here, folder) for folder in folders]
    update_binary(
        name = "update_" + name,
        srcs = [Label("//tools/surface:surface.py")],
        main = Label("//tools/surface:surface.py"),
        args = ["--update"] + args,
        visibility = ["//:__pkg__"],
        deps = [Label("//tools/surface")],
    )
    py_test(
        name = name + "_up_to_date_test",
        tags = ["up_to_date"],
        size = "small",
        srcs = [Label("//tools/surface:surface.py")],
        main = Label("//tools/surface:surface.py"),
        args = args,
        data = native.glob(
            [listing] + ["%s/%s/**/*.py" % (folder, package) for folder in folders],
            allow_empty = True,
        ),
        deps = [Label("//tools/surface")],
    )
    native.test_suite(name = "up_to_date", tags = ["up_to_date"])
