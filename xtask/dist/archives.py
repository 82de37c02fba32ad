"""Files, and those in them if they are archives."""

import io
import tarfile
import zipfile


def members(name, content):
    """Yields each name with its content, an archive before what is in it."""
    yield name, content
    if name.endswith((".whl", ".zip", ".jar")):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                yield from members(f"{name}: {member.filename}", archive.read(member))
    elif name.endswith((".tgz", ".tar.gz", ".crate")):
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            for member in archive.getmembers():
                if member.isfile():
                    yield from members(f"{name}: {member.name}", archive.extractfile(member).read())
