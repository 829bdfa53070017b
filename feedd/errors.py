"""What can go wrong, as one tree.

FeeddError
├── ConfigError            the configuration has mistakes: all of them are in it
├── UsageError             a command was asked for something that does not exist
├── SourceError            a look at a source failed; what it holds stays
│   └── RemovalsHeld       a look would have removed suspiciously much
├── SeedError              a text is no seed file
├── StoreError             the database can't be used
│   ├── StoreBusy          another program keeps it locked
│   ├── StoreReadOnly      it, or its folder, can't be written
│   ├── StoreFull          the disk is full
│   ├── NotAStore          the file is something else, or damaged
│   └── NewerStore         a later feedd made it
└── AlreadyRunning         another process runs passes on this database
"""


class FeeddError(Exception):
    """Base of every error that feedd expects; its text is for people."""


class ConfigError(FeeddError):
    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class UsageError(FeeddError):
    pass


class SourceError(FeeddError):
    pass


class RemovalsHeld(SourceError):
    pass


class SeedError(FeeddError):
    pass


class StoreError(FeeddError):
    pass


class StoreBusy(StoreError):
    pass


class StoreReadOnly(StoreError):
    pass


class StoreFull(StoreError):
    pass


class NotAStore(StoreError):
    pass


class NewerStore(StoreError):
    pass


class AlreadyRunning(FeeddError):
    def __init__(self, pid: int | None) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(f"feedd is already running as {who} on this database")
        self.pid = pid


class ListenError(FeeddError):
    """The address to listen on can't be had."""
