"""What a configuration needs of the system. Pure."""

from feedd.config.settings import Config
from feedd.config.sources import DirectorySource
from feedd.limits import ADVICE

OWN = 48  # files: the database in each thread that reads it, the log, sockets, event loops
A_WATCH = 4  # for a folder that is watched: inotify, what wakes its thread, the file that is read
CLIENTS = 64  # connections of those who read feeds and pages, at least


def files_needed(config: Config) -> int:
    """How many files and connections may be open at once where all goes on at once."""
    watches = sum(isinstance(source, DirectorySource) and source.watch for source in config.sources)
    messages = sum(channel.at_once for channel in config.channels)
    return OWN + A_WATCH * watches + config.fetch.concurrency + messages + CLIENTS


def spare_files(config: Config, limit: int) -> int:
    """How many of `limit` are left for connections to a cluster's workers."""
    return max(0, limit - files_needed(config))


def enough_files(config: Config, limit: int) -> str | None:
    """A warning where `limit` files and connections are too few."""
    needed = files_needed(config)
    if limit >= needed:
        return None
    return f"{limit:,} files and connections may be open at once, and this configuration may need {needed:,}: {ADVICE}"
