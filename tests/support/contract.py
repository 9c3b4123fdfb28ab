"""What the command line promises by name: commands, options, findings with their severity and evidence.

SPDX-License-Identifier: GPL-2.0-or-later
"""
COMMANDS = ("report", "frames", "explain")
OPTIONS = ("--format", "--output", "--fail-on", "--min-severity", "--only", "--stream", "--connection", "--server",
           "--from", "--to", "--all", "--max-connections", "--max-findings", "--max-proof", "--port", "--interface",
           "--capture-filter", "--keylog", "--show-secrets", "--set", "--quiet", "--verbose")

REACTION = ("frames", "tolerated", "close_code", "reaction_s")
FRAMING = ("frame-reserved-bits", "frame-reserved-opcode", "control-fragmented", "control-too-long",
           "length-not-minimal", "length-too-large", "continuation-unexpected", "continuation-missing",
           "text-invalid-utf8", "close-invalid-code", "close-malformed", "data-after-close", "deflate-invalid")

# id: (severity, evidence)
BUILT = {
    "upgrade-refused": ("warning", ("status", "reason", "retry_after_s")),
    "upgrade-invalid": ("error", ("problems",)),
    "upgrade-accept-mismatch": ("error", ("expected", "got")),
    "upgrade-subprotocol-unoffered": ("error", ("offered", "selected")),
    "upgrade-extension-unoffered": ("error", ("offered", "selected")),
    "upgrade-stripped": ("warning", ("missing", "status")),
    "upgrade-skipped": ("error", ("frames",)),
    "upgrade-nonce-reused": ("warning", ("connections",)),
    "mask-missing": ("error", REACTION),
    "mask-unexpected": ("error", REACTION),
    "mask-weak-key": ("warning", ("kind", "keys", "frames")),
    **{finding: ("error", REACTION) for finding in FRAMING},
    "close-abnormal": ("warning", ("client_sees", "server_sees", "ended_by", "how")),
    "capture-gap": ("note", ("bytes", "gaps")),
    "capture-truncated": ("note", ("packets", "snaplen")),
    "capture-duplicates": ("note", ("packets",)),
    "capture-encrypted": ("note", ("streams", "servers", "alpn_offered")),
    "stream-desync": ("note", ("bytes_skipped",)),
    "analysis-limited": ("note", ("limit",)),
}
# Of a severity that depends on the case.
VARYING = {"close-abnormal": ("warning", "note")}

COUNTERS = ("frames", "text", "binary", "continuation", "ping", "pong", "close", "messages", "payload_bytes",
            "message_bytes", "masked_frames", "retransmitted_bytes", "missing_bytes")
