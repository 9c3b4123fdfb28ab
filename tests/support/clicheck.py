"""Runs wsleuth as its users do, and collects what does not hold.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

SKIPPED = 77
ROOT = Path(os.environ.get("WSLEUTH_ROOT", Path(__file__).resolve().parents[2]))
WSLEUTH = os.environ.get("WSLEUTH", str(ROOT / "build/bin/wsleuth"))
CAPTURES = ROOT / "captures"
LAB = ROOT.parent / "shared/captures/lab"
SHARED = ROOT.parent / "shared"
SANITIZER = re.compile(rb"(AddressSanitizer|LeakSanitizer|runtime error|UndefinedBehavior).*")


class Run:
    """What a run left: `status`, `out` and `err` (bytes), `text`, `json`."""

    def __init__(self, arguments, **options):
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        options.setdefault("timeout", 120)
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        self.command = "wsleuth " + " ".join(str(argument) for argument in arguments)
        process = subprocess.run([WSLEUTH, *map(str, arguments)], **options)
        self.status, self.out, self.err = process.returncode, process.stdout or b"", process.stderr or b""
        broken = SANITIZER.search(self.err)
        if broken:
            sys.exit(f"{self.command}: {self.err.decode(errors='replace')}")

    @property
    def text(self):
        return self.out.decode()

    @property
    def message(self):
        return self.err.decode(errors="backslashreplace")

    @property
    def json(self):
        return strict(self.out)

    @property
    def lines(self):
        return [strict(line) for line in self.out.splitlines()]


def run(*arguments, **options):
    return Run(arguments, **options)


def report(*arguments, **options):
    """The JSON report, which must come."""
    result = run("-f", "json", *arguments, **options)
    try:
        return result.json
    except ValueError as error:
        sys.exit(f"{result.command}: status {result.status}, no JSON ({error}): {result.message}")


def strict(data):
    """JSON as RFC 8259 has it: UTF-8, no name twice in an object, no NaN. Numbers with a point become str-exact Decimals."""
    from decimal import Decimal

    def once(pairs):
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            raise ValueError(f"names that repeat: {sorted(name for name in set(names) if names.count(name) > 1)}")
        return dict(pairs)

    def never(constant):
        raise ValueError(f"{constant} is no JSON")

    return json.loads(data.decode("utf-8"), object_pairs_hook=once, parse_constant=never, parse_float=Decimal)


class Checks:
    """Counts what holds; says what does not."""

    def __init__(self):
        self.count = 0
        self.wrong = []
        self.topic = ""

    def about(self, topic):
        self.topic = topic
        return self

    def that(self, holds, what):
        self.count += 1
        if not holds:
            self.wrong.append(f"{self.topic}: {what}" if self.topic else what)
        return bool(holds)

    def equal(self, got, wanted, what):
        return self.that(got == wanted, f"{what} is {shorten(got)}, not {shorten(wanted)}")

    def end(self, what):
        """Says the result and leaves."""
        for line in self.wrong:
            print("WRONG", line)
        print(f"{what}: {self.count - len(self.wrong)} of {self.count} checks hold")
        sys.exit(1 if self.wrong or not self.count else 0)


def shorten(value):
    text = repr(value)
    return text if len(text) < 300 else text[:300] + "…"


def skip(why):
    print("skipped:", why)
    sys.exit(SKIPPED)
