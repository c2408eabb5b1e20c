"""A service with faults, between functions and the real one."""

import http.client
import http.server
import os
import pathlib
import signal
import threading
import urllib.parse
from collections.abc import Callable

# Headers about one connection.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}
# In place of an error: the function that calls is killed.
KILL = "kill the caller"


class FaultyService:
    """Forwards the calls of functions to a service, except those for which `decide` returns an error's name, or KILL."""

    def __init__(self, upstream: str, decide: Callable[[str], str | None]) -> None:
        self.upstream = urllib.parse.urlsplit(upstream).netloc
        self.decide = decide
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """A call."""

            def do_POST(self) -> None:  # The name is that of the method.
                """Answers or forwards it."""
                body = self.rfile.read(int(self.headers["content-length"]))
                error = service.decide(f"{self.headers['x-amz-target']} {body.decode()}")
                if error == KILL:
                    kill(self.client_address[1], self.server.server_address[1])
                elif error:
                    answer = f'{{"__type": "{error}", "message": "a fault of the test"}}'
                    self.answer(400, [("content-type", "application/x-amz-json-1.1")], answer.encode())
                else:
                    connection = http.client.HTTPConnection(service.upstream, timeout=120)
                    connection.request("POST", self.path, body, dict(self.headers.items()))
                    forwarded = connection.getresponse()
                    self.answer(forwarded.status, forwarded.getheaders(), forwarded.read())
                    connection.close()

            def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
                """Sends an answer, and closes the connection."""
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in HOP_BY_HOP:
                        self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.send_header("connection", "close")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Calls are not printed."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Stops it."""
        self.server.shutdown()
        self.server.server_close()


def kill(peer: int, own: int) -> None:
    """Kills the process on this machine that has connected its port `peer` to the port `own` (Linux)."""
    lines = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    # proc(5): local address 1, remote address 2, inode 9.
    [inode] = [of[9] for of in lines if of[1].endswith(f":{peer:04X}") and of[2].endswith(f":{own:04X}")]
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            links = {os.readlink(file) for file in (process / "fd").iterdir()}
        except OSError:
            # It has ended, or belongs to another user.
            continue
        if f"socket:[{inode}]" in links:
            os.kill(int(process.name), signal.SIGKILL)
            return
    raise AssertionError("the caller has gone")
