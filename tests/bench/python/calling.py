"""Unary calls of gRPC without content, over TLS on the loopback interface: what a token adds to them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from ipaddress import IPv4Address
from typing import Any

import grpc
import material
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

METHOD = "/bench.Empty/Call"

Call = Callable[[], Any]


@contextmanager
def calls(
    metadata_server: str, certificate: bytes, ports: dict[str, int]
) -> Iterator[dict[str, tuple[str, Call]]]:
    """For each peer its distribution and an empty call of one of these servers, with a token that is at hand."""
    import google.auth.transport.grpc
    import google.oauth2.service_account

    import gatepass
    import gatepass.grpc

    issuer = material.google()
    source = gatepass.TokenSource()
    os.environ["GCE_METADATA_HOST"] = metadata_server
    source.fetch_id_token(material.AUDIENCE)
    del os.environ["GCE_METADATA_HOST"]
    theirs: Any = google.oauth2.service_account.IDTokenCredentials.from_service_account_info(
        material.key_file(issuer), target_audience=material.AUDIENCE
    )
    theirs.token = issuer.token()
    theirs.expiry = datetime.now(timezone.utc).replace(tzinfo=None) + timedelta(hours=1)
    googles = google.auth.transport.grpc.AuthMetadataPlugin(theirs, None)
    constant = (("authorization", source.id_token_header(material.AUDIENCE)),)

    class Constant(grpc.AuthMetadataPlugin):
        def __call__(self, context: Any, callback: Any) -> None:
            callback(constant, None)

    tls = grpc.ssl_channel_credentials(certificate)
    with ExitStack() as ending:

        def target(server: str) -> str:
            return f"127.0.0.1:{ports[server]}"

        def of(channel: grpc.Channel, metadata: Any = None) -> Call:
            ending.callback(channel.close)
            method = channel.unary_unary(METHOD)
            return lambda: method(b"", metadata=metadata)

        def bare(server: str = "bare") -> grpc.Channel:
            return grpc.secure_channel(target(server), tls)

        def with_credentials(call_credentials: grpc.CallCredentials) -> grpc.Channel:
            return grpc.secure_channel(
                target("bare"), grpc.composite_channel_credentials(tls, call_credentials)
            )

        ours = gatepass.grpc.secure_channel(
            target("bare"), material.AUDIENCE, source=source, channel_credentials=tls
        )
        plugin = gatepass.grpc.id_token_credentials(material.AUDIENCE, source=source)
        yield {
            "bare": ("grpcio", of(bare())),
            "constant header": ("grpcio", of(bare(), constant)),
            "empty credentials": ("grpcio", of(with_credentials(grpc.metadata_call_credentials(Constant())))),
            "empty interceptor": ("grpcio", of(bare("empty interceptor"), constant)),
            "gatepass": ("gatepass", of(ours)),
            "gatepass, call credentials": ("gatepass", of(with_credentials(plugin))),
            "gatepass, its server": ("gatepass", of(bare("gatepass"), constant)),
            "google-auth": ("google-auth", of(with_credentials(grpc.metadata_call_credentials(googles)))),
        }


def identity() -> tuple[bytes, bytes]:
    """A key and its own certificate for the loopback address, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
    now = datetime.now(timezone.utc)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    certificate = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem = serialization.Encoding.PEM
    return key.private_bytes(pem, *form), certificate.public_bytes(pem)
