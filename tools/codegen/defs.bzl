"""Macros that compile an OpenAPI spec, or a JSON Schema, into a Python package."""

load("@rules_python//python:defs.bzl", "py_test")
load("//tools/python:updates.bzl", "update_binary")

def compiled_spec(
        name,
        package,
        spec,
        command,
        overlay = None,
        sources = [],
        skip = [],
        strict_requests = False,
        src = "src",
        hand_written = [],
        outs = [],
        support = None,
        visibility = None):
    """Declares the genrule that compiles a spec.

    `<name>.zip` has all modules, as paths in the package.

    Args:
        name: the genrule's name.
        package: import name of the package, and its folder's name under `src`.
        spec: the OpenAPI document, or a JSON Schema document: then there are models alone.
        command: what a person types to make the modules anew, for their first lines.
        overlay: an OpenAPI Overlay (https://spec.openapis.org/overlay/latest.html, YAML or JSON) to apply to the spec.
            Each of its actions has to change something.
        sources: other files that the document refers to by `$ref`.
        skip: operations to leave out, by their operationIds or such as `GET /runs`: the compiler refuses a document
            with an operation that it cannot compile, and names it.
        strict_requests: whether all requests refuse fields that the spec does not name. By default only those do where
            the spec says `additionalProperties: false`.
        src: folder that is the package's import root.
        hand_written: modules of the package under `src`, which are then not made.
        outs: modules under `src` to write as files. One that is not compiled from the spec raises an
            ImportError with the command, so that a package can be built before the command is run.
        support: import name of the package that the modules build on; by default `package`.
        visibility: of the genrule and its modules.
    """
    compiler = Label("//tools/codegen:compile")
    ruff = Label("//third_party/python:ruff")
    archive = name + ".zip"
    folder = "%s/%s/" % (src, package)
    native.genrule(
        name = name,
        srcs = [spec] + ([overlay] if overlay else []) + sources + hand_written,
        outs = outs + [archive],
        cmd = " ".join([
            "$(execpath %s)" % compiler,
            "--spec=$(execpath %s)" % spec,
        ] + ([
            "--overlay=$(execpath %s)" % overlay,
        ] if overlay else []) + [
            "--package=" + package,
            "--support=" + (support or package),
            "--command='%s'" % command,
            "--ruff=$(execpath %s)" % ruff,
            "--archive=$(execpath %s)" % archive,
            "--folder=$(RULEDIR)/" + folder,
            "--output",
        ] + [
            "'%s'" % out.removeprefix(folder)
            for out in outs
        ] + ([
            "--source",
        ] + [
            "$(execpath %s)" % file
            for file in sources
        ] if sources else []) + ([
            "--skip",
        ] + [
            "'%s'" % operation
            for operation in skip
        ] if skip else []) + (["--strict-requests"] if strict_requests else []) + [
            "--hand-written",
        ] + [
            "'%s'=$(execpath %s)" % (file.removeprefix(folder), file)
            for file in hand_written
        ]),
        message = "Compiling the OpenAPI spec of",
        tools = [compiler, ruff],
        visibility = visibility,
    )

