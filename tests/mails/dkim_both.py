"""Holds signed mails against two independent programs: dkimpy, and opendkim with its own libraries.

    dkim_both.py DOMAIN SELECTOR RECORD MAIL...

RECORD is what stands in the DNS. Each mail must verify, and must not once a word of it is changed, or a header added that the
signature covers.
"""

import os
import subprocess
import sys
import tempfile

import dkim

domain, selector, record, *paths = sys.argv[1:]
name = f"{selector}._domainkey.{domain}"


def by_dkimpy(mail):
    def answer(asked, timeout=5):
        return record.encode() if asked.rstrip(b".").decode() == name else None

    return dkim.verify(mail, dnsfunc=answer)


def by_opendkim(mails):
    """Which of the mails verify."""
    with tempfile.TemporaryDirectory() as folder:
        zone = os.path.join(folder, "zone")
        with open(zone, "w") as file:
            file.write(f"{name} {record}\n")
        settings = os.path.join(folder, "opendkim.conf")
        with open(settings, "w") as file:
            file.write(f"Mode v\nSyslog no\nTestDNSData file:{zone}\nUserID root\n" if os.getuid() == 0
                       else f"Mode v\nSyslog no\nTestDNSData file:{zone}\n")
        verdicts = []
        for mail in mails:
            path = os.path.join(folder, "mail")
            with open(path, "wb") as file:
                file.write(mail)
            told = subprocess.run(["/usr/sbin/opendkim", "-x", settings, "-vv", "-t", path], capture_output=True, text=True)
            words = told.stdout + told.stderr
            verdicts.append(("verification (s=" in words and "succeeded" in words, words))
        return verdicts


def damaged(mail):
    head, body = mail.split(b"\r\n\r\n", 1)
    at = len(body) // 2
    while not chr(body[at]).isalnum():
        at += 1
    other = b"A" if body[at : at + 1] != b"A" else b"B"
    yield "a word changed", head + b"\r\n\r\n" + body[:at] + other + body[at + 1 :]
    for field in [b"From: b@other.example", b"List-Unsubscribe: <https://other.example/>", b"Reply-To: b@other.example"]:
        yield field.decode(), field + b"\r\n" + mail


for path in paths:
    with open(path, "rb") as file:
        mail = file.read()
    assert b"\r\n" in mail and b"\n" not in mail.replace(b"\r\n", b""), path
    names, mails = zip(("as it is", mail), *damaged(mail))
    for name_of_mail, mail, (is_good, words) in zip(names, mails, by_opendkim(mails)):
        wanted = name_of_mail == "as it is"
        assert by_dkimpy(mail) == wanted, (path, name_of_mail, "dkimpy")
        assert is_good == wanted, (path, name_of_mail, words)
print(f"{len(paths)} mails verify with dkimpy and opendkim, and none that was changed")
