"""An `interlock` for shells that starts at once, since whoever it asks has imported it already.

The program in the folder is a client of a few lines: it hands its words, its surroundings and
its three streams over, and ends as the process ends that was forked for them.
"""

import json
import os
import socket
import socketserver
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.forked import begin

MOST = 1 << 20

CLIENT = """#!{python} -ISs
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as line:
    line.connect({address!r})
    words = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
    socket.send_fds(line, [words], [0, 1, 2])
    line.shutdown(socket.SHUT_WR)
    sys.exit(int(line.recv(16)))
"""


class _OneCommand(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        first, streams, _, _ = socket.recv_fds(self.request, MOST, 3)
        parts = [first]
        while more := self.request.recv(MOST):
            parts.append(more)
        words, env, folder = json.loads(b"".join(parts))
        process = begin(words, env=env, folder=Path(folder), streams=streams)
        for one in streams:
            os.close(one)
        process.join()
        self.request.sendall(str(process.exitcode).encode())


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@contextmanager
def quick_program(folder: Path) -> Iterator[Path]:
    """Give a folder in which `interlock` stands, to be put at the front of a path."""
    address, program = folder / "asked", folder / "interlock"
    program.write_text(CLIENT.format(python=sys.executable, address=str(address)))
    program.chmod(0o700)
    with _Server(str(address), _OneCommand) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        yield folder
        server.shutdown()
        serving.join()


__all__ = ["quick_program"]
