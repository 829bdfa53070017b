"""Asks for a feed again and again, each time on a connection of its own, while a command runs and for a second after.

`hammering.py ADDRESS COMMAND…`: a host and a port, or the path of a Unix socket. Prints JSON: how many were answered, the longest wait in seconds, what went wrong.
"""

import json
import socket
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection, HTTPException

address, *command = sys.argv[1:]
ended = threading.Event()
answered: list[float] = []
wrong: list[str] = []


def connected() -> HTTPConnection:
    """A connection that is made when it is first used."""
    if not address.startswith("/"):
        return HTTPConnection(address, timeout=30)
    made = HTTPConnection("localhost", timeout=30)
    made.sock = socket.socket(socket.AF_UNIX)
    made.sock.settimeout(30)
    made.sock.connect(address)
    return made


def ask() -> None:
    while not ended.is_set():
        began = time.monotonic()
        try:
            connection = connected()
            connection.request("GET", "/feeds/all.json", headers={"Connection": "close"})
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                answered.append(time.monotonic() - began)
            else:
                wrong.append(str(answer.status))
            connection.close()
        except (OSError, HTTPException) as error:
            wrong.append(repr(error))
        time.sleep(0.01)


threads = [threading.Thread(target=ask) for _ in range(8)]
for thread in threads:
    thread.start()
time.sleep(1)
status = subprocess.run(command).returncode
time.sleep(1)
ended.set()
for thread in threads:
    thread.join()
print(
    json.dumps({"status": status, "answered": len(answered), "longest_s": max(answered), "wrong": wrong[:5]})
)
