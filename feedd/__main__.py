"""The way in: `feedd`, or `python -m feedd`. Worker processes import this module too, so it imports little."""

import signal
import sys
from types import FrameType


def main() -> None:
    """Run the command line. A signal ends any command in order: what was recorded is kept."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)
    from feedd.cli.main import cli

    cli()


def leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (a signal handler's signature)
    sys.exit(0)


if __name__ == "__main__":
    main()
