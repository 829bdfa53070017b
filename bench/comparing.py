"""How fast two versions are compared: `python -m bench.comparing`."""

import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from statistics import median

from bench.figures import Figure, table
from feedd.changes.compare import compare
from feedd.changes.values import Content

COMMON = "the of and to in a is that for it was on".split()
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def comparing(_scratch: Path) -> list[Figure]:
    """An edit as most are, a rewrite, and text that is no text."""
    random = Random(4)
    words = ["".join(random.choices(LETTERS, k=random.randint(2, 9))) for _ in range(5_000)]
    usual, large = article(random, words, 4_000), article(random, words, 200_000)
    edited = [*usual]
    edited[len(edited) // 2] = edited[len(edited) // 2].replace(" ", " suddenly ", 1)
    unspaced = "".join(random.choices(LETTERS, k=5_000_000))
    other = "".join(random.choices(LETTERS, k=5_000_000))
    return [
        figure("compare 4 kB, a sentence edited", content(usual), content(edited), 200, 0.4),
        figure(
            "compare 200 kB with its rewrite",
            content(large),
            content(article(random, words, 200_000)),
            5,
            500,
        ),
        figure("compare 5 MB without a space", content([unspaced]), content([other]), 5, 2_000),
    ]


def article(random: Random, words: list[str], size: int) -> list[str]:
    paragraphs: list[str] = []
    while sum(map(len, paragraphs)) < size:
        paragraphs.append(" ".join(sentence(random, words) for _ in range(4)))
    return paragraphs


def sentence(random: Random, words: list[str]) -> str:
    chosen = (random.choice(COMMON if random.random() < 0.4 else words) for _ in range(14))
    return " ".join(chosen).capitalize() + "."


def content(paragraphs: list[str]) -> Content:
    return Content("Title", "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs))


def figure(name: str, old: Content, new: Content, runs: int, at_most_ms: float) -> Figure:
    taken = median_ms(lambda: compare(old, new), runs)
    rate = f"{1000 / taken:,.0f}/s" if taken < 10 else f"{taken:,.0f} ms"
    return Figure(name, "", rate, f"{taken:,.2f} ms", f"{at_most_ms:g} ms")


def median_ms(action: Callable[[], object], runs: int) -> float:
    """Of so many runs, of the processor."""
    times = []
    for _ in range(runs):
        begun = time.process_time()
        action()
        times.append(time.process_time() - begun)
    return median(times) * 1000


if __name__ == "__main__":
    print(table(comparing(Path())))
