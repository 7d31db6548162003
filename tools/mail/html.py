"""HTML mail to text: what a reader would see, hidden text stripped first, links shown as [text](url).

Only the parser's child process calls this; selectolax and inscriptis are imported when the first HTML mail comes.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

CAP = 500_000
"""Characters of HTML that are read; the rest of such a mail is style and tracking."""

_NEVER_SHOWN = "script, style, template, noscript, title, object, svg, [hidden], [aria-hidden=true][style*=none]"
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all"
    r"|(?:^|;)\s*opacity\s*:\s*0?\.?0+\s*(?:%|;|!|$)"
    r"|font-size\s*:\s*0?\.?[01]?(?:px|pt|em|rem|%)?\s*(?:;|!|$)",
    re.IGNORECASE,
)
_NO_SIZE = re.compile(r"(?:^|;)\s*(?:max-)?(?:height|width)\s*:\s*0(?:px|pt|em|%)?\s*(?:;|!|$)", re.IGNORECASE)
_CLIPPED = re.compile(r"overflow\s*:\s*hidden", re.IGNORECASE)
_COLOUR = re.compile(r"(?:^|;)\s*color\s*:\s*([^;!]+)", re.IGNORECASE)
_BACKGROUND = re.compile(r"(?:^|;)\s*background(?:-color)?\s*:\s*([^;!]+)", re.IGNORECASE)
_WHITE = re.compile(r"\s*(?:#fff(?:fff)?|white|rgba?\(\s*255\s*,\s*255\s*,\s*255\s*(?:,\s*1\s*)?\))\s*", re.IGNORECASE)
_RULE = re.compile(r"([^{}]{1,500})\{([^{}]{0,2000})\}")
_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_PLAIN_SELECTOR = re.compile(r"[a-zA-Z0-9 ._#>-]{1,100}")
_RULES_READ = 200
_BLANK_LINES = re.compile(r"\n{3,}")


def to_text(html: str) -> str:
    """The visible text of an HTML mail, LF line ends, no blank line twice."""
    from inscriptis import get_text
    from inscriptis.model.config import ParserConfig
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(html[:CAP])
    _remove_hidden(tree)
    words = tree.body.text(separator=" ") if tree.body else ""
    if not words.strip():
        return ""
    text = get_text(tree.html or "", ParserConfig(display_links=True))
    if _ink(text) * 2 < _ink(words):
        text = words  # nested deeper than libxml2 reads: without this the text of such a mail would be hidden
    lines = (line.rstrip() for line in text.replace("\r", "\n").split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def has_list(html: str) -> bool:
    """Whether a list stands in it: a mail program made it of typed numbers, and may have numbered it anew."""
    return re.search(r"<(?:ol|ul|li)[\s>/]", html[:CAP], re.IGNORECASE) is not None


def _ink(text: str) -> int:
    return len("".join(text.split()))


def _remove_hidden(tree: "LexborHTMLParser") -> None:
    doomed = [selector for sheet in tree.css("style") for selector in _hidden_selectors(sheet.text())]
    for selector in (*doomed, _NEVER_SHOWN):
        for node in tree.css(selector):
            node.decompose()
    for node in tree.css("[style]"):
        if _hides(node.attributes.get("style") or ""):
            node.decompose()


def _hidden_selectors(sheet: str) -> list[str]:
    # Rules inside @media hide for one screen only, so they count for nothing here.
    top_level = _without_media(_CSS_COMMENT.sub("", sheet))
    found = []
    for selectors, declarations in _RULE.findall(top_level)[:_RULES_READ]:
        if _hides(declarations):
            found += [part.strip() for part in selectors.split(",") if _PLAIN_SELECTOR.fullmatch(part.strip())]
    return [selector for selector in found if selector.lower() not in {"body", "html", "table", "td", "tr", "div"}]


def _without_media(sheet: str) -> str:
    kept, depth, start = [], 0, 0
    in_media = False
    for match in re.finditer(r"@media|[{}]", sheet):
        mark = match.group()
        if mark == "@media" and depth == 0:
            kept.append(sheet[start : match.start()])
            in_media = True
        elif mark == "{":
            depth += 1
        elif mark == "}":
            depth = max(0, depth - 1)
            if in_media and depth == 0:
                in_media, start = False, match.end()
    return "".join(kept) + ("" if in_media else sheet[start:])


def _hides(style: str) -> bool:
    if _HIDDEN.search(style):
        return True
    if _CLIPPED.search(style) and _NO_SIZE.search(style):
        return True
    colour, background = _COLOUR.search(style), _BACKGROUND.search(style)
    return bool(colour and background and _WHITE.fullmatch(colour[1]) and _WHITE.fullmatch(background[1]))
