"""Which files of a directory are feedd's. Those of pages of entries are noted in parts, each read when it is asked for.

So a round costs what changed, and not what is there, and is held in memory by parts.
"""

import os
from pathlib import Path

from feedd import atomic
from feedd.site import manifest as manifests
from feedd.site.files import contents
from feedd.site.manifest import MANIFEST, PART, WHOLE, File, Manifest, part_file, part_of
from feedd.store.marks import Mark


class Ledger:
    """By name, what is there. One thread at a time reads parts that are not `WHOLE`."""

    def __init__(self, root: Path, head: Manifest) -> None:
        self.root = root
        self.head = head
        self.read = {WHOLE: dict(head.files)}
        self.changed = set[str]()  # parts
        self.forgets = False

    def get(self, name: str) -> File | None:
        return self.of(part_of(name)).get(name)

    def set(self, name: str, file: File) -> None:
        part = part_of(name)
        if self.of(part).get(name) != file:
            self.read[part][name] = file
            self.changed.add(part)

    def remove(self, name: str) -> None:
        part = part_of(name)
        if self.of(part).pop(name, None) is not None:
            self.changed.add(part)

    def of(self, part: str) -> dict[str, File]:
        """Raises OSError, PublishError."""
        if part not in self.read:
            path = self.path(part)
            data = contents(path)
            files = {} if data is None else dict(manifests.decoded(data, str(path), part).files)
            self.read[part] = forgotten(files) if self.forgets else files
        return self.read[part]

    def forget(self) -> None:
        """Take nothing for as it should be."""
        self.forgets = True
        self.read = {part: forgotten(files) for part, files in self.read.items()}

    def parts(self) -> list[str]:
        """All but `WHOLE`, read or not. Raises OSError."""
        noted = {found[1] for name in os.listdir(self.root) if (found := PART.fullmatch(name))}
        return sorted({*noted, *self.read} - {WHOLE})

    def release(self, part: str) -> None:
        """It is not asked for any more, for the time being. Raises OSError."""
        if part in self.changed:
            self.write(part)
        self.read.pop(part, None)

    def write(self, part: str) -> None:
        if part not in self.read:
            return  # it was when it was released
        path, files = self.path(part), self.read[part]
        if files:
            atomic.write(path, manifests.encoded(Manifest(self.head.store, files=files)))
        else:
            path.unlink(missing_ok=True)

    def settle(self, mark: Mark, pages_made_by: str) -> None:
        """Write down all that changed. Raises OSError."""
        for part in self.changed - {WHOLE}:
            self.write(part)
        if self.changed or pages_made_by != self.head.pages_made_by:
            head = Manifest(self.head.store, mark, pages_made_by, self.read[WHOLE])
            atomic.write(self.root / MANIFEST, manifests.encoded(head))

    def path(self, part: str) -> Path:
        return self.root / part_file(part)


def forgotten(files: dict[str, File]) -> dict[str, File]:
    return {name: file._replace(state="") for name, file in files.items()}
