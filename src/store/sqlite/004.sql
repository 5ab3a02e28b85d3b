-- When a sender last looked after a mailing that is to be sent.
ALTER TABLE mailings ADD COLUMN watched INTEGER;
