-- The ends of all numberings, in one row: who begins to write locks it, what has written replaces it.
CREATE TABLE heads (
    one bigint PRIMARY KEY CHECK (one = 1),
    number bigint NOT NULL,
    digest bytea NOT NULL,
    seal bytea NOT NULL,
    next_subscriber bigint NOT NULL,
    next_notice bigint NOT NULL,
    next_import bigint NOT NULL
);

CREATE TABLE subscribers (
    id bigint PRIMARY KEY,
    sameness text COLLATE "C" NOT NULL UNIQUE,
    address text NOT NULL,
    name text,
    status text NOT NULL,
    source text NOT NULL,
    language text NOT NULL,
    tags text NOT NULL,
    created bigint NOT NULL,
    changed bigint NOT NULL,
    unsubscribe_nonce bytea NOT NULL,
    unsubscribe_digest bytea NOT NULL,
    confirmation_mailed bigint,
    links_mailed bigint,
    waiting_address text,
    waiting_until bigint,
    returns_until bigint,
    reason text,
    import bigint
);
-- Digests come in no order: of this kind an index stays small enough for memory while a file is read in.
CREATE INDEX subscribers_of_token ON subscribers USING hash (unsubscribe_digest);
CREATE INDEX subscribers_of_import ON subscribers (import, id) WHERE import IS NOT NULL;

CREATE TABLE tokens (
    digest bytea PRIMARY KEY,
    kind text NOT NULL,
    subscriber bigint NOT NULL REFERENCES subscribers (id),
    until bigint NOT NULL,
    used bigint
);
CREATE INDEX tokens_of_subscriber ON tokens (subscriber);
CREATE INDEX tokens_until ON tokens (until);

CREATE TABLE notices (
    id bigint PRIMARY KEY,
    subscriber bigint NOT NULL REFERENCES subscribers (id),
    kind text NOT NULL,
    address text NOT NULL,
    language text NOT NULL,
    charset text,
    nonce bytea NOT NULL,
    unsubscribe_nonce bytea,
    created bigint NOT NULL,
    due bigint NOT NULL,
    leased_until bigint,
    epoch bigint NOT NULL,
    attempts bigint NOT NULL,
    reply text,
    settled bigint,
    was_sent boolean
);
CREATE INDEX notices_due ON notices (due, id) WHERE settled IS NULL;
CREATE INDEX notices_settled ON notices (settled) WHERE settled IS NOT NULL;
CREATE INDEX notices_of_subscriber ON notices (subscriber);

-- Keyed digests of addresses that no import brings back.
CREATE TABLE barred (
    digest bytea PRIMARY KEY
);

CREATE TABLE wordings (
    digest bytea PRIMARY KEY,
    text text NOT NULL
);

CREATE TABLE ledger (
    number bigint PRIMARY KEY,
    at bigint NOT NULL,
    kind text NOT NULL,
    subscriber bigint,
    status text,
    details bytea NOT NULL,
    ip bytea,
    previous bytea NOT NULL,
    digest bytea NOT NULL
);
CREATE INDEX ledger_of_subscriber ON ledger (subscriber, number) WHERE subscriber IS NOT NULL;

-- What the ledger commits to lies beside it, so that it can be forgotten. That each of these has its entry is looked at
-- when the ledger is verified: a check for each row would be the dearest part of an import.
CREATE TABLE ledger_details (
    number bigint PRIMARY KEY,
    salt bytea NOT NULL,
    text text NOT NULL
);
CREATE TABLE ledger_ips (
    number bigint PRIMARY KEY,
    salt bytea NOT NULL,
    text text NOT NULL
);

-- Which addresses (keyed digests) a network named within the hour.
CREATE TABLE asked (
    network text COLLATE "C" NOT NULL,
    address bytea NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (network, address)
);
CREATE INDEX asked_at ON asked (at);

-- How many confirmations were queued in the five minutes that begin at a time.
CREATE TABLE confirmations (
    at bigint PRIMARY KEY,
    number bigint NOT NULL
);

CREATE TABLE imports (
    id bigint PRIMARY KEY,
    at bigint NOT NULL,
    entry bigint NOT NULL,
    source_name text NOT NULL,
    file_name text NOT NULL,
    taken bigint NOT NULL,
    undone bigint
);
