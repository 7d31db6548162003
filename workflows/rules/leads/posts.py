"""What job posts carry besides the job: broken encodings, traps for their readers, links that say who followed them."""

import binascii
import ipaddress
import re
from base64 import b64decode
from functools import cache
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from workflows.models.leads import Flag
from workflows.rules.text.canonical import one_line, visible
from workflows.rules.text.words import fold, table

_LONGEST_TEXT = 40_000
_LONGEST_URL = 2_000
_BLANK_LINES = re.compile(r"\n{3,}")
_SENTENCE = re.compile(r"[^\n]+?(?:[.!?](?=\s|$)(?:[\"”)\]])*|(?=\n)|$)")
_QUOTED_WORD = re.compile(
    r"\b(?:words?|phrase|password|code)\b[^\w\n]{0,12}((?:[A-Z][A-Z0-9'-]{2,}(?: [A-Z][A-Z0-9'-]{2,}){0,4})"
    r"|(?<=[\"“'*])[^\"”'*\n]{2,40}(?=[\"”'*]))"
)
_TOKEN = re.compile(r"#?[A-Za-z0-9+/]{4,64}={0,2}")
_LEAST_TOKEN = 8
_HIDDEN_ADDRESS = "a tag that gives away this machine's address was taken out"

# ---------------------------------------------------------------- broken encodings

_UNDEFINED = {0x81, 0x8D, 0x8F, 0x90, 0x9D}  # what cp1252 has no character for: decoders leave the control character
_BYTES = {
    (bytes([byte]).decode("cp1252") if byte not in _UNDEFINED else chr(byte)): byte for byte in range(0x80, 0x100)
}
_BYTES |= {chr(byte): byte for byte in range(0x80, 0xA0)}  # read as Latin-1 instead of cp1252
_RUN = re.compile("[" + re.escape("".join(_BYTES)) + "]{2,}")


def repaired(text: str) -> str:
    """The text with what was UTF-8 and read as cp1252 or Latin-1 put right ("Ã©" is é), also where it was done twice.

    Only runs that are UTF-8 to the last byte are touched: text that merely has accents stays as it is.
    """
    for _ in range(2):
        after = _RUN.sub(_as_utf8, text)
        if after == text:
            break
        text = after
    return text


def _as_utf8(found: re.Match[str]) -> str:
    try:
        return bytes(_BYTES[character] for character in found.group()).decode("utf-8")
    except UnicodeDecodeError:
        return found.group()


# ---------------------------------------------------------------- traps for readers


def cleaned(text: str) -> tuple[str, tuple[Flag, ...]]:
    """(the post's text, what was taken out of it in plain words): encoding repaired, honeypots gone."""
    plain = visible(repaired(text[:_LONGEST_TEXT]))
    flags: list[Flag] = []

    def judge(found: re.Match[str]) -> str:
        return "" if _is_honeypot(found.group(), flags) else found.group()

    body = _SENTENCE.sub(judge, plain)
    body = _TOKEN.sub(lambda found: _without_address(found.group(), flags), body)
    lines = "\n".join(" ".join(line.split()) for line in body.split("\n"))
    return _BLANK_LINES.sub("\n\n", lines).strip(), tuple(dict.fromkeys(flags))


def _is_honeypot(sentence: str, flags: list[Flag]) -> bool:
    if not _honeypots().search(fold(sentence)):
        return False
    word = _QUOTED_WORD.search(sentence)
    if word:
        codeword = one_line(word.group(1), 60)
        flags.append(_honeypot(f"the post asks to mention “{codeword}”; it was taken out"))
    elif not flags:  # what follows such a sentence only explains it
        flags.append(_honeypot("a sentence that tests whether the post was read was taken out"))
    if any(_hides_address(token) for token in _TOKEN.findall(sentence)):
        flags.append(_honeypot(_HIDDEN_ADDRESS))
    return True


def _honeypot(what: str) -> Flag:
    return Flag("honeypot", f"honeypot: {what}")


@cache
def _honeypots() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{sentence})" for sentence in table("leads")["honeypots"]["sentences"]))


def _without_address(token: str, flags: list[Flag]) -> str:
    if len(token) < _LEAST_TOKEN or not _hides_address(token):
        return token
    flags.append(_honeypot(_HIDDEN_ADDRESS))
    return ""


def _hides_address(token: str) -> bool:
    """Whether the token is the base64 of an IP address, perhaps behind one more letter (RemoteOK puts an R there)."""
    bare = token.lstrip("#").rstrip("=")
    return any(_is_address(part) for part in (bare, bare[1:]))


def _is_address(part: str) -> bool:
    try:
        decoded = b64decode(part + "=" * (-len(part) % 4), validate=True).decode("ascii")
        ipaddress.ip_address(decoded)
    except (binascii.Error, ValueError):
        return False
    return True


# ---------------------------------------------------------------- links


def clean_url(url: str) -> str:
    """The link without what says who followed it, "" when it is no http link a person could open."""
    text = "".join(url.split()).strip("<>")
    if len(text) > _LONGEST_URL:
        return ""
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").lower().rstrip(".")
        port = f":{parts.port}" if parts.port and parts.port not in {80, 443} else ""
    except ValueError:
        return ""
    if parts.scheme.lower() not in {"http", "https"} or not host or parts.username or visible(text) != text:
        return ""
    if job_url := _job_of(host, parts):
        return job_url
    query = urlencode([(name, value) for name, value in parse_qsl(parts.query) if not _tracks(name)])
    fragment = f"#{parts.fragment}" if parts.fragment.startswith(("/", "!")) else ""
    return urlunsplit((parts.scheme.lower(), host + port, parts.path, query, "")) + fragment


def canonical_url(url: str) -> str:
    """What two links to the same page have in common; "" for none. Not for opening: the scheme is left out."""
    clean = clean_url(url)
    if not clean:
        return ""
    parts = urlsplit(clean)
    query = urlencode(sorted(parse_qsl(parts.query)))
    host = (parts.netloc or "").removeprefix("www.").removeprefix("m.")
    path = parts.path.rstrip("/") or "/"
    return f"{host}{path}" + (f"?{query}" if query else "") + (f"#{parts.fragment}" if parts.fragment else "")


def _job_of(host: str, parts: SplitResult) -> str:
    """The one address of a job at a site that has many for it."""
    for entry in table("leads")["urls"]["job"]:
        if host != entry["host"] and not host.endswith(f".{entry['host']}"):
            continue
        if "path" in entry:
            match = re.match(entry["path"], parts.path)
            number = match.group(1) if match else ""
        else:
            number = dict(parse_qsl(parts.query)).get(entry["parameter"], "")
        if re.fullmatch(r"~?[0-9A-Za-z]{1,40}", number):
            return str(entry["to"].format(id=number))
    return ""


def _tracks(name: str) -> bool:
    lower = name.lower()
    tracking = table("leads")["urls"]["tracking"]
    return lower in tracking or any(parameter.endswith("_") and lower.startswith(parameter) for parameter in tracking)
