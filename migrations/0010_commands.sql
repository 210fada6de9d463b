-- What people tell the bot on its pull requests. The same rules as in the first file.

-- Comments that give commands, one row for each, however often GitHub tells of it.
CREATE TABLE comment (
    repo_id     BIGINT NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    id          BIGINT NOT NULL,
    pull_number BIGINT NOT NULL,
    author      TEXT NOT NULL,
    commands    TEXT NOT NULL,
    said_at     BIGINT NOT NULL,
    -- What is answered, once it was obeyed or refused; and when the answer stood on the pull request.
    answer      TEXT,
    answered_at BIGINT,
    PRIMARY KEY (repo_id, id)
);
CREATE INDEX comment_by_time ON comment (said_at);

-- What they decided by it about packages: a scope of versions that is not wanted, or a time before which none is.
CREATE TABLE decision (
    repo_id     BIGINT NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    ecosystem   TEXT NOT NULL,
    package     TEXT NOT NULL,
    scope       TEXT NOT NULL CHECK (scope IN ('version', 'minor', 'major', 'dependency', 'snooze')),
    version     TEXT NOT NULL,
    snoozed_to  BIGINT,
    author      TEXT NOT NULL,
    pull_number BIGINT NOT NULL,
    decided_at  BIGINT NOT NULL,
    PRIMARY KEY (repo_id, ecosystem, package, scope, version)
);
