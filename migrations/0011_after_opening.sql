-- What the bot does with its pull requests after they were opened. The same rules as in the first file.

-- One that is to be merged: the commit at its head when it was looked at, since when, and when GitHub was asked to merge it.
CREATE TABLE merging (
    proposal_id TEXT PRIMARY KEY REFERENCES proposal (id) ON DELETE CASCADE,
    head        TEXT NOT NULL,
    since       BIGINT NOT NULL,
    sent_at     BIGINT
);

-- What people are told of an open pull request beside that it is open. One sentence for each topic.
CREATE TABLE remark (
    proposal_id TEXT NOT NULL REFERENCES proposal (id) ON DELETE CASCADE,
    topic       TEXT NOT NULL CHECK (topic IN ('merging', 'reviewers', 'assignees', 'draft')),
    said        TEXT NOT NULL,
    PRIMARY KEY (proposal_id, topic)
);

-- The file that says who owns which files of a repository, where its subscriptions ask for it.
CREATE TABLE code_owners (
    repo_id BIGINT PRIMARY KEY REFERENCES repository (id) ON DELETE CASCADE,
    path    TEXT NOT NULL,
    blob    TEXT NOT NULL,
    said    TEXT NOT NULL
);
