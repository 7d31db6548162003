"""An answer written in a real mail program: mutt reads the approval mail, and its "ok" is the owner's yes."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.running import House, until
from tests.patience import PATIENCE
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime

_SETTINGS = """
set imap_user="{user}" imap_pass="{password}"
set folder="imap://127.0.0.1:{imap}/" spoolfile="+INBOX" record="+Sent"
set ssl_starttls=no ssl_force_tls=no
set smtp_url="smtp://127.0.0.1:{smtp}/"
set from="{user}" realname="Ada Winter" use_from=yes
set editor="{editor}"
set include=yes fast_reply=yes abort_unmodified=no confirmappend=no wait_key=no mail_check=1
"""


class Mutt:
    """mutt in a terminal of its own: keys in, screen out."""

    def __init__(self, folder: Path, settings: Path) -> None:
        for program in ("mutt", "tmux"):
            if shutil.which(program) is None:
                pytest.fail(f"This test needs {program}. Run: apt-get install -y mutt tmux", pytrace=False)
        self._socket = str(folder / "tmux")
        self._tmux(
            "new-session", "-d", "-x", "120", "-y", "40", f"mutt -F {settings}",
            env={**os.environ, "TERM": "xterm", "HOME": str(folder)},
        )  # fmt: skip

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p").stdout

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def wait(self, words: str) -> None:
        until(lambda: words in self.screen(), 30, f"{words!r} on mutt's screen")

    def close(self) -> None:
        self._tmux("kill-server", check=False)

    def _tmux(self, *words: str, check: bool = True, env: dict[str, str] | None = None):
        return subprocess.run(
            ["tmux", "-S", self._socket, *words], check=check, env=env, capture_output=True, text=True, timeout=PATIENCE
        )


@pytest.fixture
def house(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp) -> Iterator[House]:
    built = House(tmp_path / "home", mailbox, smtp_server)
    yield built
    built.close()


def test_an_ok_written_in_mutt_sends_the_reply(house: House, tmp_path: Path) -> None:
    house.start()
    house.client_writes(1)
    (approval,) = house.wait_approvals(1)
    mutt = Mutt(tmp_path, _settings(house, tmp_path))
    try:
        mutt.wait("[Deskhand 1.1]")
        mutt.press("/", "Deskhand", "Enter")
        mutt.press("r")  # the editor below writes "ok" above the quote, as the owner would
        mutt.wait("Compose")
        mutt.press("y")
        (sent,) = house.wait_sent(1)
    finally:
        mutt.close()
    (answer,) = (mime.parse(stored.content) for stored in house.user.messages("Sent")[:1])
    assert answer.in_reply_to == (approval.message_id,)
    assert sent.recipients == ("maria@studio.example",)
    assert mime.decoded_body(sent.content).strip() in approval.text


def _settings(house: House, folder: Path) -> Path:
    editor = folder / "editor.sh"
    editor.write_text('#!/bin/sh\n{ echo ok; echo; cat "$1"; } > "$1.new" && mv "$1.new" "$1"\n')
    editor.chmod(0o700)
    account = house.user.account()
    settings = folder / "muttrc"
    settings.write_text(
        _SETTINGS.format(
            user=account.user, password=account.password, imap=house.user.server.port, smtp=house.smtp.port,
            editor=editor,
        )
    )  # fmt: skip
    return settings
