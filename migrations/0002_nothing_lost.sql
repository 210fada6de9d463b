-- What several processes share: who does the periodic duties, what GitHub allows, how far a pull request has got.
-- The same rules as in the first file.

-- How often a piece of work was claimed in all, also when that claim ended in good order and does not count as an attempt.
ALTER TABLE work ADD COLUMN claims BIGINT NOT NULL DEFAULT 0;
-- How often in a row of attempts it was refused, rather than kept from going on by the times.
ALTER TABLE work ADD COLUMN refusals BIGINT NOT NULL DEFAULT 0;
-- Whether the step asks GitHub anything: such work waits while its installation is paused.
ALTER TABLE work ADD COLUMN asks_github BOOLEAN NOT NULL DEFAULT FALSE;
-- How long it may wait behind others, in milliseconds; before, a rank.
UPDATE work SET priority = (50 - priority) * 500;
ALTER TABLE work RENAME COLUMN priority TO patience;
-- Its place in line, once it is due; see `store/work.rs`.
ALTER TABLE work ADD COLUMN turn BIGINT;
DROP INDEX work_queued_in_order;
DROP INDEX work_queued_by_due;
DROP INDEX work_queued_by_subject;
CREATE INDEX work_ready_in_line ON work (turn, id) WHERE state = 'queued' AND turn IS NOT NULL;
CREATE INDEX work_queued_by_subject ON work (subject, turn, id) WHERE state = 'queued';
CREATE INDEX work_ready_by_installation ON work (installation_id, patience, turn)
    WHERE state = 'queued' AND turn IS NOT NULL;
CREATE INDEX work_queued_by_due ON work (due_at) WHERE state = 'queued' AND turn IS NULL;
CREATE INDEX work_queued_by_installation ON work (installation_id, due_at) WHERE state = 'queued';

-- How far an attempt has got, as far as GitHub's answers were seen and stored.
ALTER TABLE attempt ADD COLUMN progress TEXT NOT NULL DEFAULT '{}';
-- The claim of its step that ended in good order: the next one finds things just as `progress` says.
ALTER TABLE attempt ADD COLUMN orderly_claim BIGINT;

-- The last push that was taken in, by GitHub's clock.
ALTER TABLE repository ADD COLUMN pushed_at BIGINT;

-- What GitHub allows an installation, as last heard; the App itself is number 0.
CREATE TABLE budget (
    installation_id BIGINT NOT NULL PRIMARY KEY,
    -- Requests in the present window, from the headers `x-ratelimit-*`.
    request_limit   BIGINT,
    remaining       BIGINT,
    resets_at       BIGINT,
    observed_at     BIGINT,
    -- Until when GitHub wants to hear nothing, and how often in a row it said so without naming a time.
    paused_until    BIGINT,
    pause_reason    TEXT,
    refusals        BIGINT NOT NULL DEFAULT 0,
    -- When the next write may be sent, and up to when the hourly allowance of writes is used.
    next_write_at   BIGINT NOT NULL DEFAULT 0,
    writes_used_to  BIGINT NOT NULL DEFAULT 0
);

-- What is done from time to time, by one process at a time.
CREATE TABLE duty (
    name    TEXT NOT NULL PRIMARY KEY,
    -- When it was done to its end last, where that matters; `next_at` is when it is due again.
    done_at BIGINT,
    next_at BIGINT NOT NULL
);
