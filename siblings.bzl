"""The packages that people install, each in a folder of its own."""

# To add one, write its folder here, and what CONTRIBUTING.md says into it. Each imports only those before it.
SIBLINGS = [
    "api",
    "client",
    "runtime",
]

def of_siblings(target):
    """Returns the label of a target of each package.

    Args:
        target: the target's name, the same in each folder: `wheel`, `sources`, ...
    """
    return ["//%s:%s" % (sibling, target) for sibling in SIBLINGS]

def siblings():
    """Returns the label of each package's py_library, which has the folder's name."""
    return ["//" + sibling for sibling in SIBLINGS]
