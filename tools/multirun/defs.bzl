"""A rule that runs several programs, one after the other."""

_ArgumentsInfo = provider("What a program is started with.", fields = {"args": "Its arguments, as words of a shell."})

def _arguments_impl(_target, ctx):
    data = getattr(ctx.rule.attr, "data", [])
    args = getattr(ctx.rule.attr, "args", [])
    return [_ArgumentsInfo(args = [ctx.expand_location(arg, data) for arg in args])]

_arguments = aspect(implementation = _arguments_impl)

def _multirun_impl(ctx):
    script = ctx.actions.declare_file(ctx.label.name)
    lines = ["#!/bin/bash", "set -e"]
    runfiles = ctx.runfiles()
    for program in ctx.attr.programs:
        executable = program[DefaultInfo].files_to_run.executable
        lines.append(" ".join(["./" + executable.short_path] + program[_ArgumentsInfo].args))
        runfiles = runfiles.merge(program[DefaultInfo].default_runfiles)
    ctx.actions.write(script, "\n".join(lines) + "\n", is_executable = True)
    return DefaultInfo(executable = script, runfiles = runfiles)

multirun = rule(
    implementation = _multirun_impl,
    doc = "Runs programs with the arguments that their targets state, in order, until one fails: for `bazel run`.",
    attrs = {
        "programs": attr.label_list(
            doc = "What to run.",
            aspects = [_arguments],
            mandatory = True,
        ),
    },
    executable = True,
)
