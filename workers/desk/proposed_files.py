"""Files that an agent proposes: `file.attach` names one, and what is attached is what lies under that name now."""

import asyncio
from dataclasses import dataclass, replace

from workflows.errors import Permanent
from workflows.models.drafts import Brief, Draft
from workflows.models.mail import Attachment
from workflows.models.proposals import Proposal
from workflows.ports import Drafting, Filing
from workflows.rules.asking.proposed import ATTACH
from workflows.rules.files.carried import joined, too_large


@dataclass(frozen=True, slots=True)
class FileProposals:
    """Drafts as `drafting` does; each `file.attach` becomes a file of the version, or a reason why it is none."""

    drafting: Drafting
    filing: Filing

    async def draft(self, brief: Brief, version: int, wishes: str, previous: str) -> Draft:
        """As `Drafting` says."""
        draft = await self.drafting.draft(brief, version, wishes, previous)
        proposed = [proposal for proposal in draft.proposals if proposal.tool == ATTACH]
        if not proposed:
            return draft
        files, reasons = await asyncio.to_thread(self._taken, proposed, joined(brief.offered, draft.attachments))
        others = tuple(proposal for proposal in draft.proposals if proposal.tool != ATTACH)
        return replace(draft, attachments=files, proposals=others, why=(*draft.why, *reasons))

    def _taken(
        self, proposed: list[Proposal], files: tuple[Attachment, ...]
    ) -> tuple[tuple[Attachment, ...], list[str]]:
        reasons = []
        for proposal in proposed:
            name = str(dict(proposal.arguments).get("name", ""))
            try:
                more = joined(files, [self.filing.take(name)])
            except Permanent as error:
                reasons.append(f"Not attached: {error}")
                continue
            if problem := too_large(more):
                reasons.append(f"Not attached: {name}: {problem}")
            else:
                files = more
        return files, reasons
