"""Runs tshark, the oracle of the tests in tests/oracle/, and gives its rows.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import shutil
import subprocess


def missing():
    return shutil.which("tshark") is None


def rows(capture, fields, display_filter=None, options=(), occurrence="a"):
    """A dict for each packet that the filter shows: field -> text, "" if the packet lacks it."""
    command = ["tshark", "-n", "-r", str(capture), "-T", "fields", "-E", f"occurrence={occurrence}"]
    if display_filter:
        command += ["-Y", display_filter]
    for option in options:
        command += ["-o", option]
    for field in fields:
        command += ["-e", field]
    # A damaged capture ends with an error after the packets before it: they count.
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if run.returncode != 0 and not run.stdout and "appears to have been cut short" not in run.stderr:
        raise RuntimeError(f"{capture}: {run.stderr}")
    for line in run.stdout.splitlines():
        yield dict(zip(fields, line.split("\t")))
