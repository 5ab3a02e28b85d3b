-- The ends of all numberings, in one row: what begins to write reads it, what has written replaces it. `writes` makes
-- every commit change something: SQLite does not write what is as it was, and then nobody waits for the disk.
CREATE TABLE heads (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    number INTEGER NOT NULL,
    digest BLOB NOT NULL,
    seal BLOB NOT NULL,
    next_subscriber INTEGER NOT NULL,
    next_notice INTEGER NOT NULL,
    next_import INTEGER NOT NULL,
    writes INTEGER NOT NULL
) STRICT;

CREATE TABLE subscribers (
    id INTEGER PRIMARY KEY,
    sameness TEXT NOT NULL UNIQUE,
    address TEXT NOT NULL,
    name TEXT,
    status TEXT NOT NULL,
    source TEXT NOT NULL,
    language TEXT NOT NULL,
    tags TEXT NOT NULL,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    unsubscribe_nonce BLOB NOT NULL,
    unsubscribe_digest BLOB NOT NULL,
    confirmation_mailed INTEGER,
    links_mailed INTEGER,
    waiting_address TEXT,
    waiting_until INTEGER,
    returns_until INTEGER,
    reason TEXT,
    import INTEGER
) STRICT;
-- Eight octets tell a million tokens apart as well as 32 do, and the index stays in memory while a file is read in.
CREATE INDEX subscribers_of_token ON subscribers (substr(unsubscribe_digest, 1, 8));
CREATE INDEX subscribers_of_import ON subscribers (import) WHERE import IS NOT NULL;

CREATE TABLE tokens (
    digest BLOB PRIMARY KEY,
    kind TEXT NOT NULL,
    subscriber INTEGER NOT NULL REFERENCES subscribers (id),
    until INTEGER NOT NULL,
    used INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_of_subscriber ON tokens (subscriber);
CREATE INDEX tokens_until ON tokens (until);

CREATE TABLE notices (
    id INTEGER PRIMARY KEY,
    subscriber INTEGER NOT NULL REFERENCES subscribers (id),
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    language TEXT NOT NULL,
    charset TEXT,
    nonce BLOB NOT NULL,
    unsubscribe_nonce BLOB,
    created INTEGER NOT NULL,
    due INTEGER NOT NULL,
    leased_until INTEGER,
    epoch INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    reply TEXT,
    settled INTEGER,
    was_sent INTEGER
) STRICT;
CREATE INDEX notices_due ON notices (due) WHERE settled IS NULL;
CREATE INDEX notices_settled ON notices (settled) WHERE settled IS NOT NULL;
CREATE INDEX notices_of_subscriber ON notices (subscriber);

-- Keyed digests of addresses that no import brings back.
CREATE TABLE barred (
    digest BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE wordings (
    digest BLOB PRIMARY KEY,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subscriber INTEGER,
    status TEXT,
    details BLOB NOT NULL,
    ip BLOB,
    previous BLOB NOT NULL,
    digest BLOB NOT NULL
) STRICT;
CREATE INDEX ledger_of_subscriber ON ledger (subscriber) WHERE subscriber IS NOT NULL;

-- What the ledger commits to lies beside it, so that it can be forgotten.
CREATE TABLE ledger_details (
    number INTEGER PRIMARY KEY REFERENCES ledger (number),
    salt BLOB NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE TABLE ledger_ips (
    number INTEGER PRIMARY KEY REFERENCES ledger (number),
    salt BLOB NOT NULL,
    text TEXT NOT NULL
) STRICT;

-- Which addresses (keyed digests) a network named within the hour.
CREATE TABLE asked (
    network TEXT NOT NULL,
    address BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (network, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX asked_at ON asked (at);

-- How many confirmations were queued in the five minutes that begin at a time.
CREATE TABLE confirmations (
    at INTEGER PRIMARY KEY,
    number INTEGER NOT NULL
) STRICT;

CREATE TABLE imports (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    entry INTEGER NOT NULL,
    source_name TEXT NOT NULL,
    file_name TEXT NOT NULL,
    taken INTEGER NOT NULL,
    undone INTEGER
) STRICT;
