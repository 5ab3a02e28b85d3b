-- When a sender last looked after a mailing that is to be sent.
ALTER TABLE mailings ADD COLUMN watched INTEGER;

-- Domains that nothing of a mailing goes to until it is resumed, and why. Deliveries to them that were looked at are in lane -1.
CREATE TABLE holds (
    mailing INTEGER NOT NULL,
    domain TEXT NOT NULL,
    why TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (mailing, domain)
) STRICT, WITHOUT ROWID;

-- When the next message may leave that keeps to a pace, whoever sends it.
CREATE TABLE paces (
    name TEXT PRIMARY KEY,
    next INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who has not confirmed, by when he was asked to: after some weeks he is forgotten.
CREATE INDEX subscribers_unconfirmed ON subscribers (confirmation_mailed) WHERE status = 'pending';
