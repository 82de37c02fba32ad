"""Names what in two artefacts is not the same.

usage: differences.py NAME ONE OTHER, where ONE and OTHER are files
"""

import sys
from pathlib import Path

from archives import members

name = sys.argv[1]
one, other = (dict(members(name, Path(path).read_bytes())) for path in sys.argv[2:])
differing = [member for member in sorted(one.keys() | other.keys()) if one.get(member) != other.get(member)]
# Of an archive that differs in what is in it, that is what there is to say.
named = [member for member in differing if not any(longer.startswith(f"{member}: ") for longer in differing)]
print(*(f"differs: {member}" for member in named), sep="\n")
