"""Which addresses are of one link, file or picture, and which are not."""

import pytest

from feedd.changes.addresses import file, link, picture
from feedd.changes.compare import compare
from feedd.changes.values import Content


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://e.org", "https://E.org/"),
        ("http://e.org/a", "https://e.org/a#part"),
        ("https://e.org/%7ea", "https://e.org/~a"),
        ("mailto:a@e.org", "mailto:a@e.org"),
    ],
)
def test_one_link(one: str, other: str) -> None:
    assert link(one) == link(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://e.org/a", "https://e.org/b"),
        ("https://e.org/a?t=1", "https://e.org/a?t=90"),
        ("https://e.org/a", "https://e.org/a/"),
        ("mailto:a@e.org", "mailto:b@e.org"),
    ],
)
def test_two_links(one: str, other: str) -> None:
    assert link(one) != link(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://e.org/a.jpg?w=300", "https://e.org/a.jpg?w=600&s=123abc"),
        ("https://e.org/a.jpg?width=300&v=1&t=2&hash=3", "https://e.org/a.jpg"),
        ("https://e.org/a-300x200.jpg", "https://e.org/a.jpg"),
        ("https://e.org/a-300x200.jpg", "https://e.org/a-1024x683.jpg"),
        ("https://e.org/1234567_300.jpg", "https://e.org/1234567_600.jpg"),
        ("https://e.org/0a1b2c3d4e5f_300.jpg", "https://e.org/0a1b2c3d4e5f_600.jpg"),
        ("https://e.org/w_300/a.jpg", "https://e.org/w_600/a.jpg"),
        ("https://e.org/w_300,h_200,c_fill/a.jpg", "https://e.org/c_fill,w_600,q_80/a.jpg"),
        ("https://e.org/w:980/p:16x9/a.jpg", "https://e.org/w:640/p:16x9/a.jpg"),
        ("https://e.org/300x200/a.jpg", "https://e.org/600x400/a.jpg"),
        (
            "https://ichef.bbci.co.uk/news/480/cpsprodpb/a.jpg",
            "https://ichef.bbci.co.uk/news/976/cpsprodpb/a.jpg",
        ),
        (
            "https://ichef.bbci.co.uk/ace/standard/240/a.jpg",
            "https://ichef.bbci.co.uk/ace/standard/800/a.jpg.webp",
        ),
        (
            "https://img.lemde.fr/2024/05/01/0/0/5568/3712/664/0/75/0/ab12_5.jpg",
            "https://img.lemde.fr/2024/05/01/0/0/5568/3712/1342/0/75/0/ab12_5.jpg",
        ),
        ("https://img.lemde.fr/1/664/0/75/0/ab.jpg", "https://img.lemde.fr/1/800/0/75/0/ab.jpg"),
        ("https://e.org/2024/05/01/664/0/ab12_5.jpg", "https://e.org/2024/05/01/1328/0/ab12_5.jpg"),
        (
            "https://i.guim.co.uk/img/media/0123456789abcdef0123456789abcdef01234567/0_0_50_30/master/500.jpg",
            "https://i.guim.co.uk/img/media/0123456789abcdef0123456789abcdef01234567/0_0_50_30/master/1000.jpg",
        ),
        (
            "https://media.guim.co.uk/0123456789abcdef0123456789abcdef01234567/0_0_50_30/500.jpg",
            "https://media.guim.co.uk/0123456789abcdef0123456789abcdef01234567/0_0_50_30/140.jpg",
        ),
        ("https://i0.wp.com/e.org/a.jpg?resize=300,200", "https://e.org/a.jpg"),
        ("https://i0.wp.com/e.org/a.jpg", "https://i2.wp.com/e.org/a.jpg"),
        ("https://e.org/a.jpg", "https://e.org/a.webp"),
        ("https://e.org/a.jpeg", "https://e.org/a.avif"),
        ("https://e.org/a.png", "https://e.org/a.png.webp"),
    ],
)
def test_one_picture(one: str, other: str) -> None:
    assert picture(one) == picture(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://e.org/photo.php?s=1", "https://e.org/photo.php?s=2"),
        ("https://e.org/photo.php?v=1", "https://e.org/photo.php?v=2"),
        ("https://e.org/photo.php?t=1", "https://e.org/photo.php?t=2"),
        ("https://e.org/photo.php?hash=1", "https://e.org/photo.php?hash=2"),
        ("https://e.org/IMG_300.jpg", "https://e.org/IMG_600.jpg"),
        ("https://e.org/IMG_1200.jpg", "https://e.org/IMG_1280.jpg"),
        ("https://e.org/20240501_1200.jpg", "https://e.org/20240501_1600.jpg"),
        ("https://e.org/1234567_301.jpg", "https://e.org/1234567_302.jpg"),
        ("https://e.org/news/480/a.jpg", "https://e.org/news/976/a.jpg"),
        ("https://e.org/gallery/300.jpg", "https://e.org/gallery/600.jpg"),
        ("https://e.org/300/a.jpg", "https://e.org/600/a.jpg"),
        ("https://e.org/664/0/a.jpg", "https://e.org/800/0/a.jpg"),
        ("https://e.org/a.jpg", "https://e.org/a.png"),
        ("https://e.org/a1.jpg", "https://e.org/a2.jpg"),
        ("https://i0.wp.com/e.org/a.jpg", "https://i0.wp.com/f.org/a.jpg"),
    ],
)
def test_two_pictures(one: str, other: str) -> None:
    assert picture(one) != picture(other)


def test_files() -> None:
    assert file("https://e.org/watch?v=abc") != file("https://e.org/watch?v=def")
    assert file("https://e.org/watch?w=3&v=abc") != file("https://e.org/watch?w=3&v=def")
    assert file("https://e.org/300x200/a.mp4") != file("https://e.org/600x400/a.mp4")
    assert file("https://e.org/a.mp3?token=abc") == file("http://e.org/a.mp3?token=def")


def compared(old: str, new: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return compare(Content("T", old), Content("T", new)).links


def test_links_that_changed_places_are_told() -> None:
    ann, bob, eve = (f'<a href="https://e.org/{name}">' for name in ("ann", "bob", "eve"))
    links = compared(f"<p>{ann}A</a> {bob}B</a> {eve}E</a></p>", f"<p>{bob}A</a> {ann}B</a> {eve}E</a></p>")
    assert links == (("https://e.org/ann", "https://e.org/bob"), ("https://e.org/bob", "https://e.org/ann"))


def test_pictures_that_changed_places_are_told_and_a_picture_that_passes_a_link_is_not() -> None:
    one, two = ('<img src="https://e.org/1.jpg">', '<img src="https://e.org/2.jpg">')
    first = "https://e.org/1.jpg", "https://e.org/2.jpg"
    assert compared(f"<p>{one}A</p><p>{two}B</p>", f"<p>{two}A</p><p>{one}B</p>") == (first, first[::-1])
    link = '<a href="https://e.org/a">x</a>'
    assert compared(f"<p>{one}{link}</p>", f"<p>{link}{one}</p>") == ((), ())


def test_films() -> None:
    old, new = (f'<video src="https://e.org/watch?v={name}"></video>' for name in ("abc", "def"))
    assert compared(old, new) == (("https://e.org/watch?v=abc",), ("https://e.org/watch?v=def",))