def openapi_package(
        name,
        package,
        spec,
        library,
        overlay = None,
        sources = [],
        skip = [],
        strict_requests = False,
        src = "src",
        mirror = None,
        support = "stepflow_api",
        update = None,
        update_spec = None,
        run = "bazel run",
        visibility = None):
    """Declares what compiles a spec, and what keeps its checked-in mirror equal to it.

    - `<name>`: the genrule of `compiled_spec`;
    - `<name>_models`, `<name>_endpoints`: its modules below `models/`, and all others;
    - `<name>_update`: rewrites the mirror;
    - `<name>_up_to_date_test`: fails on any difference between the mirror and what the spec compiles to;
    - `<name>_overrides_up_to_date_test`: fails when a hand-written model has lost touch with the spec's.

    The mirror's files are the genrule's list of outputs. A hand-written module at the same path under
    `src` takes the place of a generated one, which is then not made.

    Args:
        name: the genrule's name, and the beginning of the others'.
        package: import name of the package, and its folder's name under `src` and `mirror`.
        spec: the OpenAPI document, or a JSON Schema document: then there are models alone.
        library: the py_library with the package's models.
        overlay: an OpenAPI Overlay to apply to the spec, for what the package wants otherwise than the spec says.
        sources: other files that the spec refers to.
        skip: operations to leave out, by their operationIds or such as `GET /runs`.
        strict_requests: whether all requests refuse fields that the spec does not name.
        src: folder that is the package's import root.
        mirror: folder with the checked-in copy of the generated modules, and nothing else; by default `name`.
        support: import name of the package that the generated modules build on. The default is //api's.
        update: name of the target that rewrites the mirror, if it is to have another.
        update_spec: the target that stores the spec anew, for the test's message.
        run: what a person types to run a target, for messages and for the first lines of modules.
        visibility: of the genrule and its modules.
    """
    here = native.package_name()
    update = update or name + "_update"
    mirror = mirror or name
    command = "%s //%s:%s" % (run, here, update)
    mirrored = native.glob(
        [mirror + "/**"],
        allow_empty = True,
        exclude = ["**/__pycache__/**"],
    )
    below = "%s/%s/" % (src, package)
    written = native.glob(
        [below + "**/*.py"],
        allow_empty = True,
    )
    outs = [
        out
        for out in [src + file.removeprefix(mirror) for file in mirrored]
        if out.startswith(below) and out.endswith(".py") and out not in written
    ]
    compiled_spec(
        name = name,
        package = package,
        spec = spec,
        command = command,
        overlay = overlay,
        sources = sources,
        skip = skip,
        strict_requests = strict_requests,
        src = src,
        # Others can change without a new compilation.
        hand_written = [
            file
            for file in written
            if file.startswith((below + "api/", below + "models/"))
        ],
        outs = outs,
        support = support,
        visibility = visibility,
    )
    models = [out for out in outs if out.startswith(below + "models/")]
    native.filegroup(name = name + "_models", srcs = models, visibility = visibility)
    native.filegroup(
        name = name + "_endpoints",
        srcs = [out for out in outs if out not in models],
        visibility = visibility,
    )
    archive = name + ".zip"
    args = [
        "--archive=$(rootpath %s)" % archive,
        "--package=" + package,
        "--command='%s'" % command,
    ]
    if update_spec:
        args.append("--spec-command='%s //%s:%s'" % (run, here, update_spec))
    folder = "%s/%s" % (here, mirror) if here else mirror
    main = Label("//tools/codegen:mirror.py")
    update_binary(
        name = update,
        srcs = [main],
        main = main,
        args = ["--update", "--mirror=" + folder] + args,
        data = [archive],
        visibility = ["//:__pkg__"],
        deps = [Label("//tools/codegen")],
    )
    repository = native.repo_name()
    py_test(
        name = name + "_up_to_date_test",
        tags = ["up_to_date"],
        size = "small",
        srcs = [main],
        main = main,
        # From outside, this repository lies beside the main one.
        args = ["--mirror=" + ("../%s/%s" % (repository, folder) if repository else folder)] + args,
        data = [archive] + mirrored,
        # Else Bazel writes an __init__.py into each folder of the mirror, and the test finds it.
        legacy_create_init = 0,
        deps = [Label("//tools/codegen")],
    )
    main = Label("//tools/codegen:overrides_check.py")
    py_test(
        name = name + "_overrides_up_to_date_test",
        tags = ["up_to_date"],
        size = "small",
        srcs = [main],
        main = main,
        args = [
            "--package=" + package,
            "--source='%s'" % "/".join([part for part in [here, src, package] if part]),
            "--command='%s'" % command,
        ],
        legacy_create_init = 0,
        deps = [
            Label("//tools/codegen"),
            library,
        ],
    )
