"""The audience that goes with a URL."""

from __future__ import annotations

from gatepass import _native
from gatepass.errors import error_of


def audience_for_url(url: str) -> str:
    """The audience to ask for when calling `url`: the Cloud Run service or function, else the URL's origin.

    A receiver behind a domain of its own expects what it was configured with: give that instead.

    Raises:
        GatepassError: The URL is not https (http is let through for a loopback host), or has no host.
    """
    try:
        return _native.audience_for_url(url)
    except _native.Failure as failure:
        raise error_of(failure) from None
