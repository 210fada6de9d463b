-- Whose a branch is, is asked by the commit at which it stands.
CREATE INDEX run_push_by_commit ON run_push (commit_id, branch);
