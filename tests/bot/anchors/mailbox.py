"""A mail server on this machine that keeps what it takes, with STARTTLS and a login if wanted."""

import asyncio
import base64
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

HANG_UP_SECONDS = 10.0
LOGIN = base64.b64encode(b"\0interlock\0a password of mail").decode()


@dataclass
class Mailbox:
    """What was taken.

    `refuses` answers a command with something else: the whole of it in small letters, or its
    first word in capitals. Pythons differ in how they write the words between.
    """

    tls: ssl.SSLContext | None = None
    refuses: dict[str, str] = field(default_factory=dict)
    taken: list[EmailMessage] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    address: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak with one client until it hangs up."""
        try:
            await self._speak(reader, writer)
        finally:
            writer.close()

    async def _speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._say(writer, "220 here")
        while line := (await reader.readline()).decode().strip():
            verb = line.partition(" ")[0].upper()
            self.said.append(line)
            if refusal := self.refuses.get(line.lower()) or self.refuses.get(verb):
                await self._say(writer, refusal)
            elif verb == "EHLO":
                await self._say(writer, f"250-here\r\n250 {self._offers(writer)}")
            elif verb == "STARTTLS" and self.tls is not None:
                await self._say(writer, "220 go on")
                await writer.start_tls(self.tls)
            elif verb == "AUTH":
                await self._say(writer, "235 fine" if line.endswith(LOGIN) else "535 no")
            elif verb == "DATA":
                await self._say(writer, "354 go on")
                await self._take(reader)
                await self._say(writer, "250 2.0.0 Ok: queued as 4Fb1")
            else:
                await self._say(writer, "221 bye" if verb == "QUIT" else "250 fine")

    def _offers(self, writer: asyncio.StreamWriter) -> str:
        is_safe = writer.get_extra_info("sslcontext") is not None
        return "AUTH PLAIN" if is_safe or self.tls is None else "STARTTLS"

    async def _take(self, reader: asyncio.StreamReader) -> None:
        whole = await reader.readuntil(b"\r\n.\r\n")
        content = whole.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
        found = message_from_bytes(content, policy=policy.default)
        assert isinstance(found, EmailMessage)
        self.taken.append(found)

    @staticmethod
    async def _say(writer: asyncio.StreamWriter, words: str) -> None:
        writer.write(f"{words}\r\n".encode())
        await writer.drain()


@contextmanager
def receiving(mailbox: Mailbox) -> Iterator[Mailbox]:
    """Let `mailbox` receive on a port of this machine."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(mailbox.serve, "127.0.0.1", 0))
    mailbox.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield mailbox
    finally:
        asyncio.run_coroutine_threadsafe(_ended(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _ended(server: asyncio.Server) -> None:
    """Take nobody any more, and let those who are spoken with hang up."""
    server.close()
    talks = asyncio.all_tasks() - {asyncio.current_task()}
    if talks:
        _, lasting = await asyncio.wait(talks, timeout=HANG_UP_SECONDS)
        for one in lasting:
            one.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
    await asyncio.sleep(0)  # The lines end with the next turn.
