-- The branches of our pull requests, beside the commit that their proposals say we left there. The same rules as in the
-- first file.
CREATE TABLE pull_branch (
    repo_id      BIGINT NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    pull_number  BIGINT NOT NULL,
    -- The commit of the base that the branch holds.
    base         TEXT,
    -- Whether people's commits are below ours.
    shared       BOOLEAN NOT NULL,
    -- Why it is left as it is, and with which commits at the head of the branch and of its base that was decided.
    held_because TEXT,
    held_head    TEXT,
    held_base    TEXT,
    PRIMARY KEY (repo_id, pull_number)
);
