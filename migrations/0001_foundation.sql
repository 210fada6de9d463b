-- One text for SQLite and Postgres. Only BIGINT, TEXT and BOOLEAN; times are milliseconds since the
-- Unix epoch; JSON is TEXT; identifiers come from GitHub or are made by us. Never edit this file once
-- it was released: add the next number.

-- Webhooks as they came, one row for each delivery however often it is delivered.
CREATE TABLE delivery (
    guid            TEXT NOT NULL PRIMARY KEY,
    event           TEXT NOT NULL,
    action          TEXT,
    installation_id BIGINT,
    repo_id         BIGINT,
    payload         TEXT NOT NULL,
    received_at     BIGINT NOT NULL,
    processed_at    BIGINT,
    outcome         TEXT CHECK (outcome IN ('handled', 'ignored', 'refused')),
    note            TEXT
);
CREATE INDEX delivery_by_time ON delivery (received_at);
CREATE INDEX delivery_by_event ON delivery (event, action, outcome);

-- What is to be done. The two unique indexes are the queue's promises: one step at a time for each
-- subject, and never two waiting rows for the same thing.
CREATE TABLE work (
    id              TEXT NOT NULL PRIMARY KEY,
    step            TEXT NOT NULL,
    subject         TEXT NOT NULL,
    unique_key      TEXT NOT NULL,
    installation_id BIGINT,
    args            TEXT NOT NULL,
    priority        BIGINT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('queued', 'running', 'parked')),
    due_at          BIGINT NOT NULL,
    attempts        BIGINT NOT NULL,
    lease_token     TEXT,
    lease_until     BIGINT,
    -- How often in a row the lease ran out: the worker was gone, with its process perhaps, and said nothing.
    expiries        BIGINT NOT NULL DEFAULT 0,
    last_error      TEXT,
    created_at      BIGINT NOT NULL
);
CREATE UNIQUE INDEX work_one_running_per_subject ON work (subject) WHERE state = 'running';
CREATE UNIQUE INDEX work_one_queued_per_key ON work (unique_key) WHERE state = 'queued';
CREATE INDEX work_queued_in_order ON work (priority DESC, due_at, id) WHERE state = 'queued';
CREATE INDEX work_queued_by_due ON work (due_at) WHERE state = 'queued';
CREATE INDEX work_queued_by_subject ON work (subject) WHERE state = 'queued';
CREATE INDEX work_leases ON work (lease_until) WHERE state = 'running';
CREATE INDEX work_parked ON work (unique_key) WHERE state = 'parked';

CREATE TABLE installation (
    id           BIGINT NOT NULL PRIMARY KEY,
    account      TEXT NOT NULL,
    account_kind TEXT NOT NULL,
    suspended    BOOLEAN NOT NULL,
    removed      BOOLEAN NOT NULL,
    updated_at   BIGINT NOT NULL
);

-- No reference to installation: its own webhook may arrive after those of its repositories.
CREATE TABLE repository (
    id              BIGINT NOT NULL PRIMARY KEY,
    installation_id BIGINT NOT NULL,
    name            TEXT NOT NULL,
    default_branch  TEXT,
    private         BOOLEAN NOT NULL,
    fork            BOOLEAN NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('active', 'archived', 'disabled', 'suspended', 'removed')),
    web_url         TEXT NOT NULL,
    head_commit     TEXT,
    head_tree       TEXT,
    config_path     TEXT,
    config_blob     TEXT,
    config_state    TEXT NOT NULL CHECK (config_state IN ('none', 'valid', 'broken')),
    config_problems TEXT NOT NULL,
    config_file     TEXT,
    config_text     TEXT,
    config_since    BIGINT,
    synced_at       BIGINT,
    indexed_commit  TEXT,
    note            TEXT,
    updated_at      BIGINT NOT NULL
);
CREATE INDEX repository_by_installation ON repository (installation_id, id);
-- GitHub's names do not distinguish case, and are not unique over time.
CREATE INDEX repository_by_name ON repository (lower(name));

CREATE TABLE subscription (
    repo_id   BIGINT NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    position  BIGINT NOT NULL,
    migration TEXT NOT NULL,
    ecosystem TEXT,
    delay     TEXT NOT NULL,
    settings  TEXT NOT NULL,
    since     BIGINT NOT NULL,
    PRIMARY KEY (repo_id, position)
);
CREATE INDEX subscription_by_ecosystem ON subscription (repo_id, ecosystem);

