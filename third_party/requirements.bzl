"""Labels of the locked Python packages.

No file loads a hub itself: who builds a part of this repository from outside then needs the hubs of that part alone.
"""

def _label(hub, package, target):
    return Label("@%s//%s:%s" % (hub, package.replace("-", "_").replace(".", "_").lower(), target))

def requirement(package, hub = "stepflow_pip"):
    """Returns the label of a package, for `deps`.

    Args:
        package: its name.
        hub: the hub of MODULE.bazel that locks it.
    """
    return _label(hub, package, "pkg")

def whl_requirement(package, hub = "stepflow_pip"):
    """Returns the label of a package's wheel, for `data`.

    Args:
        package: its name.
        hub: the hub of MODULE.bazel that locks it.
    """
    return _label(hub, package, "whl")
