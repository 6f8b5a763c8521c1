"""The rule that builds the site."""

def _sphinx_site_impl(ctx):
    html = ctx.actions.declare_directory(ctx.label.name)
    warnings = ctx.actions.declare_file(ctx.label.name + ".warnings.txt")
    arguments = ctx.actions.args()
    arguments.add("--html", html.path)
    arguments.add("--warnings", warnings)
    arguments.add_all(ctx.files.srcs)
    ctx.actions.run(
        executable = ctx.executable._build,
        arguments = [arguments],
        inputs = ctx.files.srcs,
        outputs = [html, warnings],
        # Each build says the same day.
        env = {"SOURCE_DATE_EPOCH": "0"},
        mnemonic = "SphinxSite",
        progress_message = "Building the site %{label}",
    )
    return [
        DefaultInfo(files = depset([html])),
        OutputGroupInfo(warnings = depset([warnings])),
    ]

sphinx_site = rule(
    implementation = _sphinx_site_impl,
    doc = "A folder of HTML. Warnings do not fail it: its output group `warnings` is for a test to read.",
    attrs = {
        "srcs": attr.label_list(
            doc = "The pages and the settings, conf.py; what is in docs/ goes to the top of the site.",
            allow_files = True,
            mandatory = True,
        ),
        "_build": attr.label(
            cfg = "exec",
            default = ":build",
            executable = True,
        ),
    },
)