CREATE TABLE manifest (
    repo_id    BIGINT NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    path       TEXT NOT NULL,
    manager    TEXT NOT NULL,
    blob       TEXT NOT NULL,
    mode       TEXT NOT NULL,
    text       TEXT NOT NULL,
    problem    TEXT,
    includes   TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (repo_id, path, manager)
);

CREATE TABLE dependency (
    repo_id    BIGINT NOT NULL,
    path       TEXT NOT NULL,
    manager    TEXT NOT NULL,
    ordinal    BIGINT NOT NULL,
    ecosystem  TEXT NOT NULL,
    package    TEXT NOT NULL,
    dependency TEXT NOT NULL,
    since      BIGINT NOT NULL,
    PRIMARY KEY (repo_id, path, manager, ordinal),
    FOREIGN KEY (repo_id, path, manager) REFERENCES manifest (repo_id, path, manager) ON DELETE CASCADE
);
-- The look-up by which a release reaches exactly the repositories that use it.
CREATE INDEX dependency_by_package ON dependency (ecosystem, package, repo_id);

CREATE TABLE package (
    ecosystem     TEXT NOT NULL,
    name          TEXT NOT NULL,
    etag          TEXT,
    checked_at    BIGINT,
    next_check_at BIGINT NOT NULL,
    failures      BIGINT NOT NULL DEFAULT 0,
    last_error    TEXT,
    PRIMARY KEY (ecosystem, name)
);
CREATE INDEX package_by_next_check ON package (next_check_at);

CREATE TABLE release (
    ecosystem     TEXT NOT NULL,
    package       TEXT NOT NULL,
    version       TEXT NOT NULL,
    published_at  BIGINT,
    first_seen_at BIGINT NOT NULL,
    counts_from   BIGINT NOT NULL,
    yanked        BOOLEAN NOT NULL,
    PRIMARY KEY (ecosystem, package, version),
    FOREIGN KEY (ecosystem, package) REFERENCES package (ecosystem, name) ON DELETE CASCADE
);

CREATE TABLE proposal (
    id          TEXT NOT NULL PRIMARY KEY,
    repo_id     BIGINT NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    group_name  TEXT NOT NULL,
    content     TEXT NOT NULL,
    state       TEXT NOT NULL
        CHECK (state IN ('waiting', 'open', 'merged', 'closed', 'superseded', 'withdrawn', 'failed')),
    reason      TEXT NOT NULL,
    due_at      BIGINT NOT NULL,
    title       TEXT NOT NULL,
    branch      TEXT NOT NULL,
    updates     TEXT NOT NULL,
    labels      TEXT NOT NULL,
    pull_number BIGINT,
    pull_url    TEXT,
    pull_head   TEXT,
    checks      TEXT,
    created_at  BIGINT NOT NULL,
    opened_at   BIGINT,
    updated_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX proposal_one_waiting_per_group ON proposal (repo_id, group_name) WHERE state = 'waiting';
CREATE INDEX proposal_by_repository ON proposal (repo_id, state);
CREATE INDEX proposal_by_pull ON proposal (repo_id, pull_number);
CREATE INDEX proposal_by_state ON proposal (state, updated_at);

-- What is being sent for a proposal: written down before the first request, gone when the outcome is known. A repeat
-- sends this and nothing else, whatever has changed in the meantime.
CREATE TABLE attempt (
    proposal_id TEXT NOT NULL PRIMARY KEY REFERENCES proposal (id) ON DELETE CASCADE,
    repo_id     BIGINT NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    change      TEXT NOT NULL,
    begun_at    BIGINT NOT NULL
);
CREATE INDEX attempt_by_repository ON attempt (repo_id);

-- Append only: when each proposal was seen, due, held back, opened, ended. The proof that none was early.
CREATE TABLE ledger (
    id          TEXT NOT NULL PRIMARY KEY,
    proposal_id TEXT NOT NULL REFERENCES proposal (id) ON DELETE CASCADE,
    at          BIGINT NOT NULL,
    what        TEXT NOT NULL,
    detail      TEXT NOT NULL
);
CREATE INDEX ledger_by_proposal ON ledger (proposal_id, at, id);

CREATE TABLE outlook (
    repo_id   BIGINT NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    position  BIGINT NOT NULL,
    ecosystem TEXT NOT NULL,
    package   TEXT NOT NULL,
    path      TEXT NOT NULL,
    line      BIGINT NOT NULL,
    current   TEXT,
    target    TEXT,
    standing  TEXT NOT NULL CHECK (standing IN ('up_to_date', 'waiting', 'open', 'refused', 'failed')),
    reason    TEXT NOT NULL,
    until     BIGINT,
    PRIMARY KEY (repo_id, position)
);
