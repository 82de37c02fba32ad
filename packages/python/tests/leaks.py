"""What must not be shown, and what is shown."""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import gatepass

PACKAGE = Path(gatepass.__file__).parent
# The shortest text that is looked for; shorter ones stand in any message by chance.
SHORTEST = 16
# Members of a form, and headers, that bear a secret.
BEARERS = {
    "assertion",
    "authorization",
    "client_secret",
    "refresh_token",
    "subject_token",
    "x-aws-ec2-metadata-token",
}
# Members of files and bodies that an error may well name.
OPEN = {
    "Code",
    "audience",
    "auth_uri",
    "client_email",
    "client_id",
    "error",
    "error_description",
    "gatepass_emulator",
    "issued_token_type",
    "message",
    "project_id",
    "scope",
    "service_account_impersonation_url",
    "status",
    "subject_token_type",
    "token_info_url",
    "token_type",
    "token_uri",
    "token_url",
    "type",
    "universe_domain",
}


def secrets_of(reply: dict[str, Any]) -> set[str]:
    """The secrets in a reply to the core: of variables what is called so, of all else what is long.

    Of a refusal in plain words, which are shown, the tokens that it repeats.
    """
    environment = reply.get("values", {}).items()
    texts = [
        value
        for name, value in environment
        if ("SECRET" in name or "TOKEN" in name) and not name.endswith("_FILE")
    ]
    texts += [reply[member] for member in ("text", "stdout") if member in reply]
    body = reply.get("body", "")
    is_in_words = reply.get("status", 200) >= 400 and not is_json(body)
    texts += re.findall(r"(?:eyJ|ya29\.)[\w.-]+", body) if is_in_words else [body]
    return {secret for text in texts for secret in secrets_in(text)}


def secrets_sent(step: dict[str, Any]) -> set[str]:
    """The secrets in a request: what the members of a form and the headers bear that are called so."""
    form = parse_qs(step["body"] or "")
    texts = [value for name in BEARERS for value in form.get(name, [])]
    texts += [value.partition(" ")[2] or value for name, value in step["headers"] if name.lower() in BEARERS]
    return {secret for text in texts for secret in secrets_in(text)}


def secrets_in(text: str) -> Iterator[str]:
    """The secrets in a file or body. Those of a key are its lines, those of a token its segments as well."""
    for secret in leaves(json.loads(text) if is_json(text) else text):
        parts = [secret, *secret.splitlines(), *secret.split(".")]
        yield from (part for part in parts if len(part) >= SHORTEST and not part.startswith("-----"))


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def leaves(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for name, member in value.items():
                if name not in OPEN or not isinstance(member, str):
                    yield from leaves(member)
        case list():
            for member in value:
                yield from leaves(member)


def shown_by(error: gatepass.GatepassError) -> str:
    """What a log or an error reporter may show: the error, its causes, and the variables of our frames."""
    shown = traceback.format_exception(error)
    for one in chain(error):
        shown += [repr(one), str(vars(one)), str(getattr(getattr(one, "refusal", None), "body", None))]
        for frame, _ in traceback.walk_tb(one.__traceback__):
            if Path(frame.f_code.co_filename).is_relative_to(PACKAGE):
                shown.append(str(frame.f_locals))
    return "\n".join(shown)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
