"""A model that the spec does not have."""

from zoo.models.animal import Animal
from zoo.models.kind import Kind

from stepflow_api.base import RequestModel

__all__ = ["Visit", "VisitKind"]

VisitKind = Kind


class Visit(RequestModel):
    """A visit to some animals."""

    animals: list[Animal]
