"""What can go wrong, as one tree.

FeeddError
├── ConfigError            the configuration has mistakes: all of them are in it
├── UsageError             something was asked for that does not exist, or that can't be done
│   ├── UnknownName        a source, a channel or a delivery that is not there
│   └── NoLongerKept       a version that was pruned
├── SourceError            a look at a source failed; what it holds stays
│   ├── RemovalsHeld       a look would have removed suspiciously much
│   ├── FetchError         a server could not be reached, or what it sent can't be taken
│   │   ├── BadStatus          it answered that it won't
│   │   ├── AddressRefused     it has an address that the source may not reach
│   │   ├── TimedOut           it took too long
│   │   ├── TooLarge           it sent more than is allowed
│   │   └── TooManyRedirects   it sent us around in circles, or on and on
│   ├── OutOfFiles         feedd itself may open no more files now; nothing is wrong with the source
│   ├── NotAFeed           a document is no feed; it may name some
│   └── SelectorRot        a selector that used to find something finds nothing
├── SeedError              a text is no seed file
├── MirrorError            an archive can't be written; what it holds stays
├── StoreError             the database can't be used
│   ├── StoreBusy          another program keeps it locked
│   ├── StoreReadOnly      it, or its folder, can't be written
│   ├── StoreFull          the disk is full
│   ├── StoreReplaced      its files were moved, deleted or replaced while they were open
│   ├── NotAStore          the file is something else, or damaged
│   └── NewerStore         a later feedd made it
├── TooSlow               what was asked for takes too long: it may be asked again, or more narrowly
├── TooMany               others who asked for the same come first: it may be asked again soon
├── PublishError          the directory that is published to can't be used
├── Stopped               feedd is ending: the next look goes on where this one was
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


class UnknownName(UsageError):
    pass


class NoLongerKept(UsageError):
    pass


class SourceError(FeeddError):
    pass


class RemovalsHeld(SourceError):
    pass


class FetchError(SourceError):
    pass


class BadStatus(FetchError):
    """`url` answered so; `retry_after_ms` is when its server wants to be asked again."""

    def __init__(self, text: str, url: str, status: int, retry_after_ms: int | None) -> None:
        super().__init__(text)
        self.url = url
        self.status = status
        self.retry_after_ms = retry_after_ms


class AddressRefused(FetchError):
    pass


class TimedOut(FetchError):
    pass


class TooLarge(FetchError):
    pass


class TooManyRedirects(FetchError):
    pass


class OutOfFiles(SourceError):
    pass


class NotAFeed(SourceError):
    """`advertised` holds the addresses of feeds that an HTML page names."""

    def __init__(self, text: str, advertised: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.advertised = advertised


class SelectorRot(SourceError):
    pass


class SeedError(FeeddError):
    pass


class MirrorError(FeeddError):
    pass


class StoreError(FeeddError):
    pass


class StoreBusy(StoreError):
    pass


class StoreReadOnly(StoreError):
    pass


class StoreFull(StoreError):
    pass


class StoreReplaced(StoreError):
    """What is written from here on would be lost: nothing can be done but to end."""


class NotAStore(StoreError):
    pass


class NewerStore(StoreError):
    pass


class TooSlow(FeeddError):
    pass


class TooMany(FeeddError):
    pass


class PublishError(FeeddError):
    pass


class Stopped(FeeddError):
    """The look was asked to stop; the next one goes on where it was."""


class AlreadyRunning(FeeddError):
    def __init__(self, pid: int | None) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(f"feedd is already running as {who} on this database")
        self.pid = pid


class ListenError(FeeddError):
    """The address to listen on can't be had."""
