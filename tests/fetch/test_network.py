"""What a connection holds of what a server sends."""

import asyncio
import socket

import pytest

from feedd.fetch.network import Line


@pytest.mark.parametrize("size", [1, 2, 100_000])
def test_a_server_that_nobody_listens_to_is_held_up(size: int) -> None:
    """However small the pieces are; and nothing of them is lost, or out of order."""

    async def received() -> None:
        own, theirs = socket.socketpair()
        theirs.setblocking(False)
        loop = asyncio.get_running_loop()
        transport, line = await loop.create_connection(Line, sock=own)
        sent = bytearray()
        while transport.is_reading():
            piece = (len(sent) // size % 251).to_bytes() * size
            await loop.sock_sendall(theirs, piece)
            sent += piece
            await asyncio.sleep(0)
            assert len(sent) < 500_000
        theirs.close()
        read = bytearray()
        while piece := await line.read(1_000):
            assert len(piece) <= 1_000
            read += piece
        assert read == sent
        transport.abort()

    asyncio.run(received())
