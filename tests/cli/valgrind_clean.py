"""valgrind finds nothing in a run of the program, from a report in each format to the frames.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

from clicheck import CAPTURES, WSLEUTH, Checks, skip

check = Checks()
FOUND = 9
RUNS = [(form, name) for name in ("healthy", "framing")
        for form in (("-f", "text", "--all"), ("-f", "json"), ("-f", "ndjson"), ("frames", "-f", "ndjson"))]


def under_valgrind(arguments):
    command = ["valgrind", "-q", f"--error-exitcode={FOUND}", "--leak-check=full",
               "--errors-for-leak-kinds=definite,possible", WSLEUTH, *arguments]
    return arguments, subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)


def sanitized():
    """ASan's shadow memory and valgrind's do not go together."""
    with open(WSLEUTH, "rb") as file:
        return b"__asan_init" in file.read()


if not shutil.which("valgrind"):
    skip("valgrind is not installed")
if sanitized():
    skip("this build has the sanitizers in it, which look for the same")
with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as threads:
    cut = os.path.join(folder, "cut.pcap")
    with open(CAPTURES / "framing.pcap", "rb") as whole, open(cut, "wb") as file:
        file.write(whole.read()[:-7])
    runs = [[*form, str(CAPTURES / f"{name}.pcap")] for form, name in RUNS]
    for arguments, result in threads.map(under_valgrind, [*runs, ["explain"], ["--help"], ["--stream", "x", cut], [cut]]):
        check.about(" ".join(arguments))
        check.that(result.returncode != FOUND, result.stderr[:2000])
        check.that(result.returncode in (0, 2, 3), f"status {result.returncode}")
check.end("valgrind")
