"""What a worker can import quickly."""

import time

from feedd.sources.documents import Document


def forever(document: Document) -> bytes:
    time.sleep(3_600)
    return document.body
