"""A rule that takes one program out of a wheel."""

def _wheel_file_impl(ctx):
    program = ctx.actions.declare_file(ctx.attr.path.rpartition("/")[2])
    ctx.actions.run(
        executable = ctx.executable._extract,
        arguments = [ctx.actions.args().add(ctx.file.wheel).add(ctx.attr.path).add(program)],
        inputs = [ctx.file.wheel],
        outputs = [program],
        mnemonic = "WheelFile",
        progress_message = "Taking %s out of its wheel" % program.basename,
    )
    return DefaultInfo(
        executable = program,
        files = depset([program]),
        runfiles = ctx.runfiles([program]),
    )

wheel_file = rule(
    implementation = _wheel_file_impl,
    doc = "One executable file of a wheel, without the Python package around it.",
    attrs = {
        "path": attr.string(
            doc = "Where the program lies in the wheel; `*` stands for what changes with its version.",
            mandatory = True,
        ),
        "wheel": attr.label(
            doc = "The wheel: whl_requirement() of a pip hub.",
            allow_single_file = [".whl"],
            mandatory = True,
        ),
        "_extract": attr.label(
            cfg = "exec",
            default = ":extract_wheel_file",
            executable = True,
        ),
    },
    executable = True,
)
