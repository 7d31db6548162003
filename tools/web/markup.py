"""Foreign HTML and XML read safely: bytes to text, HTML to what a reader would see, XML to a tree without tricks.

Hidden text is stripped first, links are shown as [text](url). selectolax and inscriptis are imported when the first
HTML comes. XML entities are refused where they are declared, so nothing can expand and nothing outside is read.
"""

import re
from dataclasses import dataclass
from html import escape, unescape
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from tools.web import charsets, layout
from workflows.errors import Permanent

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

DEEPEST = 100
"""Levels of an XML tree: feeds have fewer than ten."""
MOST_ELEMENTS = 100_000
"""Elements of an XML tree: a feed of a thousand jobs has a third of that."""

CAP = 500_000
"""Characters of HTML that are read; the rest of such a page is style and tracking."""

MOST_TAGS = 40_000
"""Opening and closing tags that are laid out; a page of more is read as its bare words."""
MOST_CELLS = 2_000
"""Cells of tables that are laid out: aligning them takes the square of it."""

_SIGNATURES = '[id*="signature" i], [class*="signature" i], [data-smartmail="gmail_signature"], #Zm-_Id_-Sgn'
_MOST_SIGNATURES = 6
_QUOTES = 'blockquote[type="cite" i], blockquote[cite], blockquote.gmail_quote, .gmail_attr, .moz-cite-prefix'
_QUOTE = re.compile(r"type=.?cite|\bcite\s*=|gmail_quote|gmail_attr|moz-cite-prefix", re.IGNORECASE)

_CELL = re.compile(r"<t[dh]\b", re.IGNORECASE)
_NEVER_SHOWN = "script, style, template, noscript, title, object, svg, [hidden], [aria-hidden=true][style*=none]"
# On styles whose white space is single blanks: every further repeat would take the square of it.
_HIDDEN = re.compile(
    r"display ?: ?none|visibility ?: ?(?:hidden|collapse)|mso-hide ?: ?all"
    r"|(?:^|;) ?opacity ?: ?0?\.?0+ ?(?:%|;|!|$)"
    r"|font-size ?: ?0?\.?[01]?(?:px|pt|em|rem|%)? ?(?:;|!|$)",
    re.IGNORECASE,
)
_NO_SIZE = re.compile(r"(?:^|;)\s*(?:max-)?(?:height|width)\s*:\s*0(?:px|pt|em|%)?\s*(?:;|!|$)", re.IGNORECASE)
_CLIPPED = re.compile(r"overflow\s*:\s*hidden", re.IGNORECASE)
_COLOUR = re.compile(r"(?:^|;)\s*color\s*:\s*([^;!]+)", re.IGNORECASE)
_BACKGROUND = re.compile(r"(?:^|;)\s*background(?:-color)?\s*:\s*([^;!]+)", re.IGNORECASE)
_WHITE = re.compile(r"\s*(?:#fff(?:fff)?|white|rgba?\(\s*255\s*,\s*255\s*,\s*255\s*(?:,\s*1\s*)?\))\s*", re.IGNORECASE)
_RULE = re.compile(r"(?<![^{}])([^{}]{1,500})\{([^{}]{0,2000})\}")
_PLAIN_SELECTOR = re.compile(r"[a-zA-Z0-9 ._#>-]{1,100}")
_RULES_READ = 200
_MOST_PARTS = 3
_STEPS = 400_000_000
"""What matching the selectors of hidden text may cost at worst: about two seconds; honest mail needs a tenth of it."""
_TAG = re.compile(r"<(/)?([a-zA-Z]+)")
_EMPTY = {"br", "img", "hr", "meta", "link", "input", "col", "area", "base", "wbr", "source"}
_BLANK_LINES = re.compile(r"\n{3,}")


