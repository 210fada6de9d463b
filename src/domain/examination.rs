//! Looks at the subscription file of a commit, whose outcome people read in a check run.

use super::ids::{PullNumber, RepoId};
use super::repo::ObjectId;

/// A commit whose subscription file is to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The repository that the check run is for; the commit may be a fork's.
    pub repo: RepoId,
    /// The commit.
    pub commit: ObjectId,
    /// Where it was pushed to.
    pub place: Place,
    /// What stood there before.
    pub follows: Option<ObjectId>,
    /// Whether the file is named among what changed.
    pub named: bool,
}

/// Where a commit was pushed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A branch of the repository.
    Branch(String),
    /// A pull request from a fork.
    Pull(PullNumber),
    /// Nobody knows, or more than one.
    Anywhere,
}

impl Place {
    /// The text the store keeps: empty for anywhere.
    pub fn to_text(&self) -> String {
        match self {
            Self::Branch(name) => format!("branch {name}"),
            Self::Pull(number) => format!("pull {number}"),
            Self::Anywhere => String::new(),
        }
    }

    /// The place that a text stands for; anywhere, if it is none of ours.
    pub fn from_text(text: &str) -> Self {
        match text.split_once(' ') {
            Some(("branch", name)) => Self::Branch(name.to_owned()),
            Some(("pull", number)) => number.parse().map_or(Self::Anywhere, |number| Self::Pull(PullNumber(number))),
            _ => Self::Anywhere,
        }
    }

    /// Whether it is this branch of the repository.
    pub fn is_branch(&self, branch: &str) -> bool {
        matches!(self, Self::Branch(name) if name == branch)
    }
}

/// What came of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Examined {
    /// It is said in a check run.
    Said,
    /// There is nothing to say: the file is not there, or no other than the one in force.
    Nothing,
    /// GitHub does not let us say it.
    Refused,
}

impl Examined {
    /// Every outcome, in the order of the declaration.
    pub const ALL: [Self; 3] = [Self::Said, Self::Nothing, Self::Refused];

    /// The word the store uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Said => "said",
            Self::Nothing => "nothing",
            Self::Refused => "refused",
        }
    }

    /// The outcome a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        for place in [Place::Branch("a b/pull 7".into()), Place::Pull(PullNumber(7)), Place::Anywhere] {
            assert_eq!(Place::from_text(&place.to_text()), place);
        }
        assert_eq!(Place::from_text("pull request"), Place::Anywhere);
    }
}
