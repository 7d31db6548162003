"""Uses of folders: sent, junk, drafts, trash; stated by the server, else guessed by what mail programs call them."""

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from tools.mail.imap import Connection, No
from tools.mail.reading.folder_names import Folder

# What mail programs call these folders where the server does not say, in lower case.
_USUAL_NAMES = {
    "sent": (
        "sent, sent items, sent messages, sent mail, sent-mail, gesendet, gesendete objekte, gesendete elemente, "
        "envoyés, éléments envoyés, messages envoyés, enviados, elementos enviados, itens enviados, mensajes enviados, "
        "correo enviado, posta inviata, inviati, inviata, verzonden, verzonden items, verzonden objecten, wysłane, "
        "elementy wysłane, skickat, skickade objekt, sendt, sendte elementer, sendt post, lähetetyt, odeslané, "
        "odeslaná pošta, odoslané, elküldött, elküldött elemek, trimise, elemente trimise, απεσταλμένα, изпратени, "
        "отправленные, надіслані, gönderilmiş öğeler, gönderilenler, gönderilmiş, poslano, poslane stavke, 已发送, "
        "已发送邮件, 寄件備份, 送信済み, 送信済みアイテム, 送信済みメール, 보낸 편지함, פריטים שנשלחו, "
        "العناصر المرسلة, المرسلة"
    ),
    "junk": (
        "junk, spam, junk e-mail, junk email, bulk mail, spamverdacht, unerwünscht, pourriel, courrier indésirable, "
        "indésirables, correo no deseado, no deseado, lixo eletrónico, lixo eletrônico, posta indesiderata, "
        "ongewenst, ongewenste e-mail, wiadomości-śmieci, skräppost, søppelpost, uønsket mail, roskaposti, "
        "nevyžádaná pošta, levélszemét, спам, нежелательная почта, önemsiz, önemsiz e-posta, "
        "迷惑メール, 垃圾邮件, 정크 메일"
    ),
    "drafts": (
        "drafts, draft, entwürfe, brouillons, borradores, rascunhos, bozze, concepten, wersje robocze, szkice, utkast, "
        "kladder, luonnokset, koncepty, piszkozatok, ciorne, πρόχειρα, черновики, чернетки, taslaklar, 下書き, 草稿, "
        "임시 보관함"
    ),
    "trash": "trash, deleted items, deleted messages, papierkorb, gelöscht, corbeille, papelera, cestino, prullenbak",
}
_BY_NAME = {name: use for use, names in _USUAL_NAMES.items() for name in names.split(", ")}

_ROOTS = frozenset({"inbox", "mail", "folders", "private", "personal"})
"""Where servers put all folders of a user."""
_BRACKETED = re.compile(r"\[[^\[\]]+\]")  # "[Gmail]", "[Google Mail]"
_OTHERS = frozenset({"user", "users", "other users", "otherusers", "public", "publicfolders", "shared"})
_SHARED = re.compile(r"(?:other users?|public|shared|andere benutzer|autres utilisateurs|otros usuarios)\b")
"""What other people's folders lie below where a server does not say it (Cyrus, Dovecot, Exchange, Courier)."""


def list_folders(connection: Connection) -> list[Any]:
    says_use = {"SPECIAL-USE", "LIST-EXTENDED"} <= set(connection.capabilities)
    return connection.ask(connection.list, '""', "* RETURN (SPECIAL-USE)" if says_use else "*")


def list_namespaces(connection: Connection) -> list[Any]:
    if "NAMESPACE" not in connection.capabilities:
        return []
    try:
        return connection.ask(connection.namespace)
    except No:
        return []


def guessed_uses(folders: tuple[Folder, ...], spaces: Mapping[str, bool] = MappingProxyType({})) -> tuple[Folder, ...]:
    """The folders with what each is for to this user; somebody else's Sent folder proves nothing about the owner."""
    cleared_folders = tuple(folder if _is_own(folder, spaces) else replace(folder, use="") for folder in folders)
    stated_uses = {folder.use for folder in cleared_folders}
    return tuple(
        replace(folder, use=use)
        if not folder.use and (use := _by_name(folder, spaces)) and use not in stated_uses
        else folder
        for folder in cleared_folders
    )


def _by_name(folder: Folder, spaces: Mapping[str, bool]) -> str:
    """What its name says, where the server states nothing: of a folder on top, or right below where users' folders lie.

    "Trash/Sent" is what somebody threw away.
    """
    *above, last = _names(folder)
    on_top = not above or (len(above) == 1 and (above[0] in _ROOTS or _BRACKETED.fullmatch(above[0])))
    return _BY_NAME.get(last, "") if on_top and _is_own(folder, spaces) else ""


def _is_own(folder: Folder, spaces: Mapping[str, bool]) -> bool:
    """Whether it lies in the user's own namespace; where the server names none, whether its name says nothing else."""
    raw = folder.raw.lower()
    prefixes = [
        prefix for prefix in spaces if raw.startswith(prefix.lower()) and (prefix or not raw.startswith("inbox"))
    ]
    if prefixes and not spaces[max(prefixes, key=len)]:
        return False
    first, *below = _names(folder)
    return not (first.startswith(("#", "~")) or (below and (first in _OTHERS or _SHARED.match(first))))


def _names(folder: Folder) -> list[str]:
    names = folder.name.split(folder.delimiter) if folder.delimiter else [folder.name]
    return [name.strip().lower() for name in names]
