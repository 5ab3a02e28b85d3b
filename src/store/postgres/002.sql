-- One sending of an issue: the letter as it was approved, and how it stands.
CREATE TABLE mailings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    issue bigint NOT NULL,
    correction bigint NOT NULL,
    label text NOT NULL,
    subject text NOT NULL,
    letter bytea NOT NULL,
    charset text NOT NULL,
    digest text NOT NULL,
    in_doubt text NOT NULL,
    created bigint NOT NULL,
    starts bigint NOT NULL,
    status text NOT NULL,
    why text,
    planned bigint NOT NULL,
    UNIQUE (issue, correction)
);

-- One row for each reader of a mailing. `status`: 0 queued, 1 claimed, 2 accepted, 3 deferred, 4 rejected, 5 unknown,
-- 6 cancelled, 7 skipped. Room is left on each page, so that a change of a row stays on it.
CREATE TABLE deliveries (
    mailing bigint NOT NULL,
    subscriber bigint NOT NULL,
    lane bigint NOT NULL,
    status bigint NOT NULL,
    attempts bigint NOT NULL,
    worker bigint,
    is_attempted boolean NOT NULL,
    first bigint,
    due bigint,
    at bigint,
    reply text,
    PRIMARY KEY (mailing, subscriber)
) WITH (fillfactor = 60);

-- Who sends, and until when he is taken for alive. A number is never given twice, so that one who slept too long can do no harm.
CREATE TABLE workers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    alive_until bigint NOT NULL
);
