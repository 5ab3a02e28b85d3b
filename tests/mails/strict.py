"""Reads mails with Python's strictest parser: no defect in the message and its parts, in a header, or in an address."""

import email
import email.policy
import os
import sys

# Names of files are told as RFC 2231 has it, and once more as mailers look for them that do not know it.
NAMES = ["encoded word inside quoted string", "missing trailing whitespace after encoded-word"]

# `--html FOLDER` puts the HTML of the mails there.
folder = None
paths = sys.argv[1:]
if paths[0] == "--html":
    folder, paths = paths[1], paths[2:]
    os.mkdir(folder)

strict = email.policy.default.clone(raise_on_defect=True)
for path in paths:
    with open(path, "rb") as file:
        mail = email.message_from_binary_file(file, policy=strict)
    for part in mail.walk():
        assert not part.defects, (path, part.defects)
        for name, value in part.items():
            defects = [str(defect) for defect in value.defects]
            if name == "Content-Type" and part.get_content_disposition() == "attachment":
                defects = [defect for defect in defects if defect not in NAMES]
            assert not defects, (path, name, defects)
        assert part.is_multipart() or part.get_content(), path
    assert mail["Date"].datetime.tzinfo is not None, path
    assert len(mail["From"].addresses) == len(mail["To"].addresses) == 1, path
    text = mail.get_body(("plain",))
    assert mail["Subject"] and text.get_content().strip(), path
    html = mail.get_body(("html",))
    if folder and html:
        with open(os.path.join(folder, os.path.basename(path) + ".html"), "w", encoding="utf-8") as page:
            page.write(html.get_content())
    names = [file.get_filename() for file in mail.iter_attachments()]
    assert all(names), (path, names)
print(f"{len(paths)} mails are read without a defect")
