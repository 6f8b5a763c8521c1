"""`Base` that another model inherits from."""

from zoo.models._generated.base import GeneratedBase

__all__ = ["Base"]


class Base(GeneratedBase):
    """A base with a short id."""

    @property
    def short_id(self) -> str:
        """The first letters of its id."""
        return self.id[:3]
