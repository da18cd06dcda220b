"""What of a run may stand in a log, on a terminal or in a CI service's pages. Pure."""

import re

HIDDEN = "***"

# Flags whose values are secrets, or may hold some anywhere.
SECRET_FLAGS = re.compile(r"(--(?:guest-password|vnc-password|user-data|dhcp-option)=).*", re.DOTALL)
# user:password@ in a URL.
LOGIN = re.compile(r"(?<=://)[^/\s@]+(?=@)")
# password=…, rootpw=…, luks.key=… on a kernel's command line, in a URL or in QEMU's notation.
KEYED = re.compile(
    r"((?:[\w.-]*(?:passw|passphrase|pwd|secret|token|credential|signature)[\w.-]*|[\w.-]*(?:key|pass|pw|psk|sig))\]?=)"
    r"(?:\"[^\"]*\"|'[^']*'|[^\s\"'])+",
    re.IGNORECASE,
)
# QEMU's objects of that kind.
OBJECT = re.compile(r"((?:^|=)secret\w*,).*", re.DOTALL)


def without_secrets(word):
    """A word of a command line with `***` for what is a secret by its name or its shape; a text of several lines is cut after the first."""
    first, more, _ = word.partition("\n")
    text = SECRET_FLAGS.sub(rf"\1{HIDDEN}", first)
    for pattern in (OBJECT, KEYED):
        text = pattern.sub(rf"\1{HIDDEN}", text)
    return LOGIN.sub(HIDDEN, text) + (f" {HIDDEN}" if more else "")


def printable(text):
    """With what is no sign of its own escaped: what a guest wrote may hold any character."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else sign.encode("unicode_escape").decode() for sign in text)


def quoted(text):
    """Printable, each line behind `| `: at the beginning of a line, behind blanks too, `::error::` is a command to GitHub's runner, and
    `##[error]` is one anywhere in it."""
    return "\n".join(f"| {line}" for line in printable(text).replace("##[", r"#\x23[").split("\n"))
