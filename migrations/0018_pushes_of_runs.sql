-- What a run was for. A scan leaves nothing on this machine that could be gone on with; a dry run leaves nothing elsewhere.
ALTER TABLE run ADD COLUMN kind TEXT NOT NULL DEFAULT 'run' CHECK (kind IN ('run', 'dry_run', 'scan'));
UPDATE run SET kind = 'dry_run' WHERE dry;
ALTER TABLE run DROP COLUMN dry;

-- The commits that runs were about to push, by which a branch is known as one of ours, whatever became of the run.
CREATE TABLE run_push (
    run_id       BIGINT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    -- HOST/OWNER/NAME in small letters: one repository has many addresses.
    repository   TEXT NOT NULL,
    branch       TEXT NOT NULL,
    commit_id    TEXT NOT NULL,
    PRIMARY KEY (repository, branch, run_id, commit_id)
);
CREATE INDEX run_push_by_run ON run_push (run_id);
CREATE INDEX run_repository_by_pull ON run_repository (pull_url) WHERE pull_url IS NOT NULL;
