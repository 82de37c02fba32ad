"""Runs tests/vectors/verify through programs that take a token a line.

usage: vectors.py VECTORS PROGRAM…
A PROGRAM whose name begins with verify is made of verify.c, the example in the archive for C; gatepass is our own.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

vectors, programs = Path(sys.argv[1]), sys.argv[2:]
corpus = json.loads((vectors / "verify/attack_corpus.json").read_text())
codes = json.loads((vectors / "verify/codes.json").read_text())
folder = Path(tempfile.mkdtemp())
for name, keys in corpus["jwks"].items():
    (folder / name).write_text(json.dumps(keys))


def command(program, case):
    audience = corpus["profiles"][case["profile"]]["audience"]
    email = case.get("opts", {}).get("email")
    if Path(program).name.startswith("verify"):
        options = {
            "preset": case["profile"],
            "audiences": [audience],
            "keys": (folder / case["jwks"]).read_text(),
            "leeway_seconds": case["leeway"],
        } | ({"allowed_emails": [email]} if email else {})
        return [program, json.dumps(options), str(case["now"] * 1000)]
    options = ["--preset", case["profile"], "--audience", audience, "--keys", str(folder / case["jwks"])]
    options += ["--leeway", str(case["leeway"]), "--now", str(case["now"])] + (["--email", email] if email else [])
    return [program, "verify", "--json", *options, "-"]


def is_right(case, answer):
    if case["expected"] == "accept":
        return "iss" in answer.get("claims", answer)
    return answer.get("code") in [code for reason in case["reasons"] for code in codes[reason]]


cases = corpus["cases"]
# A token with the end of a line in it is none of these programs' input; those with spaces around them are trimmed.
lines = [case for case in cases if not set(case["token"]) & set("\n\r\0") and case["token"] == case["token"].strip()]
lines = [case for case in lines if case["token"]]
assert len(lines) > 500, "there are hardly any cases"
passed, wrong = 0, []
for program in programs:
    for case in lines:
        line = case["token"].encode() + b"\n"
        done = subprocess.run(command(program, case), input=line, capture_output=True, timeout=60)
        output = done.stdout.decode().strip()
        if output and is_right(case, json.loads(output)):
            passed += 1
        else:
            wrong.append(f"{program}: {case['id']} {case['name']}: {output} {done.stderr.decode()}")
print(f"left out, for they cannot be a line: {len(cases) - len(lines)} of {len(cases)} tokens", *wrong, sep="\n")
result = "FAILED" if wrong else "ok"
print(f"test result: {result}. {passed} passed; {len(wrong)} failed; 0 ignored")
sys.exit(result != "ok")
