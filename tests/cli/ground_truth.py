"""The reports on recorded captures against what the applications wrote down themselves, and every finding against tshark.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from clicheck import LAB, SHARED, WSLEUTH, Checks, report, skip

check = Checks()
SCORE, PROVE = SHARED / "score.py", SHARED / "prove.py"
WHOLE = ("masking", "masking-2", "framing", "upgrade", "upgrade-2", "rolling-start", "polite-end", "ipv6-two-interfaces")
# What needs inflating: bytes of compressed messages, and whether they can be inflated at all.
BYTES = re.compile(r"(\S+) (?:c2s|s2c)\.bytes \d+ != \d+")
INVALID = re.compile(r"(missing )?deflate-invalid .*")
BUT_FOR_INFLATING = {"healthy": 4, "unusual-legal": 4, "framing-2": 14}
# A few captures, of each kind one: all of them take minutes, one run of tshark for each finding.
PROVED = ("capture-faults", "healthy", "ipv6-two-interfaces", "masking", "tls")


def score(name):
    command = [sys.executable, SCORE, WSLEUTH, LAB, name]
    return name, subprocess.run(command, capture_output=True, text=True, check=False).stdout


def prove(name):
    path = next(path for path in (LAB / f"{name}.pcap", LAB / f"{name}.pcapng") if path.exists())
    return name, subprocess.run([sys.executable, PROVE, WSLEUTH, path], capture_output=True, text=True,
                                check=False).stdout


def compressed(name):
    """Clients of this capture that compress."""
    return {connection["client"] for connection in report(LAB / f"{name}.pcap")["connections"]
            if "permessage-deflate" in connection.get("upgrade", {}).get("extensions", "")}


def parts(line):
    """'NAME: 12/13  what is wrong; what else' as the numbers and what is wrong."""
    match = re.match(r"\S+: (\d+)/(\d+)(?:  (.*))?$", line)
    return int(match[1]), int(match[2]), [what for what in (match[3] or "").split("; ") if what]


if not (SCORE.exists() and LAB.is_dir()):
    skip(f"{SCORE} or {LAB} is not there")
with ThreadPoolExecutor(os.cpu_count()) as threads:
    for name, output in threads.map(score, [*WHOLE, *BUT_FOR_INFLATING]):
        check.about(f"score {name}")
        if not check.that(output, "no output"):
            continue
        right, total, wrong = parts(output.splitlines()[0])
        check.count += right
        inflating = compressed(name) if name in BUT_FOR_INFLATING else ()
        for what in wrong:
            size = BYTES.fullmatch(what)
            excused = name in BUT_FOR_INFLATING and (size and size[1] in inflating or INVALID.fullmatch(what))
            check.that(excused, what)
        check.equal(total - right, BUT_FOR_INFLATING.get(name, 0), "number of what is not right yet")
        check.equal(len(wrong), total - right, "number of what is told")
    if not shutil.which("tshark"):
        print("(findings were not proved: tshark is not installed)")
    else:
        for name, output in threads.map(prove, PROVED):
            check.about(f"prove {name}")
            check.that(re.search(rf"^{re.escape(name)}\.pcap(ng)?: (\d+)/\2$", output, re.M), output.strip())
check.end(f"{len(WHOLE) + len(BUT_FOR_INFLATING)} captures against ground truth, findings of {len(PROVED)} proved by tshark")
