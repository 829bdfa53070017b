"""`[cluster]`: a scheduler of Dask, whose workers fetch and read for the daemon."""

import importlib.util
import ipaddress
import re
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from feedd.config.base import Settings
from feedd.config.values import Folder

ADDRESS = re.compile(r"(?:tcp|tls)://(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+):[0-9]{1,5}")


def address(value: str) -> str:
    if not ADDRESS.fullmatch(value) or not 0 < int(value.rpartition(":")[2]) < 65_536:
        raise ValueError(f"{value!r} is no address of a scheduler; write one such as tcp://host:8786")
    return value


class Cluster(Settings):
    """Files of TLS are in PEM; the certificate and its key may lie in one file."""

    scheduler: Annotated[str, AfterValidator(address)]
    tls_ca: Folder | None = None
    tls_cert: Folder | None = None
    tls_key: Folder | None = None
    per_worker: int = Field(default=32, ge=1, le=1000)  # requests under way at once

    @model_validator(mode="after")
    def is_whole(self) -> Self:
        files = (self.tls_ca, self.tls_cert)
        if self.is_encrypted and None in files:
            raise ValueError("a tls:// scheduler needs tls_ca and tls_cert")
        if not self.is_encrypted and any((*files, self.tls_key)):
            raise ValueError("tls_ca, tls_cert and tls_key need a scheduler with tls://")
        for name in ("tls_ca", "tls_cert", "tls_key"):
            file = getattr(self, name)
            if file is not None and not file.is_file():
                raise ValueError(f"{name}: there is no file {file}")
        if importlib.util.find_spec("distributed") is None:
            raise ValueError("needs Dask: pip install 'feedd[cluster]'")
        return self

    @property
    def is_encrypted(self) -> bool:
        return self.scheduler.startswith("tls://")

    @property
    def keeps_secrets(self) -> bool:
        """Whether what is sent to it can be read by nobody else: it is encrypted, or stays on this machine."""
        return keeps_secrets(self.scheduler)


def keeps_secrets(address: str) -> bool:
    return address.startswith("tls://") or is_loopback(urlsplit(address).hostname or "")


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
