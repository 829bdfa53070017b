"""The one module of the daemon that knows Dask: who the workers are, and calls to them.

The scheduler is asked who is there, and each worker is called directly and told what to do. Dask's own tasks are not
used: they may be run again, and elsewhere, while a worker that seems lost still asks the same server.
"""

import asyncio
import logging
import pickle
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import distributed
from distributed.core import ConnectionPool

from feedd.cluster import worker
from feedd.cluster.values import Greeting
from feedd.config.cluster import Cluster
from feedd.errors import FeeddError

TIMEOUT_S = 10.0  # for a question that is answered at once
DIAL_S = 3.0
AT_ONCE = 10_000  # connections, where there may be so many


class Lost(FeeddError):
    """The scheduler, or a worker, can't be reached, or answers nothing of use."""


class Foreign(FeeddError):
    """A worker can't be used as it is."""


class Here(NamedTuple):
    """A worker that the scheduler knows."""

    address: str
    name: str


class Link:
    """Of the running event loop; a context manager. All calls raise Lost where whoever is called can't be reached."""

    def __init__(self, wish: Cluster, daemon: str, at_once: int = AT_ONCE) -> None:
        logging.getLogger("distributed").setLevel(
            logging.CRITICAL
        )  # what matters is said in feedd's own words
        self.scheduler = wish.scheduler
        self.daemon = daemon
        security = distributed.Security(
            tls_ca_file=path(wish.tls_ca),
            tls_client_cert=path(wish.tls_cert),
            tls_client_key=path(wish.tls_key),
            require_encryption=wish.is_encrypted,
        )
        self.pool = ConnectionPool(
            limit=min(at_once, AT_ONCE),
            connection_args=security.get_connection_args("client"),
            timeout=DIAL_S,
        )

    async def __aenter__(self) -> Self:
        await self.pool.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.pool.close()

    async def workers(self) -> list[Here]:
        """Those that the scheduler knows."""
        answer = await self.call(self.scheduler, TIMEOUT_S, "identity", n_workers=-1)
        known = answer.get("workers") if isinstance(answer, dict) else None
        if not isinstance(known, dict):
            raise Lost(f"{self.scheduler} is no scheduler of Dask")
        return [Here(address, str(each.get("name", address))) for address, each in known.items()]

    async def greet(self, address: str) -> Greeting:
        """Teach a worker what feedd wants of it. Raises Foreign."""
        answer = await self.call(
            address,
            TIMEOUT_S,
            "run",
            function=pickle.dumps(worker.greet),
            args=pickle.dumps((self.daemon,)),
            kwargs=b"",
            wait=True,
        )
        if not isinstance(answer, dict) or answer.get("status") != "OK":
            error = answer.get("exception") if isinstance(answer, dict) else None
            raise Foreign(f"it can't be used: {error!r}")
        try:
            return Greeting(*answer["result"])
        except (KeyError, TypeError) as error:
            raise Foreign("it has another feedd, which greets otherwise: install the same one") from error

    async def order(
        self, address: str, seconds: float, number: int, order: bytes, parts: list[bytes]
    ) -> worker.Message:
        """An order to a worker; what `worker.Hands.order` answers."""
        answer = await self.call(
            address, seconds, worker.ORDER, daemon=self.daemon, number=number, order=order, parts=parts
        )
        if not isinstance(answer, dict):  # it is another process, which was not greeted
            raise Lost(f"the worker {address} knows nothing of feedd any more")
        return answer

    async def ask(self, address: str) -> None:
        """Whether somebody is there."""
        await self.call(address, TIMEOUT_S, "identity")

    async def give_up(self, address: str, number: int) -> None:
        await self.call(address, TIMEOUT_S, worker.GIVE_UP, daemon=self.daemon, number=number)

    def forget(self, address: str) -> None:
        """Close what is open to it."""
        self.pool.remove(address)

    async def call(self, address: str, seconds: float, operation: str, **arguments: Any) -> Any:
        try:
            async with asyncio.timeout(seconds):
                return await getattr(self.pool(address), operation)(**arguments)
        except TimeoutError as error:
            raise Lost(f"{address} did not answer within {seconds:.0f} s") from error
        except ImportError as error:
            raise Foreign(f"feedd is not installed there ({error})") from error
        except Exception as error:  # whatever Dask makes of what is no Dask
            raise Lost(f"{address} can't be reached: {error}") from error


async def is_gone(address: str) -> bool:
    """Whether nothing listens there any more, so that its process has ended: not to be reached says less."""
    place = urlsplit(address)
    try:
        async with asyncio.timeout(DIAL_S):
            _, writer = await asyncio.open_connection(place.hostname, place.port)
    except ConnectionRefusedError:
        return True
    except (OSError, TimeoutError):
        return False
    writer.close()
    return False


def path(file: Any) -> str | None:
    return None if file is None else str(file)
