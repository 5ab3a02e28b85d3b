-- Where a letter's texts and their fields are, as JSON.
ALTER TABLE mailings ADD COLUMN texts TEXT NOT NULL DEFAULT '[]';
