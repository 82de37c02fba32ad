"""Looks into libraries for macOS that this machine cannot load, for what would keep macOS from loading them.

usage: macho.py MACOS LIBRARY…
MACOS is the oldest release that they are for. A LIBRARY may be a wheel with one in it.
"""

import struct
import sys
from pathlib import Path

from archives import members

# <mach-o/loader.h>, <mach-o/nlist.h>
MAGIC, ARM64 = 0xFEEDFACF, 0x0100000C
SYMBOL_TABLE, LOAD, IDENTITY, SIGNATURE, OLDEST = 0x2, 0xC, 0xD, 0x1D, 0x32
KIND, EXTERNAL, UNDEFINED = 0x0E, 0x01, 0x0
IN_WHATEVER_IS_LOADED = 0xFE
# What Node and Python bring themselves.
OF_THE_PROGRAM = ("_napi_", "_node_api_", "_Py", "__Py")


def text(content, start):
    return content[start : content.index(b"\0", start)].decode()


def version(number):
    return number >> 16, number >> 8 & 0xFF


def complaints(content, oldest):
    """Yields what is wrong with a library, in words."""
    at, commands = 32, {}
    for _ in range(struct.unpack_from("<I", content, 16)[0]):
        command, size = struct.unpack_from("<II", content, at)
        commands.setdefault(command & 0x7FFFFFFF, []).append(content[at : at + size])
        at += size
    if OLDEST not in commands:
        yield "says nothing of the macOS that it needs"
    for command in commands.get(OLDEST, []):
        _, needed = struct.unpack_from("<II", command, 8)
        if version(needed) > oldest:
            yield f"needs macOS {version(needed)}, expected {oldest}"
    if SIGNATURE not in commands and struct.unpack_from("<I", content, 4)[0] == ARM64:
        yield "is not signed: macOS on Apple's own processors does not load it"
    for command in commands.get(IDENTITY, []):
        name = text(command, struct.unpack_from("<I", command, 8)[0])
        if not name.startswith("@rpath/"):
            yield f"is called {name}, expected a name below @rpath: programs would look for it there"
    for command in commands.get(LOAD, []):
        name = text(command, struct.unpack_from("<I", command, 8)[0])
        if not name.startswith(("/usr/lib/", "/System/Library/Frameworks/")):
            yield f"needs {name}, which is no part of macOS"
    offset, count, strings, _ = struct.unpack_from("<IIII", commands[SYMBOL_TABLE][0], 8)
    for index in range(count):
        name, kind, _, description, _ = struct.unpack_from("<IBBHQ", content, offset + 16 * index)
        if kind & KIND == UNDEFINED and kind & EXTERNAL and description >> 8 == IN_WHATEVER_IS_LOADED:
            name = text(content, strings + name)
            if not name.startswith(OF_THE_PROGRAM):
                yield f"needs {name} of no library"


def main(oldest, *files):
    oldest = tuple(map(int, oldest.split(".")))
    wrong, seen = [], 0
    for file in files:
        libraries = [
            (name, content)
            for name, content in members(Path(file).name, Path(file).read_bytes())
            if len(content) > 32 and struct.unpack_from("<I", content)[0] == MAGIC
        ]
        if len(libraries) != 1:
            wrong.append(f"{file}: {len(libraries)} libraries for macOS, expected one")
        seen += len(libraries)
        wrong += [f"{name}: {complaint}" for name, content in libraries for complaint in complaints(content, oldest)]
    print(*wrong, f"{seen} libraries looked into", sep="\n")
    return 1 if wrong else 0


sys.exit(main(*sys.argv[1:]))
