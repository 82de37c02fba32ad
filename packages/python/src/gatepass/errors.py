"""What can go wrong, by family. `code` says what it was, the message what to do about it."""

from __future__ import annotations

# typing itself is not imported when a program runs: it would double the time of `import gatepass`.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatepass._types import ErrorCode, Reason, Step


class Refusal:
    """How a receiving service answers a request that it refuses."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Sequence[tuple[str, str]], body: str) -> None:
        self.status = status
        """The HTTP status."""
        self.headers = [(name, value) for name, value in headers]
        """The headers, among them the body's content type."""
        self.body = body
        """A JSON object with the error's code. The message stays with the service's own log."""

    def __repr__(self) -> str:
        return f"Refusal(status={self.status})"


class GrpcStatus:
    """How a gRPC server answers a call that it refuses."""

    __slots__ = ("code", "details", "message")

    def __init__(self, code: int, message: str, details: str) -> None:
        from binascii import a2b_base64

        self.code = code
        """The number of the status code."""
        self.message = message
        """The error's code, and what the caller can do."""
        self.details = a2b_base64(details)
        """A serialized `google.rpc.Status`, the value of the trailer `grpc-status-details-bin`."""

    def __repr__(self) -> str:
        return f"GrpcStatus(code={self.code})"


class GatepassError(Exception):
    """Any error of gatepass; itself one in the use of gatepass, such as an option that makes no sense.

    The message says what was found, what was expected and what to do. It never holds a token or a key.
    """

    def __init__(
        self,
        message: str,
        *,
        code: ErrorCode = "INTERNAL",
        retryable: bool = False,
        claim: str | None = None,
        reason: Reason | None = None,
        found: str | list[str] | None = None,
        expected: str | list[str] | None = None,
        claimed_email: str | None = None,
        refusal: Refusal | None = None,
        grpc_status: GrpcStatus | None = None,
        grpc_call_code: int = 16,
    ) -> None:
        super().__init__(message)
        self.code = code
        """What went wrong, as a stable word."""
        self.retryable = retryable
        """Whether the same call may succeed later without a change."""
        self.claim = claim
        """The claim or header parameter of the token that the error is about, if it is about one."""
        self.reason = reason
        """What is the matter with it, of a token that is refused, if it is one of these."""
        self.found = found
        """What was found there, shortened, if that is no secret."""
        self.expected = expected
        """What would have been accepted."""
        self.claimed_email = claimed_email
        """Whom a token that is refused claims to speak for. Nothing proves it."""
        self.refusal = refusal or Refusal(500, [], "")
        """The answer of a service that received the token in a request."""
        self.grpc_status = grpc_status or GrpcStatus(13, code, "")
        """The answer of a gRPC server that received the token in a call."""
        self.grpc_call_code = grpc_call_code
        """The number of the status with which a client's gRPC call ends whose token cannot be had because of
        this: UNAVAILABLE, which clients repeat, if it may succeed later, else UNAUTHENTICATED."""


class CredentialsError(GatepassError):
    """The credentials cannot be found, read or used."""


class TransportError(GatepassError):
    """An endpoint cannot be reached, or answers nothing useful."""


class VerifyError(GatepassError):
    """A received token is refused, or the issuer's keys cannot be had."""


def error_from(fields: Step) -> GatepassError:
    """Makes the error of this JSON form. The native module raises what this gives."""
    kind = _KINDS.get(fields["kind"], GatepassError)
    return kind(
        fields["message"],
        code=fields["code"],
        retryable=fields["retryable"],
        claim=fields["claim"],
        reason=fields["reason"],
        found=fields["found"],
        expected=fields["expected"],
        claimed_email=fields["claimed_email"],
        refusal=Refusal(**fields["refusal"]),
        grpc_status=GrpcStatus(**fields["grpc"]),
        grpc_call_code=fields["grpc_call_code"],
    )


_KINDS = {"credentials": CredentialsError, "transport": TransportError, "verify": VerifyError}
