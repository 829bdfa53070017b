"""What crosses between the daemon and its workers, as bytes.

Articles and drafts are pickled one by one: to unpickle thousands at once would hold up every other thread meanwhile.
The document that is kept as evidence crosses once, however many articles of it there are.
Whoever may speak to a worker, or answer for one, runs code there, as with all of Dask: docs/scaling.md.
"""

import io
import pickle
from typing import Any, NamedTuple

from feedd.errors import FeeddError
from feedd.model import Item, Raw
from feedd.sources.items import Draft

LARGEST = 64_000_000  # bytes that cross in one piece
APART = (Item, Draft)
Place = tuple[int, int | None]  # numbers of the part, and of the evidence that belongs to it


class TooLargeToCross(FeeddError):
    pass


class Packed(NamedTuple):
    whole: bytes  # names the parts by their numbers
    parts: list[bytes]


class Packer(pickle.Pickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.parts = list[bytes]()
        self.evidence: dict[int, int] = {}  # by identity: number of its part
        self.bytes = 0

    def persistent_id(self, obj: Any) -> Place | None:
        if not isinstance(obj, APART):
            return None
        if isinstance(obj, Draft) or obj.raw is None:
            return self.part(obj), None
        number = self.evidence.get(id(obj.raw))
        if number is None:
            number = self.evidence[id(obj.raw)] = self.part(obj.raw)
        return self.part(obj._replace(raw=None)), number

    def part(self, value: Item | Draft | Raw) -> int:
        part = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        self.bytes += len(part)
        if self.bytes > LARGEST:
            raise too_large()
        self.parts.append(part)
        return len(self.parts) - 1


class Unpacker(pickle.Unpickler):
    def __init__(self, packed: Packed) -> None:
        super().__init__(io.BytesIO(packed.whole))
        self.parts = packed.parts
        self.evidence: dict[int, Raw] = {}

    def persistent_load(self, pid: Place) -> Any:
        number, evidence = pid
        value = pickle.loads(self.parts[number])  # noqa: S301 (see above)
        if evidence is None:
            return value
        if evidence not in self.evidence:
            self.evidence[evidence] = pickle.loads(self.parts[evidence])  # noqa: S301
        return value._replace(raw=self.evidence[evidence])


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
