-- Why a branch is left as it is, and how a pull request ends. The same rules as in the first file.

-- Whether that is for the sake of people's commits. Newer versions wait for those alone.
ALTER TABLE pull_branch ADD COLUMN held_for_people BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE pull_branch SET held_for_people = TRUE WHERE held_because LIKE 'people%';

-- When we closed it ourselves. One that is open after that was reopened by a person.
ALTER TABLE pull_branch ADD COLUMN closed_at BIGINT;

-- The branch that it was opened for, or brought up to date with: the default one by then.
ALTER TABLE pull_branch ADD COLUMN base_branch TEXT;
