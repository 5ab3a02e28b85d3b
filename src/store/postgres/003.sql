-- Where a letter's texts and their fields are, as JSON.
ALTER TABLE mailings ADD COLUMN texts text NOT NULL DEFAULT '[]';

-- What has come back from a reader: times for good, soft ones in thousandths, when the first soft one and the last came.
CREATE TABLE histories (
    subscriber bigint PRIMARY KEY,
    hard bigint NOT NULL,
    soft bigint NOT NULL,
    soft_since bigint,
    last bigint
);

-- What came back, each report once. `mailing` is nothing where it is not known.
CREATE TABLE returns (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest bytea NOT NULL UNIQUE,
    mailing bigint,
    subscriber bigint NOT NULL,
    at bigint NOT NULL,
    way text NOT NULL,
    hardness text NOT NULL,
    status text,
    reason text NOT NULL,
    diagnostic text NOT NULL
);
CREATE INDEX returns_of_mailing ON returns (mailing, subscriber);
CREATE INDEX returns_of_subscriber ON returns (subscriber);
