"""Mail whose text Deskhand cannot read: encrypted, or packed into a container. Signed mail is read like any other."""

import re

from workflows.models.mail import Attachment, Email
from workflows.rules.mail.replying import written
from workflows.rules.text.words import fold

ENCRYPTED = "it is encrypted"
_TNEF = "its text lies in winmail.dat"
_SIGNED = "its text lies inside a signature file (smime.p7m)"
_PGP = re.compile(r"^-----BEGIN PGP MESSAGE-----", re.MULTILINE)
_READ = 200_000
_PKCS7 = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_PORTALS = re.compile(
    r"message(?:_v\d)?\.rpmsg|securedoc[\w-]*\.html?|encrypted[_ -]?(?:message|mail)\.html?|.*\.pgp\.html?"
)


def sealed(email: Email) -> str:
    """Why its text cannot be read ("it is encrypted"), or ""."""
    text = written(email.text[:_READ])
    if _PGP.search(text) or _wholly_encrypted(email):
        return ENCRYPTED
    if text.strip():
        return ""
    reasons = (_sealed_in(email, file) for file in email.attachments)
    return next((reason for reason in reasons if reason), "")


def _wholly_encrypted(email: Email) -> bool:
    """By its outermost type: a gateway's footer may stand beside it all the same."""
    content_type = fold(email.header("content-type")[:2000])
    if content_type.startswith("multipart/encrypted"):
        return True
    kinds = {file.content_type for file in email.attachments}
    return "application/pgp-encrypted" in kinds or (
        content_type.startswith(_PKCS7) and not _is_signed(content_type, "")
    )


def _sealed_in(email: Email, file: Attachment) -> str:
    name = fold(file.name)
    if file.content_type in _PKCS7 or name == "smime.p7m":
        return _SIGNED if _is_signed(fold(email.header("content-type")[:2000]), name) else ENCRYPTED
    if file.content_type in ("application/pgp-encrypted", "application/x-microsoft-rpmsg-message"):
        return ENCRYPTED
    if _PORTALS.fullmatch(name) or (
        name.endswith((".asc", ".pgp", ".gpg")) and file.content_type != "application/pgp-keys"
    ):
        return ENCRYPTED if file.content_type != "application/pgp-signature" else ""
    if file.content_type in ("application/ms-tnef", "application/vnd.ms-tnef") or name == "winmail.dat":
        return _TNEF
    return ""


def _is_signed(stated: str, name: str) -> bool:
    return "smime-type=signed-data" in stated.replace('"', "").replace(" ", "") or name.endswith(".p7s")
