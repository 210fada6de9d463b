//! The few fields of GitHub's payloads that we read, all of them optional.

use super::json::{Flag, Int, List, Obj, Text};
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
    Account {
        id: Int,
        login: Text,
        #[serde(rename = "type")]
        kind: Text,
    }
    Repository {
        id: Int,
        full_name: Text,
        default_branch: Text,
        private: Flag,
        fork: Flag,
        archived: Flag,
        disabled: Flag,
        html_url: Text,
    }
    InstallationEvent {
        installation: Obj<Installation>,
        repositories: List<Obj<Repository>>,
    }
    Installation {
        account: Obj<Account>,
        target_type: Text,
    }
    InstallationRepositoriesEvent {
        repositories_added: List<Obj<Repository>>,
        repositories_removed: List<Obj<Repository>>,
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
        pull_request: Obj<Pull>,
        sender: Obj<Account>,
    }
    Pull {
        number: Int,
        state: Text,
        merged: Flag,
        merged_at: Text,
        html_url: Text,
        head: Obj<End>,
        base: Obj<End>,
        user: Obj<Account>,
    }
    End {
        #[serde(rename = "ref")]
        branch: Text,
        sha: Text,
        repo: Obj<Id>,
    }
    RepositoryEvent {
        repository: Obj<Repository>,
        changes: Obj<Changes>,
    }
    Changes {
        default_branch: Obj<From>,
        repository: Obj<RepositoryChanges>,
    }
    RepositoryChanges {
        name: Obj<From>,
    }
    From {
        from: Text,
    }
    CheckRunEvent {
        check_run: Obj<CheckRun>,
    }
    CheckRun {
        id: Int,
        name: Text,
        head_sha: Text,
        status: Text,
        conclusion: Text,
        app: Obj<Id>,
        pull_requests: List<Obj<PullNumber>>,
    }
    PullNumber {
        number: Int,
    }
}
