"""For WORKSPACE files that define the hubs of the packages by hand, instead of calling stepflow_dependencies()."""

# What each hub was called when WORKSPACE files defined it by hand, and the folder of its lock below third_party.
_FORMER = {
    "stepflow_orchestrator": ("stepflow_server", "stepflow_server"),
    "stepflow_pip": ("pip", "python"),
}

_ALIAS = """\
alias(
    name = "{target}",
    actual = "@{hub}_{package}//:{target}",
    visibility = ["//visibility:public"],
)
"""

def _former_hub_impl(repository_ctx):
    for line in repository_ctx.read(repository_ctx.attr.requirements_lock).splitlines():
        package, pinned, _ = line.partition("==")
        if pinned and package[0] not in " #":
            package = package.partition("[")[0].replace("-", "_").replace(".", "_").lower()
            repository_ctx.file(package + "/BUILD.bazel", "".join([
                _ALIAS.format(
                    hub = repository_ctx.attr.hub,
                    package = package,
                    target = target,
                )
                for target in ["pkg", "whl"]
            ]))

_former_hub = repository_rule(
    implementation = _former_hub_impl,
    attrs = {
        "hub": attr.string(mandatory = True),
        "requirements_lock": attr.label(mandatory = True),
    },
    doc = "A hub whose packages are those of another hub.",
)

def former_hubs():
    """Defines the hubs that are not defined yet by the names that they had.

    What a WORKSPACE file defines later by the same names wins.
    """
    for name, (hub, folder) in _FORMER.items():
        if not native.existing_rule(name):
            _former_hub(
                name = name,
                hub = hub,
                requirements_lock = Label("//third_party/%s:requirements_lock.txt" % folder),
            )
