-- Where a letter's texts and their fields are, as JSON.
ALTER TABLE mailings ADD COLUMN texts TEXT NOT NULL DEFAULT '[]';

-- What has come back from a reader: times for good, soft ones in thousandths, when the first soft one and the last came.
CREATE TABLE histories (
    subscriber INTEGER PRIMARY KEY,
    hard INTEGER NOT NULL,
    soft INTEGER NOT NULL,
    soft_since INTEGER,
    last INTEGER
) STRICT;

-- What came back, each report once. `mailing` is nothing where it is not known.
CREATE TABLE returns (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    mailing INTEGER,
    subscriber INTEGER NOT NULL,
    at INTEGER NOT NULL,
    way TEXT NOT NULL,
    hardness TEXT NOT NULL,
    status TEXT,
    reason TEXT NOT NULL,
    diagnostic TEXT NOT NULL
) STRICT;
CREATE INDEX returns_of_mailing ON returns (mailing, subscriber);
CREATE INDEX returns_of_subscriber ON returns (subscriber);
