-- What was said of subscription files on the commits that hold them. The same rules as in the first file.

-- A commit whose file is to be examined, or was: one row, however often it is asked for.
CREATE TABLE examination (
    repo_id     BIGINT NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    commit_id   TEXT NOT NULL,
    -- Where it was pushed to: a branch, or the pull request of a fork; empty where that is more than one.
    place       TEXT NOT NULL,
    -- The commit that stood there before, as far as it is known: one that was followed is not examined any more.
    follows     TEXT,
    -- Whether somebody named the file among what changed.
    named       BOOLEAN NOT NULL,
    asked_at    BIGINT NOT NULL,
    -- What came of it; nothing as long as nobody has looked.
    outcome     TEXT CHECK (outcome IN ('said', 'nothing', 'refused')),
    -- The file, our check run, and a hash of the words that stand in it.
    blob        TEXT,
    check_run   BIGINT,
    said        TEXT,
    examined_at BIGINT,
    PRIMARY KEY (repo_id, commit_id)
);
CREATE INDEX examination_by_before ON examination (repo_id, follows);
CREATE INDEX examination_by_time ON examination (asked_at);

-- The commit at whose head the file in force was first read.
ALTER TABLE repository ADD COLUMN config_commit TEXT;
