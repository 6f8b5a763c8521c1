"""A private module beside the models."""


def joined(words: list[str]) -> str:
    """Joins words."""
    return "/".join(words)
