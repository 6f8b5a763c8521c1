"""A rule that takes one program out of a wheel."""

def _wheel_file_impl(ctx):
    suffix = "/site-packages/" + ctx.attr.path
    found = [
        file
        for file in ctx.attr.wheel[DefaultInfo].default_runfiles.files.to_list()
        if file.path.endswith(suffix)
    ]
    if len(found) != 1:
        fail("{} has {} files {}, not one: name the program as the wheel does".format(
            ctx.attr.wheel.label,
            len(found),
            ctx.attr.path,
        ))
    program = ctx.actions.declare_file(ctx.attr.path.rpartition("/")[2])

    # A wheel is unpacked without its modes, so a link would not do.
    ctx.actions.run_shell(
        inputs = found,
        outputs = [program],
        command = 'cp "$1" "$2" && chmod 755 "$2"',
        arguments = [ctx.actions.args().add(found[0]).add(program)],
        mnemonic = "WheelFile",
        progress_message = "Taking %{output} out of its wheel",
    )
    return DefaultInfo(
        executable = program,
        files = depset([program]),
        runfiles = ctx.runfiles([program]),
    )

wheel_file = rule(
    implementation = _wheel_file_impl,
    doc = "One executable file of a wheel, without the wheel's Python package around it.",
    attrs = {
        "path": attr.string(
            doc = "Where the program lies in the wheel.",
            mandatory = True,
        ),
        "wheel": attr.label(
            doc = "The wheel's requirement().",
            mandatory = True,
        ),
    },
    executable = True,
)
