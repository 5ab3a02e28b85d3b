"""Looks for what filters do not see in a mail and readers do: escapes that are left open, half-width kana in ISO-2022-JP, lines and
encoded words that are too long, line ends that are none, eight-bit octets.
"""

import base64
import quopri
import re
import sys

OPEN = re.compile(rb"\x1b[$(][@-~]")
WORD = re.compile(rb"=\?[^?\s]+\?[BbQq]\?[^?\s]*\?=")


def check(path, octets):
    assert b"\n" not in octets.replace(b"\r\n", b"") and b"\r" not in octets.replace(b"\r\n", b""), (path, "line ends")
    assert max(octets) < 128, (path, "eight-bit octets")
    assert octets.endswith(b"\r\n"), (path, "no line end at the end")
    head, body = octets.split(b"\r\n\r\n", 1)
    for line in head.split(b"\r\n"):
        assert len(line) <= 78 and b"\x1b" not in line, (path, line)
        assert all(len(word) <= 75 for word in WORD.findall(line)), (path, line)
        assert "=?" not in WORD.sub(b"", line).decode(), (path, line)
    for line in octets.split(b"\r\n"):
        assert len(line) <= 998, (path, line)
        # RFC 1468: each line begins and ends in ASCII.
        escapes = OPEN.findall(line)
        assert not escapes or escapes[-1] in (b"\x1b(B", b"\x1b(J"), (path, "an escape is left open", line)
        assert b"\x1b(I" not in line and b"\x0e" not in line, (path, "half-width kana", line)
        assert set(escapes) <= {b"\x1b$B", b"\x1b(B"}, (path, escapes)
    if b"Content-Transfer-Encoding: base64" in head:
        assert all(len(line) <= 76 for line in body.split(b"\r\n")), (path, "base64 lines")
        base64.b64decode(body, validate=False).decode("utf-8")
    if b"Content-Transfer-Encoding: quoted-printable" in head:
        assert all(len(line) <= 76 for line in body.split(b"\r\n")), (path, "quoted-printable lines")
        quopri.decodestring(body).decode("utf-8")
    for name in [b"\r\nTo: ", b"\r\nMessage-ID: <", b"\r\nList-Unsubscribe: <https://", b"\r\nList-Unsubscribe-Post: "]:
        assert head.count(name) == 1, (path, name)


for path in sys.argv[1:]:
    with open(path, "rb") as file:
        check(path, file.read())
print(f"{len(sys.argv) - 1} mails have no octet out of place")
