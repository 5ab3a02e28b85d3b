-- Readers of an import have numbers one after the other, by which they are found when it is taken back: an index of them was a tenth of
-- each import's time.
DROP INDEX subscribers_of_import;