def html_to_text(html: str, *, quotes: bool = True) -> str:
    """The visible text of HTML, LF line ends, no blank line twice; one line of words when it is built to take long.

    `quotes`: also what a mail program has marked as quoted.
    """
    from inscriptis import get_text
    from inscriptis.model.config import ParserConfig
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(html[:CAP])
    _remove_hidden(tree)
    for node in () if quotes else tree.css(_QUOTES):
        node.decompose()
    words = tree.body.text(separator=" ") if tree.body else ""
    if not words.strip():
        return ""
    visible_html = tree.html or ""
    if visible_html.count("<") > MOST_TAGS or len(_CELL.findall(visible_html)) > MOST_CELLS:
        return " ".join(words.split())
    text = get_text(visible_html, ParserConfig(display_links=True))
    if _ink(text) * 2 < _ink(words):
        text = words  # nested deeper than libxml2 reads: without this the text of such a mail would be hidden
    lines = (line.rstrip() for line in text.replace("\r", "\n").split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


@dataclass(frozen=True, slots=True)
class Written:
    """HTML as its writer saw it, and the blocks in it that a mail program marked as its signature."""

    text: str
    signatures: tuple[str, ...] = ()
    bare: bool = False  # too much for that: its lines and strikes are lost


def as_written(html: str) -> Written:
    """The lines of an answer as they were typed; struck-out text between `~~`."""
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(html[:CAP])
    sheet = layout.sheet_of([style.text() for style in tree.css("style")])
    _remove_hidden(tree)
    if tree.body is None or (tree.html or "").count("<") > MOST_TAGS:
        return Written(html_to_text(html), bare=True)
    marked = [node for node in tree.css(_SIGNATURES)[:_MOST_SIGNATURES] if not _is_quoted(node)]
    texts = (layout.laid_out(node, sheet) for node in marked)
    return Written(layout.laid_out(tree.body, sheet), tuple(dict.fromkeys(text for text in texts if text.strip())))


def _is_quoted(node: "LexborNode") -> bool:
    """Whether it stands in a quote, and so is not the writer's own, or in another block that is marked."""
    parent = node.parent
    while parent is not None:
        names = f"{parent.attributes.get('id') or ''} {parent.attributes.get('class') or ''}"
        if parent.tag == "blockquote" or "signature" in names.lower():
            return True
        parent = parent.parent
    return False


def has_quotes(html: str) -> bool:
    """Whether a mail program may have marked something in it as quoted."""
    return _QUOTE.search(html[:CAP]) is not None


def has_list(html: str) -> bool:
    """Whether a list stands in it: a mail program made it of typed numbers, and may have numbered it anew."""
    return re.search(r"<(?:ol|ul|li)[\s>/]", html[:CAP], re.IGNORECASE) is not None


def _ink(text: str) -> int:
    return len("".join(text.split()))


def _remove_hidden(tree: "LexborHTMLParser") -> None:
    doomed = [selector for sheet in tree.css("style") for selector in _hidden_selectors(sheet.text())]
    doomed = doomed[: _STEPS // _steps(tree)] if doomed else []
    for selector in (*doomed, _NEVER_SHOWN):
        for node in tree.css(selector):
            node.decompose()
    for node in tree.css("[style]"):
        if _hides(node.attributes.get("style") or ""):
            node.decompose()


def _steps(tree: "LexborHTMLParser") -> int:
    """What one selector of three parts may cost at worst: for each element, its depth squared."""
    depth, steps = 0, 1
    for match in _TAG.finditer(tree.html or ""):
        if match[1]:
            depth -= 1
        elif match[2].lower() not in _EMPTY:
            depth += 1
            steps += depth * depth
    return steps


def _hidden_selectors(sheet: str) -> list[str]:
    # Rules inside @media hide for one screen only, so they count for nothing here.
    top_level = _without_media(_without_comments(sheet))
    candidates = []
    for selectors, declarations in _RULE.findall(top_level)[:_RULES_READ]:
        if _hides(declarations):
            candidates += [part.strip() for part in selectors.split(",") if _is_plain(part.strip())]
    return [
        selector for selector in candidates if selector.lower() not in {"body", "html", "table", "td", "tr", "div"}
    ][:_RULES_READ]


def _is_plain(selector: str) -> bool:
    """Short enough: every further step down the tree multiplies the time that a nested page costs."""
    return bool(_PLAIN_SELECTOR.fullmatch(selector)) and len(selector.replace(">", " ").split()) <= _MOST_PARTS


def _without_comments(sheet: str) -> str:
    """Without a pattern, which would look for the end of every comment that has none."""
    pieces, at = [], 0
    while (start := sheet.find("/*", at)) >= 0 and (end := sheet.find("*/", start + 2)) >= 0:
        pieces.append(sheet[at:start])
        at = end + 2
    return "".join((*pieces, sheet[at:]))


def _without_media(sheet: str) -> str:
    pieces, depth, start = [], 0, 0
    in_media = False
    for match in re.finditer(r"@media|[{}]", sheet):
        mark = match.group()
        if mark == "@media" and depth == 0:
            pieces.append(sheet[start : match.start()])
            in_media = True
        elif mark == "{":
            depth += 1
        elif mark == "}":
            depth = max(0, depth - 1)
            if in_media and depth == 0:
                in_media, start = False, match.end()
    return "".join(pieces) + ("" if in_media else sheet[start:])


def _hides(style: str) -> bool:
    style = " ".join(style.split())
    if _HIDDEN.search(style):
        return True
    if _CLIPPED.search(style) and _NO_SIZE.search(style):
        return True
    colour, background = _COLOUR.search(style), _BACKGROUND.search(style)
    return bool(colour and background and _WHITE.fullmatch(colour[1]) and _WHITE.fullmatch(background[1]))


# ---------------------------------------------------------------- bytes to text

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"),
          (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))  # fmt: skip
_UNMARKED = ((b"<\x00?\x00", "utf-16-le"), (b"\x00<\x00?", "utf-16-be"))  # how "<?xml" begins without a mark
_STATED = re.compile(
    rb"""<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})|<meta\s[^>]{0,300}?charset\s*=\s*["']?([\w.:-]{1,40})""",
    re.IGNORECASE,
)
_HEAD = 2048


def decode(content: bytes, charset: str = "") -> str:
    """The text of a page or feed: byte order mark, stated charset, its own declaration, UTF-8, then cp1252.

    UTF-8 wins over a stated western charset when it fits. Never raises: what cannot be read becomes U+FFFD.
    """
    for mark, codec in (*_MARKS, *_UNMARKED):
        if content.startswith(mark):
            return content.decode(codec, "replace")
    stated_charset = charset if charsets.codec(charset) else _own_charset(content)
    if charsets.codec(stated_charset) in _WIDE and b"\0" not in content[:_HEAD]:
        stated_charset = ""  # a declaration that was readable as ASCII is not what it says
    return charsets.decode(content, stated_charset, _forgive)


_WIDE = {"utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"}


def _own_charset(content: bytes) -> str:
    match = _STATED.search(content[:_HEAD])
    return (match[1] or match[2]).decode("ascii", "ignore") if match else ""


def _forgive(_: str) -> None:
    """A page whose charset is a lie is read all the same."""


# ---------------------------------------------------------------- XML

_DECLARATION = re.compile(r"<\?xml\b[^>]{0,500}\?>")
_BARE = re.compile(r"&(?:amp|lt|gt|quot|apos|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});|&([A-Za-z][A-Za-z0-9]{1,30});|&")
"""Every ampersand that XML reads, and as group 1 the name of an entity that it does not know."""
_WEB_PAGE = re.compile(r"\s*(?:<!--.{0,500}?-->\s*)?<(?:!doctype html|html)\b", re.IGNORECASE | re.DOTALL)
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def parse_xml(content: bytes, charset: str = "") -> Element:
    """The tree of an XML document; names in namespaces are `{uri}name`, as ElementTree writes them.

    The declared encoding may be a lie, control characters are dropped, HTML's entities and bare ampersands are read as
    they are meant; nothing else is forgiven.

    Raises:
        Permanent: no XML, an entity is declared, or the tree is too deep or too large.
    """
    text = _NOT_XML.sub("", _DECLARATION.sub("", decode(content, charset), count=1)).lstrip()
    if text.count('="') + text.count("='") > MOST_ELEMENTS:
        raise Permanent(f"its XML has more than {MOST_ELEMENTS:,} attributes.")
    try:
        return _tree(text)
    except expat.ExpatError as first:
        mended = _mended(text)
        try:
            if mended != text:
                return _tree(mended)
        except expat.ExpatError:
            pass
        if _WEB_PAGE.match(text):
            raise Permanent("it is a web page where XML was expected.") from first
        reason = expat.errors.messages.get(first.code, "broken")
        raise Permanent(f"it is not XML that can be read: {reason} in line {first.lineno}.") from first


def _tree(text: str) -> Element:
    tree = _Tree()
    tree.parser.Parse(text.encode("utf-8"), True)
    return tree.builder.close()


def _mended(text: str) -> str:
    """The text with every ampersand as XML reads it; CDATA as it stands."""
    pieces, at = [], 0
    while (start := text.find("<![CDATA[", at)) >= 0 and (end := text.find("]]>", start)) >= 0:
        pieces += [_BARE.sub(_as_xml, text[at:start]), text[start : end + 3]]
        at = end + 3
    return "".join((*pieces, _BARE.sub(_as_xml, text[at:])))


def _as_xml(found: re.Match[str]) -> str:
    """`&nbsp;` as its character, `A & B` as the ampersand it is; what XML knows itself as it stands."""
    is_predefined = found[0] != "&" and not found[1]
    return found[0] if is_predefined else escape(unescape(found[0]), quote=False)


class _Tree:
    """Builds an ElementTree from expat's events and refuses what a bomb needs."""

    def __init__(self) -> None:
        self.builder = TreeBuilder()
        self.depth = 0
        self.elements = 0
        self.parser = expat.ParserCreate("utf-8", "}")
        self.parser.buffer_text = True
        self.parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self.builder.data
        self.parser.EntityDeclHandler = self._entity
        self.parser.ExternalEntityRefHandler = self._outside

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.elements += 1
        if self.depth > DEEPEST:
            raise Permanent(f"its XML is nested deeper than {DEEPEST} levels.")
        if self.elements > MOST_ELEMENTS:
            raise Permanent(f"its XML has more than {MOST_ELEMENTS:,} elements.")
        self.builder.start(_universal(name), {_universal(key): value for key, value in attributes.items()})

    def _end(self, name: str) -> None:
        self.depth -= 1
        self.builder.end(_universal(name))

    def _entity(self, *_: object) -> None:
        raise Permanent("its XML declares entities, which feeds never need and bombs are made of.")

    def _outside(self, *_: object) -> int:
        raise Permanent("its XML asks for a file outside itself.")


def _universal(name: str) -> str:
    return f"{{{name}" if "}" in name else name
