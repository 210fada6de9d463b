-- The lock files of each repository's head, so that a proposal can name those it leaves behind. The same rules as in the
-- first file.

CREATE TABLE lock_file (
    repo_id BIGINT NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    path    TEXT NOT NULL,
    PRIMARY KEY (repo_id, path)
);
