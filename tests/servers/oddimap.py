"""A small IMAP server on loopback that plays one odd provider: how it answers LOGIN, ID, EXAMINE, and for one mail."""

import asyncio
import base64
import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field


def letter(number: int) -> bytes:
    """A client's mail."""
    return (
        f"From: Client {number} <client{number}@studio.example>\r\nTo: ada@owner.example\r\nSubject: Mail {number}\r\n"
        f"Message-ID: <{number}@studio.example>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\nThis is {number}.\r\n"
    ).encode()


@dataclass(slots=True, kw_only=True)
class OddImap:
    """`damaged`: uid -> how its FETCH is answered: NO, BAD, nil, nothing, bye, silence; "" when it is well again."""

    mails: Mapping[int, bytes] = field(default_factory=dict)
    damaged: dict[int, str] = field(default_factory=dict)
    login: str = "OK done"
    examine: str = "OK [READ-ONLY] done"
    wants_id: bool = False
    list_sizes: str = ""  # the answer to a listing of sizes instead
    capabilities: str = "IMAP4rev1 ID IDLE"
    uidvalidity: int = 1
    log: list[str] = field(default_factory=list)
    secrets: list[tuple[str, str]] = field(default_factory=list)  # (user, password) as they arrived
    fetched: list[int] = field(default_factory=list)
    port: int = 0

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["OddImap"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = _Talk(self, reader, writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await talk.run()
        writer.close()


@dataclass(slots=True)
class _Talk:
    server: OddImap
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    is_known: bool = False

    def say(self, line: str) -> None:
        self.writer.write(line.encode() + b"\r\n")

    async def run(self) -> None:
        self.say("* OK ready")
        while line := (await self.reader.readline()).decode().rstrip("\r\n"):
            self.server.log.append(line)
            tag, _, rest = line.partition(" ")
            name, _, arguments = rest.partition(" ")
            if name.upper() == "UID":
                name, _, arguments = arguments.partition(" ")
                name = f"UID_{name}"
            handler = getattr(self, f"_{name.lower()}", None)
            if handler is None:
                self.say(f"{tag} OK done")
            elif await handler(tag, arguments):
                return
            await self.writer.drain()

    async def _capability(self, tag: str, _: str) -> None:
        self.say(f"* CAPABILITY {self.server.capabilities}")
        self.say(f"{tag} OK done")

    async def _id(self, tag: str, _: str) -> None:
        self.is_known = True
        self.say('* ID ("name" "odd")')
        self.say(f"{tag} OK done")

    async def _login(self, tag: str, arguments: str) -> None:
        words = [await self._word(word) for word in re.findall(r'\{\d+\}|"(?:[^"\\]|\\.)*"|\S+', arguments)]
        if len(words) == 1:  # the second literal's length comes with the first literal's line
            words.append(await self._word((await self.reader.readline()).decode().strip()))
            await self.reader.readline()
        self.server.secrets.append((words[0], words[1]))
        self.say(f"{tag} {self._echoed(arguments)}")

    async def _authenticate(self, tag: str, _: str) -> None:
        self.say("+ ")
        await self.writer.drain()
        given = (await self.reader.readline()).decode().strip()
        _, user, password = base64.b64decode(given).decode().split("\0")
        self.server.secrets.append((user, password))
        self.say(f"{tag} {self._echoed(given)}")

    def _echoed(self, arguments: str) -> str:
        return self.server.login.replace("ECHO", arguments)

    async def _word(self, word: str) -> str:
        if match := re.fullmatch(r"\{(\d+)\}", word):
            self.say("+ go on")
            await self.writer.drain()
            return (await self.reader.readexactly(int(match[1]))).decode()
        return re.sub(r"\\(.)", r"\1", word[1:-1]) if word.startswith('"') else word

    async def _examine(self, tag: str, _: str) -> None:
        if self.server.wants_id and not self.is_known:
            self.say(f"{tag} NO EXAMINE Unsafe Login. Please contact kefu@provider.example for help")
            return
        last = max(self.server.mails, default=0)
        self.say(f"* {len(self.server.mails)} EXISTS")
        self.say(f"* OK [UIDVALIDITY {self.server.uidvalidity}] valid")
        self.say(f"* OK [UIDNEXT {last + 1}] next")
        self.say(f"{tag} {self.server.examine}")

    async def _uid_search(self, tag: str, arguments: str) -> None:
        uids = sorted(self.server.mails)
        if match := re.search(r"UID (\d+)(:\*)?", arguments):
            least = int(match[1])
            uids = [uid for uid in uids if (uid >= least if match[2] else uid == least)] or (
                uids[-1:] if match[2] else []
            )
        self.say(" ".join(["* SEARCH", *map(str, uids)]))
        self.say(f"{tag} OK done")

    async def _uid_fetch(self, tag: str, arguments: str) -> bool:
        uids = [int(uid) for uid in arguments.partition(" ")[0].split(",")]
        if "RFC822.SIZE" in arguments:
            return self._sizes(tag, uids)
        for uid in uids:
            self.server.fetched.append(uid)
            how, content = self.server.damaged.get(uid, ""), self.server.mails.get(uid)
            if how in {"NO", "BAD"}:
                self.say(f"{tag} {how} [SERVERBUG] Internal error occurred")
                return False
            if how in {"bye", "silence"}:
                return await self._leave(how)
            if how == "nil":
                self.say(f"* {uid} FETCH (UID {uid} BODY[] NIL)")
            elif content is not None and not how:
                self.writer.write(
                    f"* {uid} FETCH (UID {uid} BODY[] {{{len(content)}}}\r\n".encode() + content + b")\r\n"
                )
        self.say(f"{tag} OK done")
        return False

    async def _leave(self, how: str) -> bool:
        if how == "silence":
            await self.reader.read()  # until the other side gives up
        return True

    def _sizes(self, tag: str, uids: list[int]) -> bool:
        for uid in uids:
            if uid in self.server.mails and not self.server.list_sizes:
                size = len(self.server.mails[uid])
                date = "23-Nov-2026 10:00:00 +0000"
                self.say(f'* {uid} FETCH (UID {uid} RFC822.SIZE {size} INTERNALDATE "{date}")')
        self.say(f"{tag} {self.server.list_sizes or 'OK done'}")
        return False

    async def _idle(self, tag: str, _: str) -> None:
        self.say("+ idling")
        await self.writer.drain()
        await self.reader.readline()
        self.say(f"{tag} OK done")

    async def _logout(self, tag: str, _: str) -> bool:
        self.say("* BYE")
        self.say(f"{tag} OK done")
        return True
