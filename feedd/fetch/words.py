"""What went wrong on the way, in words for people. They hold no address, header or body: only host and port."""

import socket
import ssl

import httpcore

from feedd import limits
from feedd.errors import FetchError, TimedOut
from feedd.fetch.address import Address
from feedd.fetch.values import Access

UNKNOWN_NAME = {socket.EAI_NONAME} | {
    getattr(socket, name) for name in ("EAI_NODATA",) if hasattr(socket, name)
}


def explain(error: Exception, place: Address, access: Access, *, answered: bool) -> FetchError:
    """Anything that httpcore, what is below it, or the system raised, as an error of ours.

    `answered`: status and headers were in.
    """
    at = f"{place.host}:{place.port}"
    reached = f"the proxy for {at}" if access.proxy else at  # what we connected to
    match error:
        case FetchError():
            return error
        case httpcore.ConnectTimeout():
            return TimedOut(f"{reached} took no connection within {access.connect_timeout_s:g} s")
        case ssl.SSLCertVerificationError():
            return FetchError(f"{at}: the certificate is not valid: {error.verify_message}")
        case ssl.SSLError():
            return FetchError(f"{at}: TLS failed: {spell_ssl(error)}")
        case OSError() if limits.ran_out(error):
            return FetchError(limits.in_words())
        case OSError():
            return FetchError(explain_system(error, place.host, reached))
        case httpcore.ProxyError():
            return FetchError(f"the proxy did not connect to {at}: {short(error)}")
        case httpcore.NetworkError() | httpcore.ConnectionNotAvailable():
            return FetchError(f"{reached} closed the connection")
        case _ if answered:
            return FetchError(f"the answer of {at} is cut off or broken: {short(error)}")
        case _:
            return FetchError(f"{at} did not answer in HTTP: {short(error)}")


def explain_system(error: OSError, host: str, reached: str) -> str:
    match error:
        case socket.gaierror() if error.errno in UNKNOWN_NAME:
            return f"the name {host} is not known"
        case socket.gaierror():
            return f"the name {host} can't be looked up now: {error.strerror}"
        case ConnectionRefusedError():
            return f"{reached} refused the connection"
        case ConnectionError():
            return f"{reached} closed the connection"
        case TimeoutError():
            return f"{reached} can't be reached: it does not answer"
        case _:
            return f"{reached} can't be reached: {error.strerror or short(error)}"


def spell_ssl(error: ssl.SSLError) -> str:
    reason: str | None = getattr(error, "reason", None)  # absent on those that Python itself raises
    return (reason or "the handshake was cut off").lower().replace("_", " ")


def short(error: Exception) -> str:
    """What a library says, without the bytes that it quotes."""
    text = (str(error) or type(error).__name__).partition(": byte")[0]
    return "".join(sign if sign.isprintable() else " " for sign in text[:200])


def late(place: Address, access: Access, *, answered: bool) -> TimedOut:
    host, seconds = place.host, f"{access.timeout_s:g}"
    return TimedOut(
        f"{host} did not finish its answer within {seconds} s"
        if answered
        else f"{host} did not answer within {seconds} s"
    )
