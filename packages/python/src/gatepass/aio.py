"""The same for asyncio and trio: while one of these waits, the event loop goes on.

Sources and verifiers are the same here: one object may serve threads and several event loops at once. What
blocks runs in a thread of its own; waiting for another caller's fetch takes none. Cancelling a call disturbs
no other, and what it has begun goes on.
"""

from __future__ import annotations

from gatepass import audience
from gatepass._arguments import binary
from gatepass._driver.threads import in_thread
from gatepass.source import (
    TokenSource,
    as_principal,
    as_signature,
    as_target,
    as_token,
    default_source,
)
from gatepass.verifier import Verifier, default_verifier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepass._types import Strings
    from gatepass.claims import Claims
    from gatepass.principal import Principal, Signature
    from gatepass.token import Token

__all__ = [
    "access_token_header",
    "access_token_headers",
    "fetch_access_token",
    "fetch_access_token_info",
    "fetch_id_token",
    "fetch_id_token_info",
    "fetch_self_signed_jwt",
    "id_token_header",
    "own_audiences",
    "principal",
    "sign_bytes",
    "verify",
    "verify_id_token",
]


async def fetch_id_token(audience: str, *, source: TokenSource | None = None) -> str:
    """As `TokenSource.fetch_id_token`, of `source` or of the process-wide one."""
    return (await (source or default_source())._token_async("id_token", audience))[3]


async def fetch_access_token(scopes: Strings = (), *, source: TokenSource | None = None) -> str:
    """As `TokenSource.fetch_access_token`, of `source` or of the process-wide one."""
    return (await (source or default_source())._token_async("access_token", as_target(scopes)))[3]


async def fetch_id_token_info(audience: str, *, source: TokenSource | None = None) -> Token:
    """As `TokenSource.fetch_id_token_info`, of `source` or of the process-wide one."""
    return as_token(await (source or default_source())._token_async("id_token", audience))


async def fetch_access_token_info(scopes: Strings = (), *, source: TokenSource | None = None) -> Token:
    """As `TokenSource.fetch_access_token_info`, of `source` or of the process-wide one."""
    return as_token(await (source or default_source())._token_async("access_token", as_target(scopes)))


async def id_token_header(audience: str, *, source: TokenSource | None = None) -> str:
    """As `TokenSource.id_token_header`, of `source` or of the process-wide one."""
    return (await (source or default_source())._token_async("id_token", audience))[2]


async def access_token_header(scopes: Strings = (), *, source: TokenSource | None = None) -> str:
    """As `TokenSource.access_token_header`, of `source` or of the process-wide one."""
    return (await (source or default_source())._token_async("access_token", as_target(scopes)))[2]


async def access_token_headers(scopes: Strings = (), *, source: TokenSource | None = None) -> dict[str, str]:
    """As `TokenSource.access_token_headers`, of `source` or of the process-wide one."""
    source = source or default_source()
    return source._with_others(await access_token_header(scopes, source=source))


async def fetch_self_signed_jwt(audience: str, *, source: TokenSource | None = None) -> str:
    """As `TokenSource.fetch_self_signed_jwt`, of `source` or of the process-wide one."""
    return (await (source or default_source())._token_async("self_signed_jwt", audience))[3]


async def principal(*, source: TokenSource | None = None) -> Principal:
    """As `TokenSource.principal`, of `source` or of the process-wide one."""
    from gatepass._driver.flights import run_async

    source = source or default_source()
    return as_principal(await run_async(source._inquire(source._native.principal())))


async def sign_bytes(data: bytes, *, source: TokenSource | None = None) -> Signature:
    """As `TokenSource.sign_bytes`, of `source` or of the process-wide one."""
    from gatepass._driver.flights import run_async

    source = source or default_source()
    op = source._native.sign_bytes(binary("data", data))
    return as_signature(await run_async(source._inquire(op)))


async def verify_id_token(token: str | bytes, audience: Strings) -> Claims:
    """As `gatepass.verify_id_token`."""
    return await default_verifier(audience)._verify_async(token)


async def verify(token: str | bytes, *, verifier: Verifier) -> Claims:
    """As `verifier.verify(token)`."""
    return await verifier._verify_async(token)


async def own_audiences() -> list[str]:
    """As `gatepass.own_audiences`."""
    from gatepass._driver.loops import wait

    found = in_thread(audience.own_audiences)
    while not found.done():
        await wait(found, 5)
    return found.result()
