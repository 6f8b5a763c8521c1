"""Wheels from a folder's pyproject.toml."""

load("@rules_python//python:defs.bzl", "PyInfo")
load(":version.bzl", "VERSION")

PythonWheelInfo = provider(
    doc = "What other wheels need to know of one.",
    fields = {
        "distribution": "The name that it is installed by.",
        "requirements": "Wheels of others that it needs.",
        "wheels": "It and the wheels of this repository that it needs.",
    },
)

def _python_wheel_impl(ctx):
    package = ctx.attr.package
    folder = "%s/%s/" % (ctx.label.package, ctx.attr.src)
    library = ctx.attr.library
    files = [
        file
        for file in depset(transitive = [
            library[PyInfo].transitive_sources,
            library[DefaultInfo].default_runfiles.files,
        ]).to_list()
        if file.short_path.startswith(folder + package + "/")
    ]
    stem = "%s%s-%s" % (ctx.attr.outputs_folder, package, VERSION)
    wheel = ctx.actions.declare_file(stem + "-py3-none-any.whl")
    sdist = ctx.actions.declare_file(stem + ".tar.gz")
    sbom = ctx.actions.declare_file(stem + ".cdx.json")
    notices = ctx.actions.declare_file(stem + "-notices.txt")

    siblings = [sibling[PythonWheelInfo] for sibling in ctx.attr.siblings]
    requirements = depset(transitive = [
        depset(
            transitive = [one[DefaultInfo].files, one[DefaultInfo].default_runfiles.files],
        )
        for one in ctx.attr.requirements
    ] + [sibling.requirements for sibling in siblings])
    siblings_wheels = depset(transitive = [sibling.wheels for sibling in siblings])
    inputs = [ctx.file.pyproject] + ctx.files._locks
    args = ctx.actions.args()
    args.add("--pyproject", ctx.file.pyproject)
    args.add("--version", VERSION)
    args.add_all(siblings_wheels, before_each = "--sibling")
    args.add_all(requirements, before_each = "--wheel")
    if ctx.file.program:
        inputs.append(ctx.file.program)
        args.add("--program", ctx.file.program)
        args.add("--program-of", ctx.attr.program_of)
    args.add_all(ctx.files._locks, before_each = "--lock")
    args.add("--notices", notices)
    args.add("--output", sbom)
    ctx.actions.run(
        executable = ctx.executable._describe,
        arguments = [args],
        inputs = depset(inputs, transitive = [requirements, siblings_wheels]),
        outputs = [sbom, notices],
        mnemonic = "WheelSbom",
        progress_message = "Listing what %s is made of" % package,
    )

    args = ctx.actions.args()
    args.add("--pyproject", ctx.file.pyproject)
    args.add("--version", VERSION)
    args.add_all([one.distribution for one in siblings], before_each = "--sibling")
    args.add("--sbom", sbom)
    args.add("--notices", notices)
    args.add(ctx.file.readme, format = "--file=README.md=%s")
    args.add(ctx.file._license, format = "--file=LICENSE=%s")
    for file in files:
        args.add(file, format = "--file=%s=%%s" % file.short_path.removeprefix(ctx.label.package + "/"))
    args.add("--wheel", wheel)
    args.add("--sdist", sdist)
    ctx.actions.run(
        executable = ctx.executable._build,
        arguments = [args],
        inputs = files + [ctx.file.pyproject, ctx.file.readme, ctx.file._license, sbom, notices],
        outputs = [wheel, sdist],
        mnemonic = "PythonWheel",
        progress_message = "Building the wheel of %s" % package,
    )
    return [
        DefaultInfo(files = depset([wheel])),
        OutputGroupInfo(
            sbom = depset([sbom]),
            sdist = depset([sdist]),
        ),
        PythonWheelInfo(
            distribution = package.replace("_", "-"),
            requirements = requirements,
            wheels = depset([wheel], transitive = [siblings_wheels]),
        ),
    ]

_python_wheel = rule(
    implementation = _python_wheel_impl,
    attrs = {
        "library": attr.label(
            doc = "The py_library with the package.",
            mandatory = True,
            providers = [PyInfo],
        ),
        "outputs_folder": attr.string(
            doc = "Where to write the files, with a slash at the end.",
        ),
        "package": attr.string(
            doc = "Import name of the package.",
            mandatory = True,
        ),
        "program": attr.label(
            doc = "A program that a requirement carries, for the SBOM.",
            allow_single_file = True,
        ),
        "program_of": attr.string(
            doc = "The requirement that carries the program.",
        ),
        "pyproject": attr.label(
            allow_single_file = True,
            mandatory = True,
        ),
        "readme": attr.label(
            allow_single_file = True,
            mandatory = True,
        ),
        "requirements": attr.label_list(
            doc = "whl_requirement() of each dependency in pyproject.toml, extras included.",
            allow_files = [".whl"],
        ),
        "siblings": attr.label_list(
            doc = "Wheels of this repository among the dependencies, which are pinned to the one version.",
            providers = [PythonWheelInfo],
        ),
        "src": attr.string(
            doc = "Folder that is the package's import root.",
            default = "src",
        ),
        "_build": attr.label(
            cfg = "exec",
            default = ":build",
            executable = True,
        ),
        "_describe": attr.label(
            cfg = "exec",
            default = ":sbom",
            executable = True,
        ),
        "_license": attr.label(
            allow_single_file = True,
            default = "//:LICENSE",
        ),
        "_locks": attr.label_list(
            allow_files = True,
            default = [
                "//third_party/python:requirements_lock.txt",
                "//third_party/stepflow_server:requirements_lock.txt",
            ],
        ),
    },
)

def python_wheel(name, package, library, requirements, siblings = [], **kwargs):
    """Builds the wheel that the folder's pyproject.toml describes, by hatchling.

    The wheel has what the library is made of, generated modules included, the folder's README.md, a CycloneDX
    SBOM in its `.dist-info/sboms/`, and notices of third parties beside the licence. The output groups `sdist` and `sbom` have the source
    distribution and the SBOM. The version is that of version.bzl, for the wheel and for its siblings.

    `<name>_without_readme` is the same for tests that need not be run again when a README is changed.

    Args:
        name: the target's name.
        package: import name of the package.
        library: the py_library with the package.
        requirements: whl_requirement() of each other dependency in pyproject.toml, extras included.
        siblings: wheels of this repository among the dependencies.
        **kwargs: passed on to the rule: program, program_of, visibility, ...
    """
    for variant in ["", "_without_readme"]:
        _python_wheel(
            name = name + variant,
            library = library,
            outputs_folder = variant and name + variant + "/",
            package = package,
            pyproject = "pyproject.toml",
            readme = Label("//tools/wheel:no_readme.md") if variant else "README.md",
            requirements = requirements,
            siblings = [sibling + variant for sibling in siblings],
            **kwargs
        )
