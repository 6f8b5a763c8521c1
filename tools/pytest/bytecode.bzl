"""The rule that compiles the modules of libraries once, for all tests that import them."""

load("@rules_python//python:defs.bzl", "PyInfo")

# What the interpreter of local_python_toolchains looks for; compile.py fails with any other.
_TAG = "cpython-311"

_BytecodeInfo = provider(
    "Compiled modules of a target and of what it imports.",
    fields = {"files": "depset of them; each lies where Python looks for it"},
)

def _bytecode_aspect_impl(target, ctx):
    attr = ctx.rule.attr
    imported = depset(transitive = [
        dep[_BytecodeInfo].files
        for dep in getattr(attr, "deps", [])
        if _BytecodeInfo in dep
    ])

    # Newer releases of rules_python, whose provider has this field, compile on their own.  The modules of a program
    # often stand in a library too, and two rules must not write one file.
    if ctx.rule.kind != "py_library" or PyInfo not in target or hasattr(target[PyInfo], "direct_pyc_files"):
        return [_BytecodeInfo(files = imported)]
    taken = {file.short_path: None for file in imported.to_list()}
    folder = "/".join([part for part in [
        "../" + ctx.label.workspace_name if ctx.label.workspace_name else "",
        ctx.label.package,
    ] if part]) + "/"
    arguments = ctx.actions.args()
    arguments.use_param_file("@%s", use_always = True)
    arguments.set_param_file_format("multiline")
    sources, compiled = [], []
    for source in ctx.rule.files.srcs:
        before, _, name = source.short_path.rpartition("/")
        path = "%s/__pycache__/%s.%s.pyc" % (before, name.removesuffix(".py"), _TAG)

        # A source may stand in two libraries of a package, one of which imports the other.
        if source.extension == "py" and path.startswith(folder) and path not in taken:
            file = ctx.actions.declare_file(path.removeprefix(folder))
            sources.append(source)
            compiled.append(file)
            arguments.add(source)
            arguments.add(file)
    if compiled:
        ctx.actions.run(
            executable = ctx.executable._compile,
            arguments = [arguments],
            inputs = sources,
            outputs = compiled,
            mnemonic = "PythonBytecode",
            progress_message = "Compiling the modules of %{label}",
        )
    return [_BytecodeInfo(files = depset(compiled, transitive = [imported]))]

_bytecode_aspect = aspect(
    implementation = _bytecode_aspect_impl,
    attr_aspects = ["deps"],
    attrs = {"_compile": attr.label(
        default = Label("//tools/pytest:compile"),
        cfg = "exec",
        executable = True,
    )},
)

def _bytecode_impl(ctx):
    files = depset(transitive = [dep[_BytecodeInfo].files for dep in ctx.attr.deps])
    return [DefaultInfo(files = files, runfiles = ctx.runfiles(transitive_files = files))]

bytecode = rule(
    doc = "Compiled modules of libraries and of what they import, for `data` of what imports them.",
    implementation = _bytecode_impl,
    attrs = {"deps": attr.label_list(
        doc = "The libraries.",
        aspects = [_bytecode_aspect],
    )},
)
