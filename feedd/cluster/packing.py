"""What crosses between the daemon and its workers, as bytes.

Articles and drafts are pickled one by one: to unpickle thousands at once would hold up every other thread meanwhile.
Whoever may speak to a worker, or answer for one, runs code there, as with all of Dask: docs/scaling.md.
"""

import io
import pickle
from typing import Any, NamedTuple

from feedd.errors import FeeddError
from feedd.model import Item
from feedd.sources.items import Draft

LARGEST = 64_000_000  # bytes that cross in one piece
APART = (Item, Draft)


class TooLargeToCross(FeeddError):
    pass


class Packed(NamedTuple):
    whole: bytes  # names the parts by their numbers
    parts: list[bytes]


class Packer(pickle.Pickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.parts = list[bytes]()
        self.bytes = 0

    def persistent_id(self, obj: Any) -> int | None:
        if not isinstance(obj, APART):
            return None
        part = pickle.dumps(obj, pickle.HIGHEST_PROTOCOL)
        self.bytes += len(part)
        if self.bytes > LARGEST:
            raise too_large()
        self.parts.append(part)
        return len(self.parts) - 1


class Unpacker(pickle.Unpickler):
    def __init__(self, packed: Packed) -> None:
        super().__init__(io.BytesIO(packed.whole))
        self.parts = packed.parts

    def persistent_load(self, pid: int) -> Any:
        return pickle.loads(self.parts[pid])  # noqa: S301 (see above)


def pack(value: object) -> Packed:
    """Raises TooLargeToCross."""
    file = io.BytesIO()
    packer = Packer(file)
    packer.dump(value)
    if file.tell() + packer.bytes > LARGEST:
        raise too_large()
    return Packed(file.getvalue(), packer.parts)


def unpack(packed: Packed) -> Any:
    return Unpacker(packed).load()


def too_large() -> TooLargeToCross:
    return TooLargeToCross(f"what was read comes to more than {LARGEST // 1_000_000} MB")
