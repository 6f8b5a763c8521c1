"""`Lion` that roars."""

from zoo.models._generated.lion import GeneratedLion

__all__ = ["Lion"]


class Lion(GeneratedLion):
    """A lion that roars; takes the place of the generated one, in unions as well."""

    def roar(self) -> str:
        """Return its sound."""
        return f"{self.name} roars"
