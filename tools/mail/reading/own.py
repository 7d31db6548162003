"""The only changes ever made to what lies in the mailbox: our own drafts taken away, our own mails moved.

Each is done to one mail by its UID, after its bytes were compared with what we know to be ours; nothing else in the
folder is touched, what its owner has marked as deleted included.
"""

from tools.mail.imap import Connection, No
from tools.mail.reading.folder_names import encode_name, quote
from workflows.errors import NeedsOwner
from workflows.models.mail import RawMail


def take_away(connection: Connection, mail: RawMail) -> bool:
    """Delete this very mail; False when it is gone, not the same, or the server cannot delete just one."""
    if "UIDPLUS" not in connection.capabilities:
        return False  # a plain EXPUNGE would also remove what the owner marked as deleted
    try:
        if not _is_there(connection, mail):
            return False
        _delete(connection, mail.uid)
    finally:
        _leave(connection, mail.folder)
    return True


def move(connection: Connection, mail: RawMail, to: str) -> bool:
    """Move this very mail into another folder; False as with `take_away`."""
    can_move = "MOVE" in connection.capabilities
    if not can_move and "UIDPLUS" not in connection.capabilities:
        return False
    target = quote(encode_name(to))
    try:
        if not _is_there(connection, mail):
            return False
        if can_move:
            connection.ask(connection.uid, "MOVE", str(mail.uid), target)
        else:
            connection.ask(connection.uid, "COPY", str(mail.uid), target)
            _delete(connection, mail.uid)
    finally:
        _leave(connection, mail.folder)
    return True


def create(connection: Connection, folder: str) -> None:
    """Make a folder; one that is there is fine.

    Raises:
        NeedsOwner: the server does not let us.
    """
    try:
        connection.ask(connection.create, quote(encode_name(folder)))
    except No as no:
        if no.code == "ALREADYEXISTS":
            return
        problem = f"The server does not make a folder {folder!r}: {no}"
        raise NeedsOwner(problem, 'Make it in your mail program, or set approval.tidy = "off".') from no


def _is_there(connection: Connection, mail: RawMail) -> bool:
    """Open the folder for writing and compare the mail under that UID byte for byte."""
    connection.ask(connection.select, quote(encode_name(mail.folder)))
    data = connection.response("UIDVALIDITY")[1]
    if not data or str(mail.uidvalidity).encode() not in data[-1]:
        return False
    answer = connection.ask(connection.uid, "FETCH", str(mail.uid), "(UID BODY.PEEK[])")
    connection.forget_untagged()
    return any(isinstance(item, tuple) and bytes(item[1]) == mail.content for item in answer)


def _delete(connection: Connection, uid: int) -> None:
    connection.ask(connection.uid, "STORE", str(uid), "+FLAGS.SILENT", "(\\Deleted)")
    connection.ask(connection.uid, "EXPUNGE", str(uid))


def _leave(connection: Connection, folder: str) -> None:
    # Opened anew for reading alone: CLOSE would expunge whatever the owner has marked as deleted.
    connection.ask(connection.examine, quote(encode_name(folder)))
    connection.forget_untagged()
