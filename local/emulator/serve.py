"""Starts the emulator on a Unix socket.

    serve.py --socket PATH

The emulator's own command listens on a TCP port, which every web page and every user of the machine can reach. Only
the owner of the socket can connect to it. The emulator reads its settings from environment variables. Run this program
in the emulator's environment, which has Hypercorn. On SIGTERM, it saves its state and stops.
"""

import argparse
import asyncio
import resource

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app


def configuration(socket: str) -> Config:
    """Returns the web server's configuration."""
    config = Config()
    config.bind = [f"unix:{socket}"]
    # Only the owner can connect to the socket.
    config.umask = 0o077
    # Longer than local-guard keeps idle connections, so that it never sends a request on a closing connection.
    config.keep_alive_timeout = 75
    # Connections that wait for a busy emulator. The kernel can have a lower limit.
    config.backlog = 4096
    # Saving a large library takes longer than the default of 60 seconds.
    config.shutdown_timeout = 290
    return config


def allow_many_connections() -> None:
    """Raises the limit of open files to the maximum of this process, because each connection is an open file."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> None:
    """Runs the command line described above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--socket", required=True)
    arguments = parser.parse_args()
    allow_many_connections()
    asyncio.run(serve(app, configuration(arguments.socket)))


if __name__ == "__main__":
    main()
