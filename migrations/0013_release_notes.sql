-- What the publishers of releases say of them. The same rules as in the first file.

-- A release of which somebody wants to know, once for all repositories, and what was found; "nothing" is found as well.
-- `asked`: nobody has looked yet. `failed`: it is looked again while it is wanted.
CREATE TABLE release_notes (
    ecosystem    TEXT NOT NULL,
    package      TEXT NOT NULL,
    version      TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('asked', 'known', 'failed')),
    -- When the first look is due, or the last one was.
    look_at      BIGINT NOT NULL,
    -- When the last pull request is due that it was wanted for so far.
    wanted_until BIGINT NOT NULL,
    failures     BIGINT NOT NULL DEFAULT 0,
    -- Why there is nothing, where there is nothing.
    why          TEXT,
    -- The installation whose private repository this was read from.
    private_to   BIGINT,
    source       TEXT,
    homepage     TEXT,
    changelog    TEXT,
    -- The repository's page on the forge, the tag of the release there, and what was written about it.
    page         TEXT,
    tag          TEXT,
    title        TEXT,
    body         TEXT,
    PRIMARY KEY (ecosystem, package, version)
);
CREATE INDEX release_notes_by_want ON release_notes (wanted_until);

-- A piece of work that was put off to a time, a few seconds, so that a first look may come to its end.
CREATE TABLE notes_waiter (
    ecosystem TEXT NOT NULL,
    package   TEXT NOT NULL,
    version   TEXT NOT NULL,
    work_key  TEXT NOT NULL,
    until     BIGINT NOT NULL,
    PRIMARY KEY (ecosystem, package, version, work_key),
    FOREIGN KEY (ecosystem, package, version) REFERENCES release_notes (ecosystem, package, version) ON DELETE CASCADE
);
CREATE INDEX notes_waiter_by_work ON notes_waiter (work_key);
