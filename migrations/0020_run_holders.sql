-- The process that works on a run: a word that it alone knows. NULL where none does, and for runs of former versions.
ALTER TABLE run ADD COLUMN holder TEXT;
-- What scanners found is read run by run.
DROP INDEX run_scan_by_scanner;
