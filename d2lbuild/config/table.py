"""What all tables of our configuration files have in common. Only this package uses pydantic."""

from pydantic import BaseModel, ConfigDict

__all__ = ["Table"]


class Table(BaseModel):
    """A table in which only known keys may stand."""

    model_config = ConfigDict(defer_build=True, extra="forbid", strict=True, frozen=True)
