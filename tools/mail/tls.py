"""How TLS is checked toward a mail server, and what is said when the check fails: the same for IMAP and SMTP."""

import ipaddress
import ssl

from tools.mail.account import Account
from workflows.errors import NeedsOwner

# X509_V_ERR_* of OpenSSL: Python gives the number, no name.
_EXPIRED = {10}
_NOT_YET_VALID = {9}
_SELF_SIGNED = {18, 19}
_UNKNOWN_AUTHORITY = {2, 20, 21}
_WRONG_NAME = {62, 64}


def context(account: Account) -> ssl.SSLContext:
    """A context that verifies chain and host name and speaks TLS 1.2 or newer.

    Raises:
        NeedsOwner: the extra certificate authority cannot be read.
    """
    tls_context = ssl.create_default_context()
    tls_context.minimum_version = ssl.TLSVersion.TLSv1_2
    if account.ca_file is not None:
        try:
            tls_context.load_verify_locations(cafile=str(account.ca_file))
        except (OSError, ssl.SSLError) as error:
            raise NeedsOwner(
                f"The certificate authority file {account.ca_file} cannot be read: {error}.",
                "Put the path of a PEM file at ca_file, or leave it empty.",
            ) from error
    return tls_context


def require_loopback(account: Account, section: str) -> None:
    """Refuse `tls = "none"` to any host but this machine.

    Raises:
        NeedsOwner: the host is not loopback.
    """
    if account.tls == "none" and not is_loopback(account.host):
        raise NeedsOwner(
            f'{section}.tls is "none", but {account.host} is not this machine: the password would travel unprotected.',
            f'Set {section}.tls to "implicit" or "starttls".',
        )


def is_loopback(host: str) -> bool:
    """Whether the host is this machine by name or number, without asking the DNS."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def certificate_problem(account: Account, error: BaseException) -> NeedsOwner | None:
    """What the owner should know when TLS failed for a reason that retrying does not mend; None for a mere drop."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _refused_certificate(account, cause)
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
            return _no_common_tls(account, cause)
    return None


def _causes(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return chain


def _refused_certificate(account: Account, error: ssl.SSLCertVerificationError) -> NeedsOwner:
    server = f"{account.host}:{account.port}"
    code = error.verify_code
    if code in _EXPIRED:
        return NeedsOwner(
            f"The certificate of {server} has expired.", "Ask the provider to renew it, and check this machine's clock."
        )
    if code in _NOT_YET_VALID:
        return NeedsOwner(f"The certificate of {server} is not valid yet.", "Check this machine's clock.")
    if code in _WRONG_NAME:
        return NeedsOwner(
            f"The certificate of {server} is for another host name.",
            "Set host to the name that the provider gives in its instructions.",
        )
    if code in _SELF_SIGNED:
        return NeedsOwner(
            f"The certificate of {server} is self-signed and not trusted.",
            "If the server is your own, save its certificate as a PEM file and name it at ca_file.",
        )
    if code in _UNKNOWN_AUTHORITY:
        return NeedsOwner(
            f"The certificate of {server} is signed by an authority that this machine does not know.",
            "If that authority is your own, name its PEM file at ca_file.",
        )
    return NeedsOwner(f"The certificate of {server} is not trusted: {error.verify_message}.", "Mend it at the server.")


def _no_common_tls(account: Account, error: ssl.SSLError) -> NeedsOwner:
    return NeedsOwner(
        f"{account.host}:{account.port} does not speak TLS as Deskhand needs it ({error.reason or error}).",
        'Check host, port and tls (993 and 465: "implicit", 143 and 587: "starttls"); TLS 1.2 or newer is needed.',
    )
