-- One sending of an issue: the letter as it was approved, and how it stands.
CREATE TABLE mailings (
    id INTEGER PRIMARY KEY,
    issue INTEGER NOT NULL,
    correction INTEGER NOT NULL,
    label TEXT NOT NULL,
    subject TEXT NOT NULL,
    letter BLOB NOT NULL,
    charset TEXT NOT NULL,
    digest TEXT NOT NULL,
    in_doubt TEXT NOT NULL,
    created INTEGER NOT NULL,
    starts INTEGER NOT NULL,
    status TEXT NOT NULL,
    why TEXT,
    planned INTEGER NOT NULL,
    UNIQUE (issue, correction)
) STRICT;

-- One row for each reader of a mailing. `status`: 0 queued, 1 claimed, 2 accepted, 3 deferred, 4 rejected, 5 unknown,
-- 6 cancelled, 7 skipped.
CREATE TABLE deliveries (
    mailing INTEGER NOT NULL,
    subscriber INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    status INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    worker INTEGER,
    is_attempted INTEGER NOT NULL,
    first INTEGER,
    due INTEGER,
    at INTEGER,
    reply TEXT,
    PRIMARY KEY (mailing, subscriber)
) STRICT, WITHOUT ROWID;

-- Who sends, and until when he is taken for alive. A number is never given twice, so that one who slept too long can do no harm.
CREATE TABLE workers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    alive_until INTEGER NOT NULL
) STRICT;
