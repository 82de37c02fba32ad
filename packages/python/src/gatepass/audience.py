"""Audiences: the receiver's, and one's own."""

from __future__ import annotations

import time

from gatepass import _native


def audience_for_url(url: str) -> str:
    """The audience to ask for when calling `url`: the Cloud Run service or function, else the URL's origin.

    A receiver with a domain of its own expects the audience that it was configured with: use that instead.

    Raises:
        GatepassError: The URL is not https (http is let through for a loopback host), or has no host.
    """
    return _native.audience_for_url(url)


def same_audience_spellings(audience: str) -> list[str]:
    """Both spellings of a URL that is its own audience, without and with a slash at the end, for a receiver
    that is sent either. Anything else comes back alone."""
    return _native.same_audience_spellings(audience)


def own_audiences() -> list[str]:
    """Both spellings of the URL that Cloud Run gives the service that this process is:
    `https://SERVICE-PROJECT_NUMBER.REGION.run.app`.

    The metadata server is asked each time: do it when the service starts. It does not know the older URL,
    with a hash in it, nor custom audiences: add those yourself.

    Raises:
        GatepassError: This process is no Cloud Run service.
        TransportError: The metadata server does not answer.
    """
    from gatepass._clock import readings
    from gatepass._driver.steps import drive

    op = _native.own_audiences()
    try:
        found = drive(op, readings(time.time), {})
    finally:
        op.cancel()
    return list(found["audiences"]) if found else []
