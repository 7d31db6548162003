"""Parts of a draft that an answer names: which files and proposals it means, looked up before its case is told.

A file is taken here, its bytes in the blobs before the answer is in the ledger: what is shown next is what lay there.
"""

from dataclasses import dataclass, replace

from memory.ledger import Ledger
from memory.record.blobs import Blobs
from tools.files.reader import FileReader
from workflows.errors import Permanent
from workflows.models.decisions import Attach, Decision, Edit, Reject, Revise, Unclear, Without
from workflows.models.drafts import Outgoing
from workflows.models.mail import Attachment, Email
from workflows.models.people import Owner
from workflows.ports import Filing
from workflows.rules.answers.grammar import grammar_of
from workflows.rules.answers.parts import pieces, struck_names
from workflows.rules.desk.invited import wished_reaction
from workflows.rules.files.carried import joined, too_large
from workflows.rules.text.canonical import one_line

_MOST_NAMED = 12
_LONGEST_WISH = 200
_NOTHING_SENT = "so nothing was attached or sent."


@dataclass(frozen=True, slots=True)
class NamedParts:
    """Looks up what the owner's words mean among the files of the home and the parts of the version they speak of."""

    ledger: Ledger
    filing: Filing
    reader: FileReader
    blobs: Blobs
    owner: Owner

    def resolved(self, decision: Decision, email: Email | None, case: int, version: int) -> Decision:
        """The decision with its files taken and its parts named; a question where that cannot be done.

        `email`: the answer, for files that lay with it.
        """
        if isinstance(decision, Without):
            return self._left_out(decision, self.ledger.outgoing(case, version) if version else None)
        if not isinstance(decision, Attach | Edit | Revise):
            return decision
        try:
            files = self._enclosed(decision.files, email)
            if isinstance(decision, Attach):
                files = (*files, *(self._named(piece) for piece in pieces(decision.words)))
            elif isinstance(decision, Revise):
                files = (*files, *map(self.filing.take, self.filing.file_candidates(decision.wishes)))
            self._require_room(files, case, version)
        except Permanent as error:
            return Unclear(question=str(error))
        return replace(decision, files=files)

    def as_wish(self, decision: Reject, words: str, case: int) -> Decision:
        """The same, unless "decline" means the invitation that the mail carries, and not its draft."""
        invitation = self.ledger.brief_of(case).invitation
        if invitation is None or not invitation.asks or wished_reaction(words, self.owner.language) != "declined":
            return decision
        return Revise(wishes=one_line(words, _LONGEST_WISH))

    def _left_out(self, decision: Without, outgoing: Outgoing | None) -> Decision:
        names = struck_names(decision.parts, outgoing, grammar_of(self.owner)) if outgoing else ()
        return replace(decision, names=names) if names else Revise(wishes=decision.words)

    def _enclosed(self, files: tuple[Attachment, ...], email: Email | None) -> tuple[Attachment, ...]:
        """The files that lay with the answer, read out of it and kept."""
        if email is None:
            return ()
        for file in files:
            if problem := too_large([file]):
                raise Permanent(f"{one_line(file.name, 80)} cannot be attached: {problem} Nothing was sent.")
            try:
                self.blobs.put(self.reader.content(self.blobs.get(email.blob), file))
            except (Permanent, KeyError):
                raise Permanent(
                    f"{one_line(file.name, 80)} could not be read out of your answer, {_NOTHING_SENT} Put it into the "
                    'folder "files" of the home and answer "attach" with its name.'
                ) from None
        return files

    def _named(self, words: str) -> Attachment:
        names = self.filing.meant_by(words)
        if len(names) == 1:
            return self.filing.take(names[0])
        called = one_line(words, 80)
        if names:
            raise Permanent(
                f'"{called}" may mean {", ".join(names[:_MOST_NAMED])}, {_NOTHING_SENT} Answer "attach" with one of '
                "these names."
            )
        listed = ", ".join(self.filing.names()[:_MOST_NAMED])
        there = f"There are: {listed}." if listed else 'The folder "files" of the home is empty.'
        raise Permanent(f'There is no file "{called}", {_NOTHING_SENT} {there}')

    def _require_room(self, files: tuple[Attachment, ...], case: int, version: int) -> None:
        carried = self.ledger.outgoing(case, version).attachments if version and files else ()
        if problem := too_large(joined(carried, files)):
            raise Permanent(f"{problem[:1].upper()}{problem[1:]} Nothing was attached or sent.")
