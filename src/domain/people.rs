//! People and teams of a forge, as files name them.

use super::text::as_text;
use std::fmt;

/// Somebody who can be asked for something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// An account, by its login.
    Person(String),
    /// A team of an organisation.
    Team {
        /// The organisation's login.
        organisation: String,
        /// The team's name in addresses.
        slug: String,
    },
}

/// Why a text names nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is neither a login, such as `alice`, nor a team, such as `acme/platform`")]
pub struct NoParty;

/// Longer names there are none. Unit: bytes.
const LONGEST: usize = 100;

impl Party {
    /// Reads `alice` or `acme/platform`, each with or without an `@` before it.
    ///
    /// Errors: [`NoParty`] for what GitHub takes for no login and no team.
    pub fn parse(text: &str) -> Result<Self, NoParty> {
        let name = text.strip_prefix('@').unwrap_or(text);
        match name.split_once('/') {
            None if is_login(name) => Ok(Self::Person(name.into())),
            Some((organisation, slug)) if is_login(organisation) && is_slug(slug) => {
                Ok(Self::Team { organisation: organisation.into(), slug: slug.into() })
            }
            _ => Err(NoParty),
        }
    }

    /// Whether it is the same, the case of letters aside: to GitHub it makes no difference.
    pub fn is(&self, other: &Self) -> bool {
        self.to_string().eq_ignore_ascii_case(&other.to_string())
    }
}

/// Letters, digits, `-`, and the `_` of accounts that a company manages.
fn is_login(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with(['-', '_'])
}

fn is_slug(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(inner)
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(login) => f.write_str(login),
            Self::Team { organisation, slug } => write!(f, "{organisation}/{slug}"),
        }
    }
}

as_text!(Party, NoParty);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_and_teams() {
        let shown = |text: &str| Party::parse(text).map(|party| party.to_string());
        for (text, party) in [
            ("alice", "alice"),
            ("@alice", "alice"),
            ("al-ice_acme", "al-ice_acme"),
            ("acme/platform", "acme/platform"),
            ("@acme/plat.form_1", "acme/plat.form_1"),
        ] {
            assert_eq!(shown(text).as_deref(), Ok(party));
        }
        for text in ["", "@", "@@alice", "-alice", "al ice", "alice@example.com", "acme/", "/x", "a/b/c", "é", "a\n"] {
            assert_eq!(shown(text), Err(NoParty), "{text:?}");
        }
        assert_eq!(shown(&"a".repeat(101)), Err(NoParty));
        assert!(Party::parse("Alice").unwrap().is(&Party::parse("alice").unwrap()));
    }
}
