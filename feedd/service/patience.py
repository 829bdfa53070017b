"""A start that takes long, told to the service manager."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from feedd.service.notify import Notifier

ASK_S = 10.0
FOR_S = 60.0


@contextmanager
def asking_for_patience(notifier: Notifier) -> Iterator[None]:
    """While it lasts, the manager is asked for more time again and again: its own limit is for a start that hangs."""
    if notifier.address is None:
        yield
        return
    done = threading.Event()

    def ask() -> None:
        while not done.wait(ASK_S):
            notifier.extend(FOR_S)

    asking = threading.Thread(target=ask, name="patience", daemon=True)
    asking.start()
    try:
        yield
    finally:
        done.set()
        asking.join()
