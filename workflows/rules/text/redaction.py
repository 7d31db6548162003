"""What never leaves for a model: bank accounts, card numbers, passwords and keys, replaced by what they were.

Nothing is put back afterwards: a draft that needs such a number is the owner's to write.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache

_IBAN_START = re.compile(r"\b[A-Z]{2}\d{2}(?=[ \u00a0-]?[A-Z0-9])", re.IGNORECASE)
_IBAN_LENGTHS = {
    "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18,
    "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20,
    "LV": 21, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24, "SI": 19, "SK": 24, "TR": 26,
}  # fmt: skip
_CARD = re.compile(r"(?<![\d.,])\d(?:[ \u00a0-]?\d){12,18}(?![\d.,]?\d)")
_SECRET_WORD = re.compile(
    r"""(?ix)
    \b(password|passwort|kennwort|passphrase|passcode|mot\s+de\s+passe|contraseña|senha|wachtwoord|hasło|pin|tan
      |api[ _-]?key|secret|token|access[ _-]?key)
    (\s*(?:is|ist|est|es|lautet|=|:)+\s*["'`„“«]?)
    ([^\s"'`“”»]{4,})
    """
)
_SECRET_SHAPE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\b(?:sk|pk|rk)[-_](?:live|test|proj|ant)?[-_]?[A-Za-z0-9_-]{16,}"
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bAKIA[A-Z0-9]{16}\b|\bxox[abprs]-[A-Za-z0-9-]{10,}"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*",
    re.DOTALL,
)


def redact(text: str) -> str:
    """The text with each such number or secret replaced by a bracketed word, e.g. "[IBAN removed]"."""
    text = _SECRET_SHAPE.sub("[key removed]", text)
    text = _SECRET_WORD.sub(r"\1\2[secret removed]", text)
    for start, end in reversed(list(ibans(text))):
        text = f"{text[:start]}[IBAN removed]{text[end:]}"
    return _CARD.sub(_if(is_card, "[card number removed]"), text)


def _if(true: Callable[[str], bool], placeholder: str) -> Callable[[re.Match[str]], str]:
    return lambda found: placeholder if true(found.group()) else found.group()


def ibans(text: str) -> Iterator[tuple[int, int]]:
    """Where account numbers stand, from and to, whatever word follows them."""
    end = 0
    for match in _IBAN_START.finditer(text):
        length = _IBAN_LENGTHS.get(match.group()[:2].upper())
        for size in [length] if length else range(34, 14, -1):
            iban = _iban_of(size).match(text, match.start())
            if iban and iban.start() >= end and is_iban(iban.group()):
                end = iban.end()
                yield iban.span()
                break


@cache
def _iban_of(length: int) -> re.Pattern[str]:
    return re.compile(rf"[A-Z]{{2}}\d{{2}}(?:[ \u00a0-]?[A-Z0-9]){{{length - 4}}}(?![A-Z0-9])", re.IGNORECASE)


def is_iban(text: str) -> bool:
    """Whether the check digits of an IBAN hold (ISO 13616, mod 97)."""
    plain = re.sub(r"[^A-Z0-9]", "", text.upper())
    if not 15 <= len(plain) <= 34:  # noqa: PLR2004 (the shortest and longest there are)
        return False
    return int("".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])) % 97 == 1


def is_card(text: str) -> bool:
    """Whether the digits pass the Luhn check of a payment card."""
    digits = [int(sign) for sign in text if sign.isdecimal()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return any(digits) and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
