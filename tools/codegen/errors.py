"""The error that a spec which cannot be compiled gives."""


class SpecError(Exception):
    """A spec that cannot be compiled: where in it, and what to change.

    Args:
        place: JSON pointer into the spec, such as `#/paths/~1runs/get`; empty for the whole file.
        problem: What is wrong there, and what would be right.
    """

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}" if place else problem)
        self.place = place
        self.problem = problem
