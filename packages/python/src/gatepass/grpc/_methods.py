"""Names of methods."""


def service_of(method: str | bytes) -> str:
    """The service of "/package.Service/Method"; `grpc.aio` has it in bytes."""
    text = method if isinstance(method, str) else method.decode()
    return text.strip("/").partition("/")[0]
