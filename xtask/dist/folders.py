"""Looks for folders of the machine in the artefacts that it has made, archives included.

usage: folders.py DIST KINDS FOLDERS, lists separated by commas
"""

import sys
from pathlib import Path

from archives import members

dist, kinds, folders = Path(sys.argv[1]), sys.argv[2].split(","), sys.argv[3].split(",")
count, found = 0, []
for kind in kinds:
    for path in sorted((dist / kind).rglob("*")):
        if path.is_file():
            for name, content in members(str(path.relative_to(dist)), path.read_bytes()):
                count += 1
                found += [f"{name} names {folder}" for folder in folders if folder.encode() in content]
assert count > 100, f"there are hardly any files in {dist}"
print(f"{count} files name none of {', '.join(folders)}" if not found else "\n".join(found))
sys.exit(bool(found))
