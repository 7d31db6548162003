"""Certificates for test servers: one authority, and every way a server's own certificate can be wrong."""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its private key as PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Certificates:
    """`ca` signs all but `self_signed` and `foreign`; the good ones are for localhost and 127.0.0.1."""

    ca: Path
    other_ca: Path
    good: Certificate
    expired: Certificate
    wrong_name: Certificate
    self_signed: Certificate
    foreign: Certificate  # right in everything, but signed by `other_ca`


class Authority:
    """A certificate authority with its certificate at `path`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(name)
        self.path = folder / f"{name}.pem"
        builder = _builder(self.name, self.name, self.key.public_key(), expired=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
        identifier = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        builder = builder.add_extension(identifier, critical=False)
        self.path.write_bytes(builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def issue(self, folder: Path, file: str, host: str = "localhost", *, expired: bool = False) -> Certificate:
        """A server certificate for this host (and 127.0.0.1 when it is localhost)."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(host), self.name, key.public_key(), expired=expired)
        builder = _server(builder, host)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(issuer, critical=False)
        return _write(folder, file, builder.sign(self.key, hashes.SHA256()), key)


def make_certificates(folder: Path) -> Certificates:
    """All of them, written into `folder`; readable by a server that runs as another user."""
    ours, other = Authority(folder, "ca"), Authority(folder, "other-ca")
    return Certificates(
        ca=ours.path,
        other_ca=other.path,
        good=ours.issue(folder, "good"),
        expired=ours.issue(folder, "expired", expired=True),
        wrong_name=ours.issue(folder, "wrong-name", "mail.elsewhere.example"),
        self_signed=_self_signed(folder),
        foreign=other.issue(folder, "foreign"),
    )


def _self_signed(folder: Path) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _server(_builder(_name("localhost"), _name("localhost"), key.public_key(), expired=False), "localhost")
    return _write(folder, "self-signed", builder.sign(key, hashes.SHA256()), key)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, *, expired: bool
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    end = now - _DAY if expired else now + 30 * _DAY
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 10 * _DAY)
        .not_valid_after(end)
    )


def _server(builder: x509.CertificateBuilder, host: str) -> x509.CertificateBuilder:
    names: list[x509.GeneralName] = [x509.DNSName(host)]
    if host == "localhost":
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    purpose = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH])
    return builder.add_extension(purpose, critical=False)


def _write(folder: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Certificate:
    made = Certificate(folder / f"{name}.crt", folder / f"{name}.key")
    made.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    made.key.chmod(0o644)  # a test key: the server may run as another user
    return made
