"""What never leaves for a model: bank accounts, card numbers, passwords and keys, replaced by what they were.

Nothing is put back afterwards: a draft that needs such a number is the owner's to write.
"""

import re
from collections.abc import Callable

_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ \u00a0-]?[A-Z0-9]){11,30}\b")
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
    text = _IBAN.sub(_if(is_iban, "[IBAN removed]"), text)
    return _CARD.sub(_if(is_card, "[card number removed]"), text)


def _if(true: Callable[[str], bool], placeholder: str) -> Callable[[re.Match[str]], str]:
    return lambda found: placeholder if true(found.group()) else found.group()


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
