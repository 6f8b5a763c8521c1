"""The macro that keeps a lock of Python packages in step with its requirements."""

load("//tools/pytest:defs.bzl", "pytest_test")
load("//tools/python:updates.bzl", "update_binary")

def locked_requirements(name, requirements = "requirements.in", lock = "requirements_lock.txt", resolution = "highest"):
    """Declares `update`, which locks the requirements again, `<name>_up_to_date_test`, and the suite `up_to_date`.

    The suite has the tests of the packages below as well.

    Args:
        name: the beginning of the test's name.
        requirements: what is asked for.
        lock: the pins with their hashes, which MODULE.bazel names.
        resolution: which versions to take, as for `uv pip compile --resolution`.
    """
    package = native.package_name()
    update = "//%s:update" % package
    update_binary(
        name = "update",
        srcs = [Label("//tools/python/lock:update.py")],
        args = [
            "--uv=$(rootpath //third_party/python:uv)",
            "--requirements=%s/%s" % (package, requirements),
            "--lock=%s/%s" % (package, lock),
            "--target=" + update,
            "--resolution=" + resolution,
        ],
        data = ["//third_party/python:uv"],
        main = Label("//tools/python/lock:update.py"),
        deps = [Label("//tools/python/lock")],
    )
    pytest_test(
        name = name + "_up_to_date_test",
        tags = ["up_to_date"],
        size = "small",
        srcs = [Label("//tools/python/lock:up_to_date.py")],
        data = [
            lock,
            requirements,
        ],
        env = {
            "LOCK": "$(rootpath %s)" % lock,
            "REQUIREMENTS": "$(rootpath %s)" % requirements,
            "UPDATE": update,
        },
        deps = [Label("//tools/python/lock")],
    )
    native.test_suite(
        name = "up_to_date",
        tests = [name + "_up_to_date_test"] + [
            "//%s/%s:up_to_date" % (package, below)
            for below in native.subpackages(include = ["**"], allow_empty = True)
        ],
    )
