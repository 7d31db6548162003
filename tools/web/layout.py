"""HTML laid out as its writer saw it, line by line: what a person typed into a mail program, blank lines and all.

`markup.html_to_text` shows any page; this is for the words of an answer, where a blank line too many would reach a
client. Block elements begin a line, `<br>` ends one, a paragraph has the margins it states (Outlook's have none), an
empty block is a blank line. Text that is struck out stands between `~~`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_BLOCKS = frozenset((
    "address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset", "figure",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre",
    "section", "table", "tbody", "tfoot", "thead", "tr", "ul",
))  # fmt: skip
_WITH_MARGIN = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "dl", "ul", "ol"))
_STRIKES = frozenset(("s", "strike", "del"))
_LINE_THROUGH = re.compile(r"text-decoration[\w-]*\s*:[^;]{0,200}line-through", re.IGNORECASE)
_MARGIN = re.compile(r"(?:^|;)\s*margin(-top|-bottom)?\s*:\s*([^;!]{1,60})", re.IGNORECASE)
_CELLS = ("td", "th")
_LISTS = ("ol", "ul")
_NO_MARGIN_CLASSES = re.compile(r"(?:^|\s)(?:Mso\w+|xMso\w+|x_Mso\w+|elementToProof|ContentPasted\d*)(?:\s|$)")
_BLANK = "\xa0"


@dataclass(slots=True)
class _Page:
    """The lines so far, and the line that is being filled."""

    lines: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    margin: int = 0  # blank lines that are due before the next line
    struck: int = 0
    lists: list[int] = field(default_factory=list)  # the open lists: the last number of each, -1 without numbers

    def text(self, words: str, *, kept: bool = False) -> None:
        """Words of the current line; white space is one blank unless it is kept."""
        if kept:
            first, *lines = words.replace("\r\n", "\n").split("\n")
            self._word(first)
            for line in lines:
                self.end()
                self._word(line)
            return
        bare = re.sub(r"[ \t\n\r\f]+", " ", words)
        if bare == " " and not self.line:
            return
        self._word(bare.lstrip(" ") if not self.line or self.line[-1].endswith(" ") else bare)

    def _word(self, words: str) -> None:
        if words:
            self.line.append(_struck(words) if self.struck else words)

    def end(self) -> None:
        """End the current line, even an empty one. A blank line takes the margins beside it."""
        line = "".join(self.line).replace(_BLANK, " ").rstrip()
        if line and self.margin and self.lines and self.lines[-1]:
            self.lines += [""] * self.margin
        self.margin, self.line = 0, []
        self.lines.append(line)

    def close(self) -> None:
        """End the current line when something stands in it."""
        if self.line:
            self.end()

    def leave(self, margin: int) -> None:
        """Margins of neighbours collapse: the larger one counts."""
        self.margin = max(self.margin, margin)


def _struck(words: str) -> str:
    bare = words.strip(f" {_BLANK}").replace("~~", "")
    return words.replace(words.strip(f" {_BLANK}"), f"~~{bare}~~", 1) if bare else words


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the page's style sheets say of paragraphs and strikes."""

    flat: frozenset[str] = frozenset()  # "p", "p.p1", ".x": no margin
    struck: frozenset[str] = frozenset()


_RULE = re.compile(r"(?<![^{}])([^{}]{1,500})\{([^{}]{0,2000})\}")


def sheet_of(styles: list[str]) -> Sheet:
    """The plain selectors (`p`, `p.p1`, `.s1`) whose rules take the margins away or strike text out."""
    flat: set[str] = set()
    struck: set[str] = set()
    for style in styles:
        for selectors, rules in _RULE.findall(re.sub(r"<!--|-->|/\*[^*]{0,2000}\*/", " ", style[:50_000]))[:300]:
            names = {name.strip().lower() for name in selectors.split(",")}
            if _states_no_margin(rules):
                flat |= names
            if _LINE_THROUGH.search(rules):
                struck |= names
    return Sheet(frozenset(flat), frozenset(struck))


def _states_no_margin(style: str) -> bool:
    """Whether the style takes away the blank line above and below a paragraph."""
    sides = {"-top": "", "-bottom": ""}
    for side, value in _MARGIN.findall(style):
        parts = value.split()
        if side:
            sides[side.lower()] = parts[0]
        else:
            sides = {"-top": parts[0], "-bottom": parts[2] if len(parts) > 2 else parts[0]}  # noqa: PLR2004
    return all(side and _is_small(side) for side in sides.values())


