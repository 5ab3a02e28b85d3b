-- When a sender last looked after a mailing that is to be sent.
ALTER TABLE mailings ADD COLUMN watched bigint;

-- Domains that nothing of a mailing goes to until it is resumed, and why. Deliveries to them that were looked at are in lane -1.
CREATE TABLE holds (
    mailing bigint NOT NULL,
    domain text COLLATE "C" NOT NULL,
    why text NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (mailing, domain)
);

-- When the next message may leave that keeps to a pace, whoever sends it.
CREATE TABLE paces (
    name text COLLATE "C" PRIMARY KEY,
    next bigint NOT NULL
);

-- Who has not confirmed, by when he was asked to: after some weeks he is forgotten.
CREATE INDEX subscribers_unconfirmed ON subscribers (confirmation_mailed) WHERE status = 'pending';
