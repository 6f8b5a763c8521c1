"""Stands in for a program that updates its own repository, where another repository runs it."""

import sys

_MESSAGE = "{} updates files of its own repository, not of yours: run it in a clone of that one"

if __name__ == "__main__":
    sys.exit(_MESSAGE.format(sys.argv[1]))
