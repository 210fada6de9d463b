-- What a repository's files say about others of its files. The same rules as in the first file.

-- The lock files of its head, so that a proposal can name those it leaves behind.
CREATE TABLE lock_file (
    repo_id BIGINT NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    path    TEXT NOT NULL,
    PRIMARY KEY (repo_id, path)
);

-- The packages it develops itself: a release of the same name is not what its other files mean.
CREATE TABLE developed (
    repo_id   BIGINT NOT NULL,
    path      TEXT NOT NULL,
    manager   TEXT NOT NULL,
    ecosystem TEXT NOT NULL,
    package   TEXT NOT NULL,
    PRIMARY KEY (repo_id, path, manager),
    FOREIGN KEY (repo_id, path, manager) REFERENCES manifest (repo_id, path, manager) ON DELETE CASCADE
);
