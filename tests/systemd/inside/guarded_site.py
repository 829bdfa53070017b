"""A feed at 127.0.0.1:9090 for whoever knows the password. What is posted there is printed."""

from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FEED = b"""<?xml version="1.0"?>
<rss version="2.0"><channel><title>A site</title><link>http://127.0.0.1:9090/</link><description>.</description>
<item><title>Behind a password</title><link>http://127.0.0.1:9090/1</link></item></channel></rss>"""
WANTED = f"Basic {b64encode(b'feedd:hunter2').decode()}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = self.headers.get("Authorization") == WANTED
        self.send_response(200 if known else 401)
        self.send_header("Content-Type", "application/rss+xml")
        self.end_headers()
        if known:
            self.wfile.write(FEED)

    def do_POST(self) -> None:
        print(self.rfile.read(int(self.headers["Content-Length"])).decode(), flush=True)
        self.send_response(200)
        self.end_headers()


ThreadingHTTPServer(("127.0.0.1", 9090), Handler).serve_forever()
