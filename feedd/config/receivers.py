"""Where messages go, and what proves who sent them: addresses and secrets of channels, checked when they are read."""

import base64
import binascii
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from feedd.config.secrets import Secret
from feedd.config.values import a_secret, each_of, web_url
from feedd.notify import apprise_way

SECRET_BYTES = 24  # Standard Webhooks wants at least so many
MOST_SECRET_BYTES = 64
ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")
HOST = re.compile(r"[^\s/@:\[\]]{1,253}|\[?[0-9a-fA-F:.]+\]?")
UNSUBSCRIBING = re.compile(r"(mailto:|https?://)[^\s<>]{1,900}")
NAMED_ADDRESS = re.compile(r"[^<>\r\n]*<(?P<address>[^<>]+)>")


def secret_url(value: object, info: ValidationInfo) -> Secret:
    """The address that messages are sent to: whoever knows it may send there, so it is a secret."""
    found = a_secret(value, info)
    if not found.missing:
        try:
            web_url(found.reveal())
        except ValueError as error:
            if "password" in str(error):
                raise ValueError(
                    'the address holds a user or password; write headers = { Authorization = "env:NAME" }'
                ) from None
            raise ValueError("is not a web address; write one such as https://example.org/hook") from None
        if "#" in found.reveal():
            raise ValueError('the address holds a "#": what follows it is never sent; leave it out')
        if not whole_host(urlsplit(found.reveal()).hostname or ""):
            raise ValueError("the host of the address has an empty part between dots; correct it")
    return found


def whole_host(host: str) -> bool:
    """Whether something stands between its dots."""
    return all(host.removesuffix(".").split("."))


def apprise_url(value: object, info: ValidationInfo) -> Secret:
    """It names service, user and password in one: a secret."""
    found = a_secret(value, info)
    thorough = info.context is None or info.context.get("thorough", True)
    objection = apprise_way.objection if thorough else apprise_way.no_url
    if not found.missing and (why := objection(found.reveal())):
        raise ValueError(why)
    return found


def signing_secrets(value: object, info: ValidationInfo) -> tuple[Secret, ...]:
    """One secret, or several while one takes the place of another (Standard Webhooks, "Signature scheme")."""
    each = list(value) if isinstance(value, list | tuple) else [value]
    if not each:
        raise ValueError("names no secret")
    return each_of(each, lambda one: signing_secret(one, info))


def signing_secret(value: object, info: ValidationInfo) -> Secret:
    found = a_secret(value, info)
    if found.missing:
        return found
    coded = found.reveal().removeprefix("whsec_")
    try:
        key = base64.b64decode(coded + "=" * (-len(coded) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError(
            "is not a signing secret; write whsec_ and 24 to 64 random bytes in base64, as this makes:"
            " echo whsec_$(head -c 32 /dev/urandom | base64)"
        )
    if len(key) > MOST_SECRET_BYTES:
        raise ValueError(
            f"the signing secret has {len(key)} bytes; Standard Webhooks takes {MOST_SECRET_BYTES} at most"
        )
    if len(key) < SECRET_BYTES and found.warning is None:
        short = f"the signing secret has {len(key)} bytes; Standard Webhooks wants 24 at least"
        return Secret(found.value, short)
    return found


def mail_address(value: object) -> str:
    """`someone@example.org` or `Name <someone@example.org>`."""
    named = NAMED_ADDRESS.fullmatch(value) if isinstance(value, str) else None
    bare = named["address"] if named else value
    if not isinstance(value, str) or not value.isprintable() or not ADDRESS.fullmatch(str(bare)):
        raise ValueError(f"{value!r} is not a mail address; write someone@example.org")
    return value


def mail_host(value: str) -> str:
    if not HOST.fullmatch(value) or not (":" in value or whole_host(value)):
        raise ValueError(
            f"{value!r} is not a host; write one such as mail.example.org (the port goes into port)"
        )
    return value


def unsubscribing(value: str) -> str:
    if not UNSUBSCRIBING.fullmatch(value):
        raise ValueError(
            f"{value!r} is no way to unsubscribe; write mailto:someone@example.org, or https://example.org/unsubscribe"
        )
    return value


def mail_addresses(value: object) -> tuple[str, ...]:
    each = [value] if isinstance(value, str) else value
    if not isinstance(each, list | tuple) or not each:
        raise ValueError(f"{value!r} is not a mail address, nor a list of some")
    return each_of(each, mail_address)


def host_of(url: Secret) -> str:
    """Host and port of an address whose rest may be a secret."""
    if url.missing:
        return ""
    parts = urlsplit(url.value)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return host if parts.port is None else f"{host}:{parts.port}"


AppriseUrl = Annotated[Secret, BeforeValidator(apprise_url)]
SecretUrl = Annotated[Secret, BeforeValidator(secret_url)]
SigningSecrets = Annotated[tuple[Secret, ...], BeforeValidator(signing_secrets)]
MailHost = Annotated[str, AfterValidator(mail_host)]
Unsubscribing = Annotated[str, AfterValidator(unsubscribing)]
MailAddress = Annotated[str, BeforeValidator(mail_address)]
MailAddresses = Annotated[tuple[str, ...], BeforeValidator(mail_addresses)]
