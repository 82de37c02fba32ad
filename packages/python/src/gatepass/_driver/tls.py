"""Whom a connection trusts, and the certificate that it presents."""

from __future__ import annotations

import os
import ssl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepass._types import Step


class UnusableFile(Exception):
    """A file does not hold what it should. The message names it."""


def context(step: Step) -> ssl.SSLContext:
    """The context for one request. Files are read anew each time: certificates rotate.

    Raises:
        UnusableFile: A certificate or key cannot be read, or they do not belong together.
    """
    authorities = step.get("ca_certificate_path")
    certificate = step["client_certificate"]
    if authorities is not None:
        _check_readable(authorities)
    try:
        context = ssl.create_default_context(cafile=authorities)  # None: the system's.
    except ssl.SSLError:
        raise UnusableFile(f"{authorities} holds no CA certificates in PEM") from None
    if authorities is None:
        _trust_those_of_requests(context)
    context.set_alpn_protocols(["http/1.1"])
    if certificate is not None:
        cert_path, key_path = certificate["cert_path"], certificate["key_path"]
        _check_readable(cert_path)
        _check_readable(key_path)
        try:
            # An empty password, or OpenSSL asks for that of an encrypted key at the terminal.
            context.load_cert_chain(cert_path, key_path, password="")
        except ssl.SSLError:
            what = "a certificate in PEM and its own private key without a password"
            raise UnusableFile(f"{cert_path} and {key_path} are not {what}") from None
    return context


def _trust_those_of_requests(context: ssl.SSLContext) -> None:
    """Whoever names authorities for Python's HTTP clients expects them to count here, too, in addition to the
    system's and those of SSL_CERT_FILE."""
    bundle = os.environ.get("REQUESTS_CA_BUNDLE")
    if not bundle:
        return
    try:
        if os.path.isdir(bundle):
            context.load_verify_locations(capath=bundle)
        else:
            _check_readable(bundle)
            context.load_verify_locations(cafile=bundle)
    except ssl.SSLError:
        raise UnusableFile(
            f"{bundle}, which REQUESTS_CA_BUNDLE names, holds no CA certificates in PEM"
        ) from None


def _check_readable(path: str) -> None:
    """OpenSSL's errors do not say which file they are about."""
    try:
        with open(path, "rb") as file:
            file.read(1)
    except OSError as error:
        raise UnusableFile(f"{path}: {error.strerror}") from None
