//! The file of an organisation, in its repository `.github`: read with the head of that repository, and in force until a better
//! one comes. Any other repository costs nothing.

use super::file::{Found, ORGANISATION, config_after, find_in};
use crate::domain::RepoName;
use crate::forge::{ForgeError, GitHub, Target, TreeEntry};
use crate::store::{Config, RepositoryRow, Store, StoreError};
use jiff::Timestamp;

/// The repository that holds what an organisation says for all of them. Source: GitHub docs, "Creating a default community health
/// file".
const NAME: &str = ".github";

/// Whether a repository is the one in which an organisation's file is looked for. Pure.
pub(in crate::pipeline) fn is_for_all(name: &RepoName) -> bool {
    name.name().eq_ignore_ascii_case(NAME)
}

/// The organisation's file in the repository at hand, as it was last read.
pub(super) enum Shelf {
    /// It is looked for elsewhere.
    Elsewhere,
    /// Nobody has looked yet.
    Unread,
    Read(Config),
}

impl Shelf {
    pub(super) async fn of(store: &Store, row: &RepositoryRow) -> Result<Self, StoreError> {
        if !is_for_all(&row.repository.name) {
            return Ok(Self::Elsewhere);
        }
        Ok(store.organisation(row.repository.id).await?.map_or(Self::Unread, Self::Read))
    }

    pub(super) fn is_unread(&self) -> bool {
        matches!(self, Self::Unread)
    }

    /// The file at a head with these files, if it is another than before; `None` where there are no news.
    pub(super) async fn renewed(
        self,
        forge: &GitHub,
        target: &Target,
        tree: Option<&[TreeEntry]>,
        now: Timestamp,
    ) -> Result<Option<Config>, ForgeError> {
        let before = match self {
            Self::Elsewhere => return Ok(None),
            Self::Unread => None,
            Self::Read(config) => Some(config),
        };
        let none = Config::none();
        let known = before.as_ref().unwrap_or(&none);
        let found = match tree {
            Some(tree) => find_in(&ORGANISATION, forge, target, tree, known).await?,
            // An empty repository, or the head that was read before.
            None if before.is_some() => return Ok(None),
            None => Found::None,
        };
        let after = config_after(&ORGANISATION, known, found, now);
        Ok(Some(after).filter(|after| before.as_ref() != Some(after)))
    }
}
