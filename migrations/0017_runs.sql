-- What the command line did over many repositories at once. The same rules as in the first file.

-- The number of the last run.
CREATE TABLE run_counter (
    last BIGINT NOT NULL
);
INSERT INTO run_counter (last) VALUES (0);

CREATE TABLE run (
    id           BIGINT PRIMARY KEY,
    -- Where its Activity file lay, and what it said.
    activity     TEXT NOT NULL,
    said         TEXT NOT NULL,
    -- The version of the program.
    version      TEXT NOT NULL,
    -- Whether nothing was to leave this machine.
    dry          BOOLEAN NOT NULL,
    started_at   BIGINT NOT NULL,
    -- NULL while it is under way, and after it was interrupted.
    ended_at     BIGINT,
    -- Until when its process counts as alive unless it says so again.
    alive_until  BIGINT NOT NULL
);
CREATE INDEX run_by_activity ON run (activity, id);

CREATE TABLE run_repository (
    run_id       BIGINT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    -- Its place in the run, from 0.
    position     BIGINT NOT NULL,
    name         TEXT NOT NULL,
    clone_url    TEXT NOT NULL,
    -- All that its source knew, as JSON.
    sourced      TEXT NOT NULL,
    -- How far it has come, and whether that was the end.
    phase        TEXT NOT NULL CHECK (phase IN ('clone', 'scan', 'patch', 'push', 'propose')),
    state        TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'failed')),
    outcome      TEXT CHECK (outcome IN ('patched', 'already_patched', 'does_not_apply', 'error')),
    reason       TEXT,
    base_branch  TEXT,
    base_commit  TEXT,
    branch       TEXT,
    commit_id    TEXT,
    diff         TEXT,
    -- The clone on this machine.
    folder       TEXT,
    -- What the branch of the remote was moved to.
    pushed       TEXT,
    pull_number  BIGINT,
    pull_url     TEXT,
    delivery     TEXT CHECK (delivery IN ('opened', 'updated', 'unchanged')),
    PRIMARY KEY (run_id, position)
);
CREATE INDEX run_repository_by_branch ON run_repository (clone_url, branch);

-- What scanners found in the repositories of a run.
CREATE TABLE run_scan (
    run_id       BIGINT NOT NULL,
    position     BIGINT NOT NULL,
    scanner      TEXT NOT NULL,
    scanned_at   BIGINT NOT NULL,
    commit_id    TEXT NOT NULL,
    -- A JSON object; NULL where the scanner failed.
    facts        TEXT,
    problem      TEXT,
    PRIMARY KEY (run_id, position, scanner),
    FOREIGN KEY (run_id, position) REFERENCES run_repository (run_id, position) ON DELETE CASCADE
);
CREATE INDEX run_scan_by_scanner ON run_scan (scanner, run_id);

-- The repositories that sources found, so that they need not be looked for again.
CREATE TABLE discovery (
    -- The source and its keys.
    source       TEXT PRIMARY KEY,
    found_at     BIGINT NOT NULL,
    -- A JSON list.
    repositories TEXT NOT NULL
);
