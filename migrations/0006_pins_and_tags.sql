-- What is asked of the rows of a package, without reading all of them. The same rules as in the first file.

-- Whether a file pins what a tag points at, by a digest or a commit. It is known of what is stored: the text of a value that is
-- not there is `null`.
ALTER TABLE dependency ADD COLUMN pins_content BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE dependency SET pins_content = TRUE WHERE dependency LIKE '%"digest":"%';
CREATE INDEX dependency_pinned ON dependency (ecosystem, package, repo_id) WHERE pins_content;

-- Whether a release is above the one that its registry calls the latest. Where that is, none was stored until now; the registry's
-- answers are read anew.
ALTER TABLE release ADD COLUMN above_latest BOOLEAN NOT NULL DEFAULT FALSE;
