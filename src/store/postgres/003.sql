-- Where a letter's texts and their fields are, as JSON.
ALTER TABLE mailings ADD COLUMN texts text NOT NULL DEFAULT '[]';
