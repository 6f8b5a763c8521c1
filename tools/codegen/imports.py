"""Writes imports as isort sorts them, so that only the layout is left to the formatter."""

import re
import sys
from collections import defaultdict
from collections.abc import Mapping

# Strings, and what a class names itself: fields and members at the beginning of a line.
_NO_USES = re.compile(
    r'"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""'
    r'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|^ +\w+(?=:| = )',
    re.DOTALL | re.MULTILINE,
)
_NAME = re.compile(r"(?<![\w.])\w+")


def used_names(code: str) -> set[str]:
    """Return the names in an expression or a class, those that the class defines left out."""
    return {*_NAME.findall(_NO_USES.sub("", code))}


def imports(names: Mapping[str, tuple[str, str]], package: str = "") -> str:
    """Return imports, those of the standard library first.

    Args:
        names: For each name its module, and its name there.
        package: Where modules are whose names begin with a dot.
    """
    lines: defaultdict[tuple[bool, str, str], list[str]] = defaultdict(list)
    for name, (module, original) in names.items():
        alias = f"{original} as {name}" if name != original else ""
        module = package + module if module[0] == "." else module
        is_ours = module.partition(".")[0] not in sys.stdlib_module_names
        lines[is_ours, module, alias].append(alias or name)
    sections: dict[bool, list[str]] = {}
    for (is_ours, module, _), found in sorted(lines.items()):
        # Constants before classes, and classes before functions.
        found.sort(key=lambda n: (n == n[0] or not n.isupper(), not n[0].isupper(), n.lower()))
        sections.setdefault(is_ours, []).append(f"from {module} import {', '.join(found)}")
    return "\n\n".join(map("\n".join, sections.values()))
