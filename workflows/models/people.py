"""People: a client of the owner's, and the owner."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A person the owner works for: a random id with one or more addresses."""

    id: str
    name: str
    addresses: tuple[str, ...]
    written_to: bool = False  # the owner has written to, imported or rescued this client


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The owner, as the rules need to know them."""

    name: str
    address: str
    aliases: tuple[str, ...] = ()
    language: str = "en"
    timezone: str = "UTC"
    country: str = ""
    hours: str = "Mon-Fri 09:00-18:00"
    disclose: bool = False
    second: str = ""  # the address of a second approver: not one of the owner's own
    languages: tuple[str, ...] = ()  # whose words are understood in answers, beside `language` and English
    signatures: tuple[str, ...] = ()  # blocks of lines that end the owner's mails: no part of an answer

    @property
    def addresses(self) -> frozenset[str]:
        return frozenset((self.address.lower(), *(alias.lower() for alias in self.aliases)))

    def signing(self, signatures: tuple[str, ...]) -> "Owner":
        """The same owner, with these signatures beside those of the settings."""
        return replace(self, signatures=tuple(dict.fromkeys((*self.signatures, *signatures))))
