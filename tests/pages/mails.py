"""Reads mails with Python's strictest parser: no defect in the message, in a header, or in an address."""

import email
import email.policy
import sys

strict = email.policy.default.clone(raise_on_defect=True)
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        mail = email.message_from_binary_file(file, policy=strict)
    for name, value in mail.items():
        assert not value.defects, (path, name, value.defects)
    assert mail["Date"].datetime.tzinfo is not None, path
    assert len(mail["From"].addresses) == len(mail["To"].addresses) == 1, path
    assert mail["Subject"] and mail.get_content().strip(), path
print(f"{len(sys.argv) - 1} mails are read without a defect")
