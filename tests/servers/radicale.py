"""A real CalDAV server as a process of its own: Radicale, with one user and the calendars that a test puts there.

with RadicaleServer(folder) as server:
    server.put("work", "review", event_text)
    CalDav(url=server.url, user=server.user, password=server.password, ...)
"""

import json
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.patience import PATIENCE

USER, PASSWORD = "ada", "geheim und länger"


class RadicaleServer:
    """Listens on loopback while the `with` block lasts; `folder` holds its configuration and its calendars."""

    def __init__(self, folder: Path) -> None:
        self.user, self.password = USER, PASSWORD
        self._folder = folder
        self._collections = folder / "collections" / "collection-root" / USER
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self._process: subprocess.Popen[bytes] | None = None

    def put(self, calendar: str, name: str, text: str, components: str = "VEVENT") -> None:
        """One event into a calendar, which is made when it is not there."""
        folder = self._collections / calendar
        folder.mkdir(parents=True, exist_ok=True)
        tags = {"tag": "VCALENDAR", "C:supported-calendar-component-set": components}
        (folder / ".Radicale.props").write_text(json.dumps(tags), "utf-8")
        (folder / f"{name}.ics").write_text(text, "utf-8", newline="")

    def __enter__(self) -> Self:
        self._collections.mkdir(parents=True, exist_ok=True)
        users, config = self._folder / "users", self._folder / "config"
        users.write_text(f"{USER}:{PASSWORD}\n", "utf-8")
        config.write_text(
            f"[server]\nhosts = 127.0.0.1:{self.port}\n"
            f"[auth]\ntype = htpasswd\nhtpasswd_filename = {users}\nhtpasswd_encryption = plain\ndelay = 0\n"
            f"[storage]\nfilesystem_folder = {self._folder / 'collections'}\n",
            "utf-8",
        )
        self._process = subprocess.Popen(
            [sys.executable, "-m", "radicale", "--config", str(config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert self._process.stderr
        lines = iter(self._process.stderr.readline, b"")
        assert any(b"server ready" in line for line in lines), "Radicale did not come up"
        self._log = threading.Thread(target=lambda: [*lines], daemon=True)  # it must not fill the pipe
        self._log.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._log.join(PATIENCE)
        if self._process.stderr:
            self._process.stderr.close()
