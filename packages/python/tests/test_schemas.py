"""Every file of vectors fits the schema beside it."""

import json
from pathlib import Path

import jsonschema
import pytest

VECTORS = Path(__file__).parents[3] / "tests" / "vectors"


@pytest.mark.parametrize("folder", ["acquire", "cache", "client", "credentials", "http", "verify"])
def test_vectors_fit_their_schema(folder: str) -> None:
    schema = json.loads((VECTORS / folder / "schema.json").read_text())
    others = {"schema.json", "codes.json"}
    files = [file for file in (VECTORS / folder).glob("*.json") if file.name not in others]
    assert files
    for file in files:
        jsonschema.validate(json.loads(file.read_text()), schema)
