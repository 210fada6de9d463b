-- What organisations ask for in all their repositories, and the one pull request that brings a repository its first
-- subscription file. The same rules as in the first file.

-- The organisation's file, by the repository that holds it: as it was last read, its problems, and the last good one. The row
-- is there once somebody has looked, whether there is a file or not.
CREATE TABLE organisation (
    repo_id  BIGINT PRIMARY KEY REFERENCES repository (id) ON DELETE CASCADE,
    path     TEXT,
    blob     TEXT,
    state    TEXT NOT NULL CHECK (state IN ('none', 'valid', 'broken')),
    problems TEXT NOT NULL,
    file     TEXT,
    text     TEXT,
    since    BIGINT
);

-- One row for a repository, whatever became of it: nobody is asked twice.
CREATE TABLE onboarding (
    repo_id       BIGINT PRIMARY KEY REFERENCES repository (id) ON DELETE CASCADE,
    state         TEXT NOT NULL CHECK (state IN ('nothing', 'opening', 'open', 'merged', 'closed', 'withdrawn', 'failed')),
    reason        TEXT NOT NULL,
    branch        TEXT NOT NULL,
    -- The commit that it was made for, or in which nothing was found.
    commit_id     TEXT NOT NULL,
    pull_number   BIGINT,
    pull_url      TEXT,
    pull_head     TEXT,
    -- What is still to be said before the pull request is closed.
    farewell      TEXT,
    -- What is being sent, and how far it got: as in the table `attempt`.
    change        TEXT,
    progress      TEXT NOT NULL,
    orderly_claim BIGINT,
    begun_at      BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);
CREATE INDEX onboarding_by_time ON onboarding (begun_at);
