"""Tokens, and the names of sessions: random, and known to the store by a hash alone. Pure but for the random numbers.

Their hash is a plain SHA-256: 256 random bits can't be guessed, however fast the hash is. Slow hashes (argon2, scrypt)
are for passwords, which people choose, and would cost each request a tenth of a second.
"""

import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256

PREFIX = "feedd_"  # by which people, and scanners of leaked secrets, know one
RANDOM_BYTES = 32
RANDOM_TEXT = r"[A-Za-z0-9_-]{43}"
TOKEN = re.compile(PREFIX + RANDOM_TEXT)
SESSION = re.compile(RANDOM_TEXT)


def new_token() -> str:
    return PREFIX + secrets.token_urlsafe(RANDOM_BYTES)


def new_session() -> str:
    return secrets.token_urlsafe(RANDOM_BYTES)


def is_token(text: str) -> bool:
    """Whether it has the form of one: nothing else is looked for in the store."""
    return TOKEN.fullmatch(text) is not None


def is_session(text: str) -> bool:
    return SESSION.fullmatch(text) is not None


def hashed(secret: str) -> bytes:
    """What the store knows a token or a session by."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def form_token(session: str) -> str:
    """What a page of that session puts into its forms, so that no page of others can send one (CSRF).

    It is made of the session's name, which no page can read, and says nothing of it.
    """
    made = hmac.digest(session.encode(), b"feedd form", "sha256")
    return urlsafe_b64encode(made).rstrip(b"=").decode()


def is_form_token(given: str, session: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), form_token(session).encode())
