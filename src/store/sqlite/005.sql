-- What is still to be sent of a mailing, by lanes: each is gone through in the order of its readers, and an empty one costs nothing.
CREATE INDEX deliveries_waiting ON deliveries (mailing, lane, subscriber) WHERE status IN (0, 3);
