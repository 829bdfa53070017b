"""`[publish]`: the whole as files, for a web server without feedd behind it."""

from typing import Literal

from feedd.config.base import Settings
from feedd.config.values import Arguments, Duration, Folder


class Publish(Settings):
    directory: Folder
    pages: bool = True  # for people, besides the documents of feeds
    archives: bool = True
    language: Literal["en", "zh"] = "en"  # of the pages: a file can't ask who reads it
    command: Arguments | None = None  # run after something was written
    timeout: Duration = 600_000  # of the command
