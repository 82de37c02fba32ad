"""Certificates for tests, made when they run."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


@dataclass
class Certificate:
    """The files of a certificate and its key, both PEM."""

    cert_path: Path
    key_path: Path

    @property
    def step(self) -> dict[str, str]:
        """As it stands in a step."""
        return {"cert_path": str(self.cert_path), "key_path": str(self.key_path)}


class Authority:
    """A certificate authority of its own, that trusts and is trusted by nobody else."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = common_name(name)
        builder = self._builder(self._name, self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(SIGNS_CERTIFICATES, critical=True)
        self.path = folder / f"{name}.pem"
        """The file of its certificate."""
        self.path.write_bytes(pem_of(builder.sign(self._key, hashes.SHA256())))

    def issue(self, name: str, host: str | None = None, password: bytes | None = None) -> Certificate:
        """A certificate for this name, and for a host; without it, the loopback address."""
        key = ec.generate_private_key(ec.SECP256R1())
        address = x509.IPAddress(IPv4Address("127.0.0.1")) if host is None else x509.DNSName(host)
        hosts = x509.SubjectAlternativeName([address])
        builder = self._builder(common_name(name), key.public_key()).add_extension(hosts, critical=False)
        issued = Certificate(self._folder / f"{name}.cert.pem", self._folder / f"{name}.key.pem")
        issued.cert_path.write_bytes(pem_of(builder.sign(self._key, hashes.SHA256())))
        issued.key_path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption()
                if password is None
                else serialization.BestAvailableEncryption(password),
            )
        )
        return issued

    def server(self, *, host: str | None = None, asks: bool = False) -> ssl.SSLContext:
        """The context of a server, which may ask for a client's certificate of this authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        own = self.issue("server", host)
        context.load_cert_chain(own.cert_path, own.key_path)
        if asks:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.path)
        return context

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )


def common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def pem_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
