-- What a change is sent for: the word of the step that brings an open pull request up to date. NULL for a change that is to
-- become a pull request, and for those that were begun before this was noted.
ALTER TABLE attempt ADD COLUMN errand TEXT;
