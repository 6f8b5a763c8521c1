"""A model that the spec does not have."""

from zoo.models.generated import Animal, Kind

from stepflow_api._base import RequestModel

__all__ = ["Visit", "VisitKind"]

VisitKind = Kind


class Visit(RequestModel):
    """A visit to some animals."""

    animals: list[Animal]
