"""The way in: `feedd`, or `python -m feedd`. Worker processes import this module too, so it imports little."""

import os
import signal
import sys
from types import FrameType

STDOUT, STDERR = 1, 2


def main() -> None:
    """Run the command line. A signal ends any command in order: what was recorded is kept."""
    stand_in_for_streams()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)
    from feedd.allocation import begin_anew, staying

    if "run" in sys.argv[1:]:  # as yet, little of it would be done twice
        begin_anew()
    with staying():
        from feedd.cli.main import cli
    cli()


def stand_in_for_streams() -> None:
    """Where feedd was started without standard streams, no other file is to get their numbers."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    sys.stdout = sys.stdout or open(STDOUT, "w")  # noqa: SIM115 (for as long as the process lives)
    sys.stderr = sys.stderr or open(STDERR, "w")  # noqa: SIM115


def leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (a signal handler's signature)
    sys.exit(0)


if __name__ == "__main__":
    main()