def _is_small(size: str) -> bool:
    number = re.match(r"(\d{0,4}\.?\d{0,6})(px|pt|em|rem|cm|mm|in)?", size.strip().lower())
    if number is None or not re.search(r"\d", number[1]):
        return False
    most = {"px": 4.0, "pt": 3.0, "em": 0.3, "rem": 0.3, "cm": 0.1, "mm": 1.0, "in": 0.04}
    return float(number[1]) <= most.get(number[2] or "px", 0.0)


def laid_out(body: "LexborNode", sheet: Sheet) -> str:
    """The text of the body, a line for each line that its writer saw."""
    page = _Page()
    for node, opens in _walk(body):
        if node.tag == "-text":
            if opens:
                page.text(node.text_content or "", kept=_is_kept(node))
        elif opens:
            _open(node, page, sheet)
        else:
            _close(node, page, sheet)
    page.close()
    return "\n".join(page.lines).strip("\n")


def _walk(top: "LexborNode") -> Iterator[tuple["LexborNode", bool]]:
    """Every node on the way in and on the way out, without recursion: mail is nested as deep as it likes."""
    stack: list[tuple[LexborNode, bool]] = [(top, True)]
    while stack:
        node, opens = stack.pop()
        yield node, opens
        if opens and node.tag != "-text":
            stack.append((node, False))
            children = list(node.iter(include_text=True))
            stack.extend((child, True) for child in reversed(children))


def _is_kept(node: "LexborNode") -> bool:
    """Whether white space counts where this text stands."""
    parent = node.parent
    for _ in range(4):
        if parent is None:
            return False
        if parent.tag == "pre" or re.search(
            r"white-space\s*:\s*(?:pre|break-spaces)", parent.attributes.get("style") or "", re.IGNORECASE
        ):
            return True
        parent = parent.parent
    return False


def _open(node: "LexborNode", page: _Page, sheet: Sheet) -> None:
    tag = node.tag or ""
    if tag == "br":
        page.end()
    elif tag in _BLOCKS:
        page.close()
        page.leave(_margin(node, sheet))
        if tag in _LISTS:
            page.lists.append(0 if tag == "ol" else -1)
        elif tag == "li":
            page.text(_bullet(page))
    elif tag in _CELLS and page.line:
        page.text("  ", kept=True)
    elif tag == "a" and _target(node):
        page.text("[")
    elif tag == "img":
        page.text(_emoji(node))
    page.struck += is_struck(node, sheet)


def _close(node: "LexborNode", page: _Page, sheet: Sheet) -> None:
    page.struck -= is_struck(node, sheet)
    if node.tag == "a" and (target := _target(node)):
        page.text(f"]({target})")
    if node.tag in _BLOCKS:
        page.close()
        if node.tag in _LISTS and page.lists:
            page.lists.pop()
        page.leave(_margin(node, sheet))


def _emoji(node: "LexborNode") -> str:
    """What a picture of an emoji means: a mail program puts the sign itself into `alt`."""
    alt = (node.attributes.get("alt") or "").strip()
    return alt if 0 < len(alt) <= 8 and not any(sign.isalnum() for sign in alt) else ""  # noqa: PLR2004


def _target(node: "LexborNode") -> str:
    """Where a link leads, "" when its words say so themselves."""
    target = (node.attributes.get("href") or "").strip()
    label = _letters(node.text() or "")
    is_redundant = not label or label in _letters(target) or not target.startswith(("http://", "https://"))
    return "" if is_redundant else target


def _letters(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def _bullet(page: _Page) -> str:
    if not page.lists or page.lists[-1] < 0:
        return "- "
    page.lists[-1] += 1
    return f"{page.lists[-1]}. "


def _margin(node: "LexborNode", sheet: Sheet) -> int:
    if node.tag not in _WITH_MARGIN:
        return 0
    style, names = node.attributes.get("style") or "", node.attributes.get("class") or ""
    if _MARGIN.search(style):
        return 0 if _states_no_margin(style) else 1
    if _NO_MARGIN_CLASSES.search(names) or _matches(node, sheet.flat):
        return 0
    return 0 if node.tag in _LISTS else 1


def _matches(node: "LexborNode", selectors: frozenset[str]) -> bool:
    if not selectors:
        return False
    names = (node.attributes.get("class") or "").lower().split()
    tag = node.tag or ""
    return tag in selectors or any(f"{tag}.{name}" in selectors or f".{name}" in selectors for name in names)


def is_struck(node: "LexborNode", sheet: Sheet) -> bool:
    """Whether this element strikes its text out."""
    if node.tag in _STRIKES:
        return True
    style = node.attributes.get("style") or ""
    names = node.attributes.get("class") or ""
    return bool(_LINE_THROUGH.search(style)) or "MsoDel" in names or _matches(node, sheet.struck)
