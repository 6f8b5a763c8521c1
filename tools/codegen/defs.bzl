"""The macro that compiles an OpenAPI spec into a Python package."""

load("@rules_python//python:defs.bzl", "py_binary", "py_test")

def openapi_package(
        name,
        package,
        spec,
        hand_written = [],
        src = "src",
        mirror = "generated",
        support = None,
        update = "update",
        update_spec = None,
        visibility = None):
    """Declares what compiles a spec, and what keeps its checked-in mirror equal to it.

    - `<name>`: the genrule, with the compiled modules and `<name>.zip`, which has all of them even
      where the mirror does not list one yet;
    - `<name>_models`, `<name>_endpoints`: the modules below `models/`, and all others;
    - `<update>`: rewrites the mirror;
    - `models_up_to_date_test`: fails on any difference between the mirror and what the spec gives.

    The mirror's files are the genrule's list of outputs. A hand-written module at the same path under
    `src` takes the place of a generated one, which is then not made.

    Args:
        name: the genrule's name.
        package: import name of the package, and its folder's name under `src` and `mirror`.
        spec: the OpenAPI document.
        hand_written: the package's modules under `src`.
        src: folder that is the package's import root.
        mirror: folder with the checked-in copy of the generated modules.
        support: import name of the package that the generated modules build on; by default `package`.
        update: name of the target that rewrites the mirror.
        update_spec: the target that stores the spec anew, for the test's message.
        visibility: of the genrule and its modules.
    """
    here = native.package_name()
    compiler = Label("//tools/codegen:compile")
    ruff = Label("//third_party/python:ruff")
    archive = name + ".zip"
    mirrored = native.glob([mirror + "/" + package + "/**/*.py"], allow_empty = True)
    outs = [
        out
        for out in [src + file.removeprefix(mirror) for file in mirrored]
        if out not in hand_written
    ]
    below = src + "/" + package + "/"
    command = "bazel run //%s:%s" % (here, update)
    native.genrule(
        name = name,
        srcs = [spec] + hand_written,
        outs = outs + [archive],
        cmd = " ".join([
            "$(execpath %s)" % compiler,
            "--spec=$(execpath %s)" % spec,
            "--package=" + package,
            "--support=" + (support or package),
            "--command='%s'" % command,
            "--ruff=$(execpath %s)" % ruff,
            "--archive=$(execpath %s)" % archive,
            "--folder=$(RULEDIR)/" + below,
            "--output",
        ] + [out.removeprefix(below) for out in outs] + [
            "--hand-written",
        ] + ["$(execpath %s)" % file for file in hand_written]),
        message = "Compiling the OpenAPI spec of",
        tools = [compiler, ruff],
        visibility = visibility,
    )
    models = [out for out in outs if out.startswith(below + "models/")]
    native.filegroup(name = name + "_models", srcs = models, visibility = visibility)
    native.filegroup(
        name = name + "_endpoints",
        srcs = [out for out in outs if out not in models],
        visibility = visibility,
    )
    args = [
        "--archive=$(rootpath %s)" % archive,
        "--mirror=%s/%s/%s" % (here, mirror, package),
        "--command='%s'" % command,
    ]
    if update_spec:
        args.append("--spec-command='bazel run //%s:%s'" % (here, update_spec))
    py_binary(
        name = update,
        srcs = [Label("//tools/codegen:mirror.py")],
        main = Label("//tools/codegen:mirror.py"),
        args = ["--update"] + args,
        data = [archive],
        deps = [Label("//tools/codegen")],
    )
    py_test(
        name = "models_up_to_date_test",
        size = "small",
        srcs = [Label("//tools/codegen:mirror.py")],
        main = Label("//tools/codegen:mirror.py"),
        args = args,
        data = [archive] + mirrored,
        deps = [Label("//tools/codegen")],
    )
