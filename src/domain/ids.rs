//! Identifiers, each a type of its own so that one cannot be passed for another.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! numeric_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

numeric_id! {
    /// GitHub's numeric id of a repository. It survives renames and transfers, the name does not.
    RepoId
}
numeric_id! {
    /// GitHub's numeric id of one installation of the App on one account.
    InstallationId
}
numeric_id! {
    /// The number of a pull request within its repository.
    PullNumber
}
numeric_id! {
    /// GitHub's numeric id of a comment on an issue or a pull request.
    CommentId
}
numeric_id! {
    /// GitHub's numeric id of a check run.
    CheckRunId
}
text_id! {
    /// The `X-GitHub-Delivery` GUID of a webhook. A redelivery carries the same one.
    DeliveryId
}
text_id! {
    /// Our identifier of a proposal: a UUID, version 7.
    ProposalId
}
