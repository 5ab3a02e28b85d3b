"""Scores mails with SpamAssassin's local rules: none above the limit.

    spamassassin.py LIMIT MAIL...
"""

import re
import subprocess
import sys

limit, paths = float(sys.argv[1]), sys.argv[2:]
scores = []
for path in paths:
    with open(path, "rb") as mail:
        told = subprocess.run(["spamassassin", "-L", "-t"], stdin=mail, capture_output=True, check=True).stdout
    found = re.search(rb"^Content analysis details:\s+\((-?[0-9.]+) points", told, re.MULTILINE)
    assert found, (path, told)
    scores.append(float(found[1]))
    assert scores[-1] <= limit, (path, scores[-1], told[told.find(b"Content analysis"):].decode(errors="replace"))
# It can fail: a mail without a date, with a Message-ID that is none.
bad = b"From: a@example.jp\nTo: b@example.jp\nSubject: WIN CASH $$$\nMessage-ID: <1>\n\nClick here to win cash now!!!\n"
told = subprocess.run(["spamassassin", "-L", "-t"], input=bad, capture_output=True, check=True).stdout
assert float(re.search(rb"^Content analysis details:\s+\((-?[0-9.]+) points", told, re.MULTILINE)[1]) > limit
print(f"{len(paths)} mails score at most {max(scores)} with SpamAssassin")
