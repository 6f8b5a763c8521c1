"""`Category` that knows its path."""

from __future__ import annotations

from zoo.models._generated.category import GeneratedCategory
from zoo.models._words import joined

__all__ = ["Category"]


class Category(GeneratedCategory):
    """A category that knows its path; it refers to itself, in lists and maps as well."""

    def path(self) -> str:
        """Return the names of all categories above it, and its own."""
        return joined([self.parent.path(), self.name]) if self.parent else self.name
