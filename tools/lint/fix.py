"""Fixes the style of Python code where it can."""

import sys

from tools.lint.style import main

if __name__ == "__main__":
    sys.exit(main(["fix", *sys.argv[1:]]))
