//! The few fields of GitHub's payloads that we read, all of them optional.

use super::json::{Flag, Int, List, Moment, Obj, Text};
use serde::Deserialize;

macro_rules! payload {
    ($($name:ident { $($(#[$meta:meta])* $field:ident: $kind:ty,)* })*) => {
        $(
            #[derive(Debug, Default, Deserialize)]
            #[serde(default)]
            pub(super) struct $name {
                $($(#[$meta])* pub(super) $field: $kind,)*
            }
        )*
    };
}

payload! {
    Envelope {
        action: Text,
        installation: Obj<Id>,
        repository: Obj<Id>,
    }
    Id {
        id: Int,
    }
    Repository {
        full_name: Text,
        default_branch: Text,
        archived: Flag,
        disabled: Flag,
        pushed_at: Moment,
    }
    PushEvent {
        repository: Obj<Repository>,
        #[serde(rename = "ref")]
        git_ref: Text,
        before: Text,
        after: Text,
        created: Flag,
        deleted: Flag,
        forced: Flag,
        /// Gone from webhooks in some versions; where it is sent, it counts all commits.
        size: Int,
        head_commit: Obj<Commit>,
        commits: List<Obj<Commit>>,
    }
    Commit {
        id: Text,
        tree_id: Text,
        added: List<Text>,
        removed: List<Text>,
        modified: List<Text>,
    }
    PullEvent {
        number: Int,
        before: Text,
        pull_request: Obj<Pull>,
    }
    Pull {
        number: Int,
        state: Text,
        merged: Flag,
        merged_at: Text,
        head: Obj<End>,
        base: Obj<End>,
    }
    End {
        sha: Text,
        repo: Obj<Id>,
    }
    RepositoryEvent {
        repository: Obj<Repository>,
    }
    CommentEvent {
        issue: Obj<Issue>,
        comment: Obj<Comment>,
        sender: Obj<Account>,
    }
    Issue {
        number: Int,
        pull_request: Obj<PullLink>,
    }
    PullLink {
        url: Text,
    }
    Comment {
        id: Int,
        body: Text,
        user: Obj<Account>,
        created_at: Moment,
        performed_via_github_app: Obj<Id>,
    }
    Account {
        login: Text,
        #[serde(rename = "type")]
        kind: Text,
    }
    CheckSuiteEvent {
        check_suite: Obj<CheckRun>,
    }
    StatusEvent {
        sha: Text,
    }
    CheckRunEvent {
        check_run: Obj<CheckRun>,
    }
    CheckRun {
        head_sha: Text,
    }
}
