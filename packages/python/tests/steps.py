"""Steps of the core, and the driver carrying out one of them."""

from __future__ import annotations

from typing import Any

from gatepass._driver import steps as driver


def send(url: str, **changed: Any) -> dict[str, Any]:
    return {
        "step": "send",
        "method": "GET",
        "url": url,
        "headers": [],
        "body": None,
        "timeout_ms": 10_000,
        "proxy": None,
        "client_certificate": None,
        **changed,
    }


def perform(step: dict[str, Any]) -> dict[str, Any]:
    return dict(driver.perform(step))
