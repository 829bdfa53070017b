"""How much somebody may do. Pure."""

from enum import StrEnum


class Scope(StrEnum):
    """Each may do what the one before it may."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def covers(self, needed: "Scope") -> bool:
        return ORDER.index(self) >= ORDER.index(needed)


ORDER = tuple(Scope)
