"""Exit statuses, where output goes and what happens when it cannot, colours, progress, help, explain and bad options.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import fcntl
import os
import pty
import re
import shutil
import signal
import subprocess
import tempfile
import time

import wsbuild
from clicheck import WSLEUTH, Checks, run, strict
from contract import BUILT, COMMANDS, OPTIONS

check = Checks()
FORMS = (("report", "-f", "text"), ("report", "-f", "json"), ("report", "-f", "ndjson"), ("frames", "-f", "text"),
         ("frames", "-f", "ndjson"))
SEVERITIES = ("note", "warning", "error")
IGNORE_PIPES = {"preexec_fn": lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN)}


def one_of_each(folder):
    """Captures whose worst finding is of this severity."""
    note, warning, error, none = (wsbuild.Capture() for _ in range(4))
    wsbuild.Tcp(note).connect().upgrade().send(wsbuild.TEXT, b"x").fin_by_client()
    wsbuild.Tcp(warning).connect().upgrade(status=b"503 Service Unavailable").fin()
    wsbuild.unmasked(error)
    wsbuild.healthy(none)
    return {name: wsbuild.write(folder, f"{name}.pcap", capture.pcap())
            for name, capture in (("note", note), ("warning", warning), ("error", error), ("none", none))}


def large(folder):
    capture = wsbuild.Capture()
    for _ in range(150):
        wsbuild.unmasked(capture)
    return wsbuild.write(folder, "large.pcap", capture.pcap())


def fail_on(captures):
    for worst, path in captures.items():
        for form in FORMS[:3]:
            check.about(f"{form[2]}, worst finding {worst}")
            check.equal(run(*form, path).status, 0, "status without --fail-on")
            for level in SEVERITIES:
                met = worst != "none" and SEVERITIES.index(worst) >= SEVERITIES.index(level)
                check.equal(run(*form, "--fail-on", level, path).status, int(met), f"status with --fail-on {level}")


def output_files(folder, captures, big):
    good, target = captures["error"], os.path.join(folder, "out")
    for form in FORMS:
        check.about(f"-o, {' '.join(form)}")
        for old in (None, b"old"):
            if old:
                wsbuild.write(folder, "out", old)
            result = run(*form, "-o", target, good)
            check.equal((result.status, result.out, result.err), (0, b"", b""), "status and streams")
            with open(target, "rb") as file:
                check.equal(file.read(), run(*form, good).out, "the file")
        check.equal([name for name in os.listdir(folder) if name.startswith("out.")], [], "leftovers")
        wsbuild.write(folder, "out", b"old")
        for bad in ("absent.pcap", "."):
            check.equal(run(*form, "-o", target, os.path.join(folder, bad)).status, 2, "status without a capture")
            with open(target, "rb") as file:
                check.equal(file.read(), b"old", f"the file after failing on {bad}")
        os.remove(target)
        run(*form, "-o", target, os.path.join(folder, "absent.pcap"))
        check.that(not os.path.exists(target), "a file appears although nothing could be read")
        result = run(*form, "-o", os.path.join(folder, "no/such/folder"), good)
        check.that(result.status == 2 and "no/such/folder" in result.message, f"no folder: {result.message!r}")
        result = run(*form, "-o", folder, good)
        check.that(result.status == 2 and folder in result.message, f"a folder: {result.message!r}")
    killed(folder, big)
    disk_full(folder, big)


def killed(folder, big):
    """Killed while it reads: an old report stays. Interrupted: what was read may come, but never as if it were all."""
    target = wsbuild.write(folder, "kept", b"old")
    with open(big, "rb") as file:
        data = file.read()
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        check.about(f"-o, {number.name} while reading")
        wsbuild.write(folder, "kept", b"old")
        process = subprocess.Popen([WSLEUTH, "-f", "json", "-o", target, "-"], stdin=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        process.stdin.write(data[:-100])
        process.stdin.flush()
        time.sleep(0.3)
        process.send_signal(number)
        time.sleep(0.3)
        process.stdin.close()
        message = process.stderr.read()
        process.wait(20)
        check.that(process.returncode, f"status 0, message {message!r}")
        with open(target, "rb") as file:
            content = file.read()
        check.that(content == b"old" or strict(content)["capture"]["complete"] is False,
                   "a part of the capture is reported as if it were complete")
    for name in os.listdir(folder):
        if name.startswith("kept."):
            os.remove(os.path.join(folder, name))


def disk_full(folder, big):
    check.about("-o, disk full")
    if os.geteuid() != 0 or not shutil.which("unshare"):
        print("(a full disk was not tried: that takes root and unshare)")
        return
    mounted = os.path.join(folder, "tiny")
    os.mkdir(mounted)
    script = f"mount -t tmpfs -o size=64k none {mounted} && cd {mounted} && {WSLEUTH} -f json -o report {big}; " \
             "status=$?; ls; exit $status"
    result = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True)
    if b"mount:" in result.stderr or b"unshare:" in result.stderr:
        print("(a full disk was not tried: a tmpfs cannot be mounted)")
        return
    check.equal(result.returncode, 2, "status")
    check.that(b"report" in result.stderr and b"No space" in result.stderr, f"message {result.stderr!r}")
    check.equal(result.stdout, b"", "files left")


def full_device(captures, big):
    commands = [(*form, path) for form in FORMS for path in (captures["none"], big)]
    for command in [*commands, ("explain",), ("explain", "mask-missing"), ("--version",), ("--help",)]:
        check.about(f"{' '.join(command)} > /dev/full")
        with open("/dev/full", "wb") as full:
            result = run(*command, stdout=full)
        check.equal(result.status, 2, "status")
        check.that("No space left" in result.message, f"message {result.message!r}")
    check.about("--fail-on > /dev/full")
    with open("/dev/full", "wb") as full:
        check.equal(run("--fail-on", "note", big, stdout=full).status, 2, "status")
    check.about("-o /dev/full")
    check.equal(run("-o", "/dev/full", big).status, 2, "status")


def closed_pipe(big):
    for form in FORMS:
        for options in ({}, IGNORE_PIPES):
            check.about(f"{' '.join(form)} | head -c 1" + (", SIGPIPE ignored" if options else ""))
            process = subprocess.Popen([WSLEUTH, *form, "--all", big], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       bufsize=0, restore_signals=not options, **options)
            fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
            process.stdout.read(1)
            process.stdout.close()
            message = process.stderr.read()
            process.wait(20)
            check.that(process.returncode == -signal.SIGPIPE or process.returncode > 0,
                       f"status {process.returncode}")
            check.that(message.count(b"\n") <= 1, f"not a quiet end: {message!r}")


def on_terminal(arguments, environment=None, stream="stdout", feed=()):
    """What a run writes to one stream that is a terminal; `feed`: pieces for standard input and pauses in seconds."""
    master, slave = pty.openpty()
    others = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: slave}
    process = subprocess.Popen([WSLEUTH, *arguments], stdin=subprocess.PIPE, env={**os.environ, **(environment or {})},
                               **others)
    os.close(slave)
    for piece in feed:
        if isinstance(piece, bytes):
            process.stdin.write(piece)
            process.stdin.flush()
        else:
            time.sleep(piece)
    process.stdin.close()
    out = b""
    try:
        while piece := os.read(master, 65536):
            out += piece
    except OSError:
        pass  # how a terminal tells that its other end is closed
    os.close(master)
    process.wait(20)
    return out


def colours(folder, path):
    os.environ.pop("NO_COLOR", None)
    check.about("colours")
    coloured = on_terminal([path])
    check.that(b"\x1b[" in coloured, "none on a terminal")
    check.equal(re.sub(rb"\x1b\[[0-9;]*m", b"", coloured).replace(b"\r\n", b"\n"), run(path).out,
                "the text on a terminal, but for colours,")
    for name, arguments, environment in (("NO_COLOR=1", [path], {"NO_COLOR": "1"}), ("json", ["-f", "json", path], {}),
                                         ("ndjson", ["-f", "ndjson", path], {})):
        check.that(b"\x1b" not in on_terminal(arguments, environment), f"on a terminal, with {name}")
    check.that(b"\x1b[" in on_terminal([path], {"NO_COLOR": ""}), "an empty NO_COLOR does not count (no-color.org)")
    target = os.path.join(folder, "colourless")
    on_terminal(["-o", target, path])
    with open(target, "rb") as file:
        check.that(b"\x1b" not in file.read(), "in a file, from a terminal")
    for form in FORMS:
        check.that(b"\x1b" not in run(*form, path).out, f"piped, {' '.join(form)}")


def progress(path):
    """Told on a terminal once the work takes longer than a second."""
    capture = wsbuild.Capture()
    wsbuild.Tcp(capture).packet(0, wsbuild.ACK)
    data = capture.pcap()
    piece = data[24:] * 70_000
    feed = (data[:24], piece, 1.2, piece, 0.3, piece)
    check.about("progress")
    check.that(b"packets" in on_terminal(["-"], stream="stderr", feed=feed), "none on a terminal")
    check.equal(on_terminal(["-q", "-"], stream="stderr", feed=feed), b"", "on a terminal, with -q,")
    check.equal(on_terminal([path], stream="stderr"), b"", "on a terminal, of quick work,")
    process = subprocess.Popen([WSLEUTH, "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    for part in feed:
        process.stdin.write(part) if isinstance(part, bytes) else time.sleep(part)
    process.stdin.close()
    check.equal(process.stderr.read(), b"", "piped")
    process.wait(20)


def help_and_version(path):
    check.about("--version")
    result = run("--version")
    check.equal(result.status, 0, "status")
    check.equal(result.text, f"wsleuth {run('-f', 'json', path).json['version']}\n", "what it says")
    for arguments in (["--help"], ["-h"], ["report", "--help"], ["frames", "--help"], ["explain", "--help"]):
        check.about(" ".join(arguments))
        result = run(*arguments)
        check.equal((result.status, result.err), (0, b""), "status and message")
        for word in (*COMMANDS, *OPTIONS, "--version", "--help", "Exit status"):
            check.that(word in result.text, f"{word} is missing")
    check.about("-q and -v")
    check.equal(run("-q", path).err, b"", "standard error with -q")
    check.that("12 packets" in run("-v", path).message, "-v does not say how many packets")
    check.equal(run("-v", path).out, run(path).out, "standard output with -v")


def explain():
    check.about("explain")
    listed = run("explain")
    check.equal((listed.status, listed.err), (0, b""), "status and message")
    for finding, (severity, keys) in BUILT.items():
        check.about(f"explain {finding}")
        check.that(re.search(rf"^ *{finding} +{severity}\b", listed.text, re.M), "the list lacks it")
        result = run("explain", finding)
        check.equal((result.status, result.err), (0, b""), "status and message")
        check.that(result.text.startswith(f"{finding}:"), "it does not begin with the id")
        check.that(severity in result.text and "What to do" in result.text, "no severity, or not what to do")
        check.that("RFC " in result.text or finding.startswith("capture-") or finding in
                   ("stream-desync", "analysis-limited"), "not where it is specified")
        for key in keys:
            check.that(re.search(rf"^ *{key}\b", result.text, re.M), f"the evidence {key} is missing")
        check.that(max(map(len, result.text.split("\n"))) <= 100, "more than 100 columns")
    check.about("explain nothing")
    result = run("explain", "no-such-finding")
    check.equal((result.status, result.out), (2, b""), "status and output")
    check.that("no-such-finding" in result.message, f"message {result.message!r}")


BAD = [("--fail-on", "fatal"), ("--fail-on", ""), ("--min-severity", "Error"), ("--format", "xml"), ("--only", "nothing"),
       ("--only", "mask-missing,nothing"), ("--only", ""), ("--stream", "x"), ("--stream", "-1"),
       ("--stream", "99999999999"), ("--stream", "1e3"), ("--stream", ""), ("--connection", "0"), ("--connection", "x"),
       ("--server", "nowhere at all"), ("--server", "10.0.0.999"), ("--server", "10.0.0.1:99999"), ("--server", ""),
       ("--from", "yesterday"), ("--from", ""), ("--from", "nan"), ("--to", "2026-13-45T00:00:00Z"), ("--to", "+x"),
       ("--max-connections", "-1"), ("--max-connections", "many"), ("--max-findings", "1.5"), ("--max-proof", "x"),
       ("--port", "0"), ("--port", "65536"), ("--port", "http"), ("--port", "80,"), ("--port", ""), ("--set", "nothing=1"),
       ("--set", "linger_s"), ("--set", "linger_s=-1"), ("--set", "linger_s=nan"), ("--set", "linger_s=1x"),
       ("--set", "linger_s="), ("--capture-filter", "no such filter ("), ("--nothing", "x"), ("-Z", "x")]


def bad_options(path):
    for option, value in BAD:
        check.about(f"{option} {value!r}")
        result = run(option, value, path)
        check.equal((result.status, result.out), (2, b""), "status and output")
        named = "setting" if value == "nothing=1" else value.split("=")[0] if option == "--set" else option.strip("-")
        named = named.replace("-", "[- ]")
        check.that(result.message.startswith("wsleuth: ") and re.search(named, result.message),
                   f"no helpful message: {result.message!r}")
    check.about("options without their values")
    for option in ("--stream", "-o", "--set", "-f"):
        check.equal(run(path, option).status, 2, f"status of {option}")
    check.about("an interface and a capture")
    check.equal(run("-i", "lo", path).status, 2, "status")


with tempfile.TemporaryDirectory() as folder:
    captures, big = one_of_each(folder), large(folder)
    fail_on(captures)
    output_files(folder, captures, big)
    full_device(captures, big)
    closed_pipe(big)
    colours(folder, captures["error"])
    progress(captures["error"])
    help_and_version(captures["error"])
    explain()
    bad_options(captures["error"])
check.end("exit statuses and output: whole or an error, colours and progress for terminals only, help for everything")
