"""Random cases for a check: a few in a test, any number by hand."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator

#: The seed of the cases in the tests.
SEED = 20240229

Check = Callable[[random.Random], object]


def cases(seed: int = SEED, first: int = 0) -> Iterator[random.Random]:
    """Yield a source of random numbers for each case; each case can be repeated alone."""
    while True:
        yield random.Random(f"{seed}/{first}")
        first += 1


def run(check: Check) -> int:
    """Run a check with the options of the command line.

    Args:
        check: Raises an AssertionError, or anything else, where a case fails.

    Returns:
        The exit code: 1 if a case failed.
    """
    parser = argparse.ArgumentParser(description="Check random cases until the time is up.")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long")
    parser.add_argument("--seed", type=int, default=SEED, help="what the cases are made from")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    options = parser.parse_args()
    end = time.monotonic() + options.seconds
    number = options.first
    for source in cases(options.seed, options.first):
        try:
            check(source)
        except Exception:
            print(f"failed; repeat it: --seed {options.seed} --first {number}", file=sys.stderr)
            raise
        number += 1
        if time.monotonic() > end:
            break
    print(f"{number - options.first} cases passed (seed {options.seed})")
    return 0
