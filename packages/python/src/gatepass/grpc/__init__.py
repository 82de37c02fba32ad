"""Tokens for gRPC: calls that carry them, and servers that check them, both for `grpc` and `grpc.aio`.

    channel = gatepass.grpc.secure_channel("orders-7f3kq2x4ca-uc.a.run.app:443")

Make the channel once and keep it: each call gets a token that is fresh. A stream keeps the token that it was
opened with for as long as it lasts, as every header; a server looks at it when the stream opens, and no more.
Channels that are made elsewhere take `id_token_credentials`, or `access_token_credentials`.

    server = grpc.server(pool, interceptors=[gatepass.grpc.RequireIdToken(verifier)])

In a handler, `gatepass.grpc.claims()` gives the caller's.
"""

from gatepass.grpc._channels import (
    insecure_channel,
    insecure_channel_aio,
    secure_channel,
    secure_channel_aio,
)
from gatepass.grpc._claims import claims
from gatepass.grpc._credentials import access_token_credentials, id_token_credentials
from gatepass.grpc._server import RequireIdToken
from gatepass.grpc._server_aio import RequireIdTokenAio

__all__ = [
    "RequireIdToken",
    "RequireIdTokenAio",
    "access_token_credentials",
    "claims",
    "id_token_credentials",
    "insecure_channel",
    "insecure_channel_aio",
    "secure_channel",
    "secure_channel_aio",
]
