-- What an upgrade has to know of repositories that were asked, or need not be. The same rules as in the first file.

-- The default branch that the pull request goes to; another one may be chosen while it is open.
ALTER TABLE onboarding ADD COLUMN base_branch TEXT;
UPDATE onboarding SET base_branch = (SELECT default_branch FROM repository WHERE repository.id = onboarding.repo_id)
    WHERE pull_number IS NOT NULL;

-- Since when somebody wants to know: notes are often written some time after their release.
ALTER TABLE release_notes ADD COLUMN asked_at BIGINT;

-- Who had a good file before this was stored, and removes it, is not asked for one.
UPDATE repository SET config_commit = head_commit WHERE config_commit IS NULL AND config_state = 'valid';
