"""Where secrets come from, and that they never show themselves."""

import os
import pickle
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.config.secrets import Secret, secret

WORD = "hunter2-tr0ub4dor"


def test_never_shows_itself() -> None:
    found = secret(WORD, Path(), {})
    for shown in (
        repr(found),
        str(found),
        f"{found}",
        f"{found!r}",
        repr([found]),
        repr({1: found}),
    ):
        assert WORD not in shown
        assert "Secret('…')" in shown
    assert found.reveal() == WORD
    assert not hasattr(found, "__dict__")
    with pytest.raises(AttributeError):
        found.value = "x"  # type: ignore[misc]


def test_is_a_value() -> None:
    assert Secret("a") == Secret("a", "a warning") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1
    assert pickle.loads(pickle.dumps(Secret("a", "w"))) == Secret("a")


def test_from_the_environment() -> None:
    assert secret("env:DESK_SECRET", Path(), {"DESK_SECRET": WORD}).reveal() == WORD
    with pytest.raises(ValueError, match=r"^the environment variable DESK_SECRET is not set$"):
        secret("env:DESK_SECRET", Path(), {"OTHER": WORD})
    with pytest.raises(ValueError, match=r"^the environment variable DESK_SECRET is empty$"):
        secret("env:DESK_SECRET", Path(), {"DESK_SECRET": "\n"})


@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\n\n"])
def test_from_a_file(tmp_path: Path, ending: str) -> None:
    (tmp_path / "token").write_bytes(f"\ufeff {WORD} {ending}".encode())
    (tmp_path / "token").chmod(0o600)
    for spelled in ("file:token", f"file:{tmp_path}/token"):
        found = secret(spelled, tmp_path, {})
        assert found.reveal() == f" {WORD} "
        assert found.warning is None


def test_a_file_that_others_can_read_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(WORD)
    (tmp_path / "token").chmod(0o644)
    found = secret("file:token", tmp_path, {})
    assert found.reveal() == WORD
    assert (
        found.warning
        == f"{tmp_path}/token can be read by every user of this machine; chmod o-r makes it private"
    )


def test_files_that_hold_no_secret(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"\n")
    (tmp_path / "large").write_bytes(b"x" * 64_001)
    (tmp_path / "binary").write_bytes(WORD.encode() + b"\xff")
    (tmp_path / "lines").write_text(f"{WORD}\nX-Header: {WORD}")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    expected = {
        "none": "none can't be read: No such file or directory",
        "empty": "empty is empty",
        "large": "large is too large for a secret: more than 64 kB",
        "binary": "binary is not UTF-8 text",
        "lines": "lines holds more than one line, or a control character",
        "folder": "folder is not an ordinary file",
        "fifo": "fifo is not an ordinary file",
        "~nobody-of-that-name/x": "there is no user of that name",
        "": "what follows file: is not a path; write file:PATH",
        "a\0b": "what follows file: is not a path; write file:PATH",
    }
    for name, words in expected.items():
        with pytest.raises(ValueError) as caught:
            secret(f"file:{name}", tmp_path, {})
        assert str(caught.value).endswith(words)
        assert WORD not in "".join(traceback.format_exception(caught.value))


def test_from_systemd(tmp_path: Path) -> None:
    (tmp_path / "desk").write_text(f"{WORD}\n")
    assert secret("credential:desk", Path(), {"CREDENTIALS_DIRECTORY": str(tmp_path)}).reveal() == WORD
    with pytest.raises(
        ValueError, match=r"^the credential desk can't be found: CREDENTIALS_DIRECTORY is not set"
    ):
        secret("credential:desk", tmp_path, {})
    with pytest.raises(ValueError, match=r"^the credential other can't be found: systemd has none"):
        secret("credential:other", Path(), {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    with pytest.raises(ValueError, match=r"/desk can't be read: File name too long$"):
        secret("credential:desk", Path(), {"CREDENTIALS_DIRECTORY": "/" + "a" * 300})


@pytest.mark.parametrize("name", ["", ".", "..", "../desk", "a/b", "/etc/passwd", "a b", "a\n", "é"])
def test_names_that_lead_elsewhere(tmp_path: Path, name: str) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "desk").write_text(WORD)
    with pytest.raises(ValueError, match=r"^what follows credential: is not the name of a credential"):
        secret(f"credential:{name}", tmp_path, {"CREDENTIALS_DIRECTORY": str(tmp_path / "inner")})
    with pytest.raises(ValueError, match=r"^what follows env: is not the name"):
        secret(f"env:{name}", tmp_path, {name: WORD})


@pytest.mark.parametrize("value", [1234567, 1.5, True, None, [WORD], {"a": WORD}, b"hunter2"])
def test_what_is_no_text(value: object) -> None:
    with pytest.raises(ValueError, match=r"^a secret is a text: write it in quotes, or env:NAME") as caught:
        secret(value, Path(), {})
    assert "1234567" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


@given(text=st.text(), prefix=st.sampled_from(["", "env:", "credential:"]))
def test_words_never_hold_the_secret(text: str, prefix: str) -> None:
    """A literal that only looks like a reference is not repeated either, unless it is a plausible name."""
    try:
        found = secret(prefix + "S3cr3t!" + text, Path("/nowhere"), {})
    except ValueError as error:
        assert "S3cr3t!" not in str(error)  # noqa: PT017
    else:
        assert "S3cr3t!" not in repr(found)
        assert found.reveal() == ("S3cr3t!" + text).rstrip("\r\n")
