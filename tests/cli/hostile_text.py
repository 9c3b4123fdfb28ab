"""Text from the wire: no control byte and no credential gets into any output, whatever field it comes in.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import base64
import json
import re
import tempfile

import wsbuild
from clicheck import Checks, run, strict

check = Checks()
FORMS = (("report", "-f", "text", "--all"), ("report", "-f", "json"), ("report", "-f", "ndjson"),
         ("frames", "-f", "text"), ("frames", "-f", "ndjson"))

# Each between an x and a y, so that what is left of it can be found. CR and LF end a header line, NUL is refused by most.
CONTROLS = [b"\x1b]0;owned\x07", b"\x1b[2J", b"\xc2\x9b31m", b"\x9b31m", b"\x7f", b"\x08\x08", b"\t",
            "\u202eevil\u202c".encode(), "\u2066a\u2069".encode(), "\u200f\u061c".encode(), b"\xff\xfe", b"\xc0\xaf",
            b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", "\u2028\u2029".encode(), b"\x00", b"\x0b\x0c", b"\x85"]
HOSTILE = b"x" + b"yx".join(CONTROLS) + b"y"
SAFE_CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

JWT = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in (
    b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"user-4711","admin":true}', bytes(range(130, 162))))
SECRETS = {
    "token in the path": b"t0kenV4lue9876abcd",
    "percent-encoded name": b"pcEnc0dedNameValue77",
    "percent-encoded value": b"s3cr%65tInPercent41",
    "api key": b"ak-55ddKEYvalue0917",
    "password": b"hunter2hunter",
    "cookie": b"sess10nC00kie4242xyz",
    "basic": base64.b64encode(b"alice:wonderland-2026"),
    "bearer": b"b34rerT0kenValue123abcXYZ",
    "jwt": JWT,
    "origin user": b"0riginPassw0rd",
    "host": b"h0stT0kenValue9911",
    "user agent": b"uaT0kenValue5566",
    "reason": b"reas0nT0kenABC987",
    "status": b"phraseT0ken7788xyz",
    "random": b"Zk83hWq0PbXn5TtVr2LmYc9D",
    "hex": b"9f86d081884c7d659a2feaa0c55ad015",
    "uuid": b"1b4e28ba-2fa1-11d2-883f-0016d3cca427",
    "subprotocol": b"Yx71QmR4vT8kLw2ZpD6nBs0H",
    "extension": b"extT0kenValue3141",
    "retry": b"r3tryT0kenValue88xx",
}


def carriers(capture, text, secrets):
    """Conversations that carry the text, or the secrets, in each field that a report can show."""
    def secret(name):
        return secrets[name]

    no_space = text.replace(b"\t", b"")  # a blank would end the path
    inside = no_space.replace(b"\x0b\x0c", b"")
    path = (b"/a/" + inside + b"?token=" + secret("token in the path") + b"&%74oke%6e=" + secret("percent-encoded name")
            + b"&auth=" + secret("percent-encoded value") + b"&api_key=" + secret("api key") + b"&password="
            + secret("password") + b"&v=" + secret("random") + b"&h=" + secret("hex"))
    request = [b"Cookie: sid=" + secret("cookie") + b"; other=" + text, b"Authorization: Basic " + secret("basic"),
               b"Origin: https://bob:" + secret("origin user") + b"@example.org/" + text,
               b"User-Agent: Mozilla/5.0 (X11; Linux x86_64) token=" + secret("user agent") + b" " + text,
               b"Sec-WebSocket-Protocol: chat, " + secret("jwt") + b", " + secret("subprotocol"),
               b"X-Forwarded-For: " + text, b"Sec-WebSocket-Extensions: x-own; token=" + secret("extension")]
    tcp = wsbuild.Tcp(capture).connect()
    tcp.upgrade(path, b"token=" + secret("host") + b";host" + inside, request,
                [b"Sec-WebSocket-Protocol: " + secret("jwt"), b"Sec-WebSocket-Extensions: x-own; token=" +
                 secret("extension")])
    tcp.send(wsbuild.TEXT, text + b" token=" + secret("token in the path"))
    tcp.close(4000, (b"token=" + secret("reason") + b" " + text)[:123])
    tcp = wsbuild.Tcp(capture).connect()
    tcp.upgrade(b"/refused?session=" + secret("uuid"), request=[b"Authorization: Bearer " + secret("bearer")],
                response=[b"Retry-After: token=" + secret("retry") + text],
                status=b"403 token=" + secret("status") + b" " + text).fin()
    tcp = wsbuild.Tcp(capture).connect()
    tcp.upgrade(b"/accept", accept=b"token=" + secret("status") + text,
                response=[b"Sec-WebSocket-Protocol: token=" + secret("subprotocol") + b" " + text,
                          b"Sec-WebSocket-Extensions: " + text + b"; token=" + secret("extension")]).close()
    tcp = wsbuild.Tcp(capture).connect()
    tcp.up(b"GET /bad?token=" + secret("token in the path") + b" HTTP/1.1" + text + b"\r\nHost: a\r\nUpgrade: websocket" +
           text + b"\r\nConnection: upgrade\r\nSec-WebSocket-Key: " + secret("random") + b"\r\nSec-WebSocket-Version: " +
           text + b"\r\n\r\n")
    tcp.down(b"HTTP/1.1 101 " + text + b"\r\nUpgrade: " + text + b"\r\nConnection: Upgrade\r\n\r\n").fin()
    for number in range(2):  # a text that two findings hold in the same way
        tcp = wsbuild.Tcp(capture, client=f"10.0.1.{number}").connect()
        tcp.upgrade(b"/same?token=" + secret("token in the path"), b"example.org").close()


def outputs(path, *arguments):
    for form in FORMS:
        check.about(" ".join([*form, *arguments]))
        result = run(*form, *arguments, path)
        check.equal(result.status, 0, "status")
        yield form, result


def clean_text(result, escaped):
    for name, stream in (("standard output", result.out), ("standard error", result.err)):
        try:
            text = stream.decode("utf-8")
        except UnicodeDecodeError as error:
            check.that(False, f"{name} is not UTF-8: {error}")
            continue
        found = SAFE_CONTROLS.search(text if not escaped else re.sub("[\u007f-\U0010ffff]", "", text))
        check.that(not found, f"{name} holds a control: {found and text[max(0, found.start() - 40):found.end() + 20]!r}")
        check.that(not escaped or "\x7f" not in text and not re.search("[\x80-\x9f]", text), f"{name} holds DEL or C1 raw")


def controls(folder):
    capture = wsbuild.Capture()
    carriers(capture, HOSTILE, {name: b"none" for name in SECRETS})
    path = wsbuild.write(folder, "controls.pcap", capture.pcap())
    for arguments in ([], ["--show-secrets"]):
        for form, result in outputs(path, *arguments):
            escaped = form[2] in ("json", "ndjson")
            clean_text(result, escaped)
            if escaped:
                for line in [result.out] if form[2] == "json" else result.out.splitlines():
                    try:
                        strict(line)
                    except ValueError as error:
                        check.that(False, f"no JSON: {error}")
    check.about("the text shows what was there")
    text = run("--all", path).text
    joined = re.sub(r"\s+", "", text)
    for piece in (r"\x1b]0;owned\x07", r"\x1b[2J", r"\xc2\x9b31m", r"\x9b31m", r"\x7f", r"\xff\xfe", r"\xe2\x80\xae"):
        check.that(piece in joined, f"{piece} is not shown so")


def one_at_a_time(folder):
    """Each control alone, in a Close reason and in a path; one whole connection each, so that none hides another."""
    capture = wsbuild.Capture()
    for control in CONTROLS:
        tcp = wsbuild.Tcp(capture).connect().upgrade(b"/p" + control.replace(b"\t", b"").replace(b"\x0b\x0c", b"") + b"q")
        tcp.close(1000, b"r" + control + b"s")
        wsbuild.Tcp(capture).connect().upgrade(status=b"500 r" + control + b"s").fin()
    for reason in (b"a\nb", b"a\r\nWARNING  forged: a finding", b"\n\n\x1b[31m"):
        wsbuild.Tcp(capture).connect().upgrade().close(1000, reason)
    path = wsbuild.write(folder, "each.pcap", capture.pcap())
    for form, result in outputs(path):
        clean_text(result, form[2] in ("json", "ndjson"))
        if form[2] == "json":
            reasons = {connection["close"].get("reason") for connection in json.loads(result.out)["connections"]
                       if "close" in connection}
            check.that({"a\nb", "r\x1b[2Js", "r\ufffd\ufffds"} <= reasons, f"reasons are changed: {sorted(map(str, reasons))}")


def names_that_meet(folder):
    """Paths that differ in their invalid bytes alone: one name in JSON, which must not repeat it."""
    capture = wsbuild.Capture()
    for path in (b"/x\xff", b"/x\xfe", b"/x\xff", b"/x\xef\xbf\xbd"):
        wsbuild.Tcp(capture).connect().upgrade(path).close()
    path = wsbuild.write(folder, "meet.pcap", capture.pcap())
    for arguments in ([], ["--show-secrets"]):
        check.about("paths that become equal " + " ".join(arguments))
        try:
            paths = run("-f", "json", *arguments, path).json["servers"][0]["paths"]
            check.equal(sum(paths.values()), 4, "connections counted by path")
        except ValueError as error:
            check.that(False, f"no JSON: {error}")


def secrets(folder):
    capture = wsbuild.Capture()
    carriers(capture, b"plain", SECRETS)
    path = wsbuild.write(folder, "secrets.pcap", capture.pcap())
    for form, result in outputs(path):
        joined = re.sub(rb"\s+", b"", result.out + result.err)
        for name, value in SECRETS.items():
            variants = {value, re.sub(rb"%(..)", lambda match: bytes([int(match[1], 16)]), value)}
            if name == "basic":
                variants.add(b"wonderland")
            check.that(not any(variant in joined for variant in variants), f"the {name} is there whole")
            check.that(value[:12] not in joined or name == "jwt", f"12 bytes of the {name} are there")
    equal_masks(run("-f", "json", path).json)
    for form, result in outputs(path, "--show-secrets"):
        if form[0] == "report":
            clean_text(result, form[2] != "text")
            joined = re.sub(rb"\s+", b"", result.out)
            fields = () if form[2] == "text" else ("reason", "jwt", "user agent", "origin user")
            for name in ("token in the path", "api key", "password", "random", "host", "uuid", "status", *fields):
                check.that(SECRETS[name] in joined, f"the {name} is not shown")


def equal_masks(found):
    """Equal secrets are shown by equal masks, different ones by different masks, wherever they stand."""
    check.about("masks")
    paths = [connection["upgrade"]["path"] for connection in found["connections"]]
    masks = [match[1] for match in (re.search(r"[?&]token=…([0-9a-f]{4})", path) for path in paths) if match]
    check.that(len(masks) == 3 and len(set(masks)) == 1, f"of one token: {masks} in {paths}")
    everything = re.findall(r"[?&]([^=&]+)=…([0-9a-f]{4})", paths[0])
    check.equal([name for name, _ in everything], ["token", "%74oke%6e", "auth", "api_key", "password", "v", "h"],
                "names whose values are masked")
    check.equal(len({mask for _, mask in everything}), len(everything), "different masks")
    servers = {path for server in found["servers"] for path in server["paths"]}
    check.that(servers <= set(paths), f"servers name other paths: {servers - set(paths)}")
    check.that("Mozilla/5.0 (X11; Linux x86_64)" in found["connections"][0]["upgrade"]["user_agent"],
               "an ordinary user agent is masked")


def salted(folder):
    """The same token in another capture has another mask."""
    masks = set()
    for start in (wsbuild.START, wsbuild.START + 10**9):
        capture = wsbuild.Capture(start)
        wsbuild.Tcp(capture, client="10.0.0.9", client_port=50000).connect().upgrade(b"/?token=hunter2hunter").close()
        path = wsbuild.write(folder, "salted.pcap", capture.pcap())
        masks.add(run("-f", "json", path).json["connections"][0]["upgrade"]["path"])
    check.about("salt").equal(len(masks), 2, "different masks in different captures")


def file_names(folder):
    """A name of a file may come from an attachment: its controls do not reach the terminal either."""
    capture = wsbuild.Capture()
    wsbuild.unmasked(capture)
    for name in ("a\x1b[31mb.pcap", "a\u202eb.pcap", b"a\xffb.pcap", "a\nb.pcap"):
        name = name if isinstance(name, bytes) else name.encode()
        path = wsbuild.write(folder.encode(), name, capture.pcap()[:-2])
        for form in FORMS:
            check.about(f"file name {name!r}, {' '.join(form)}")
            result = run(*form, "-v", path.decode(errors="surrogateescape"))
            check.equal(result.status, 3, "status")
            clean_text(result, form[2] in ("json", "ndjson"))
            check.equal(result.err.count(b"\n"), 2, "lines of standard error")


def long_words(folder):
    """A path of 5 000 bytes without a blank does not make a line of 5 000 columns."""
    capture = wsbuild.Capture()
    for path in (b"/" + b"word/" * 1000, b"/refused/" + b"a" * 5000):
        wsbuild.Tcp(capture).connect().upgrade(path, path[1:], [b"User-Agent: " + path], [b"Sec-WebSocket-Protocol: " + path[1:]]).close(
            1000, b"r" * 123)
    wsbuild.Tcp(capture).connect().upgrade(status=b"500 " + b"w" * 3000).fin()
    check.about("long words")
    text = run("--all", wsbuild.write(folder, "long.pcap", capture.pcap())).text
    check.that(max(map(len, text.splitlines())) <= 100, f"a line has {max(map(len, text.splitlines()))} columns")


with tempfile.TemporaryDirectory() as folder:
    controls(folder)
    one_at_a_time(folder)
    names_that_meet(folder)
    secrets(folder)
    salted(folder)
    file_names(folder)
    long_words(folder)
check.end("hostile text: no controls, no credentials, equal masks for equal secrets, JSON that parses")
