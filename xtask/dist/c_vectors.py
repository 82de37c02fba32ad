"""Runs tests/vectors/verify through programs made of verify.c, the example in the archive for C.

usage: c_vectors.py VECTORS PROGRAM…
"""

import json
import subprocess
import sys
from pathlib import Path

vectors, programs = Path(sys.argv[1]), sys.argv[2:]
corpus = json.loads((vectors / "verify/attack_corpus.json").read_text())
codes = json.loads((vectors / "verify/codes.json").read_text())


def options(case):
    profile = corpus["profiles"][case["profile"]]
    said = {
        "preset": case["profile"],
        "audiences": [profile["audience"]],
        "keys": json.dumps(corpus["jwks"][case["jwks"]]),
        "leeway_seconds": case["leeway"],
    }
    email = case.get("opts", {}).get("email")
    return json.dumps(said | ({"allowed_emails": [email]} if email else {}))


def is_right(case, answer):
    if case["expected"] == "accept":
        return "iss" in answer
    return answer.get("code") in [code for reason in case["reasons"] for code in codes[reason]]


cases = corpus["cases"]
# The example takes a token a line.
lines = [case for case in cases if not set(case["token"]) & set("\n\0")]
assert len(lines) > 500, "there are hardly any cases"
passed, wrong = 0, []
for program in programs:
    for case in lines:
        command = [program, options(case), str(case["now"] * 1000)]
        line = case["token"].encode() + b"\n"
        done = subprocess.run(command, input=line, capture_output=True, timeout=60, check=True)
        if is_right(case, json.loads(done.stdout)):
            passed += 1
        else:
            wrong.append(f"{program}: {case['id']} {case['name']}: {done.stdout.decode().strip()}")
print(f"left out, for they cannot be a line: {len(cases) - len(lines)} of {len(cases)} tokens", *wrong, sep="\n")
result = "FAILED" if wrong else "ok"
print(f"test result: {result}. {passed} passed; {len(wrong)} failed; 0 ignored")
sys.exit(result != "ok")
