//! By what a list of repositories that a source found is known again.

use super::InstallationId;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// Everything that decides what a source finds. It holds secrets, and is stored nowhere.
pub struct Question<'a> {
    /// The source's name.
    pub source: &'a str,
    /// Its keys, as a file would write them.
    pub keys: Value,
    /// The API of the GitHub that is asked.
    pub api_url: &'a str,
    /// Who asks.
    pub asker: AskedBy<'a>,
}

/// Who asks for the repositories of a source: another one may see others.
pub enum AskedBy<'a> {
    /// A person. Which one and with what rights is not known without asking, so that the token stands for both.
    Person {
        /// The token.
        token: &'a str,
    },
    /// An installation of an App, whatever its tokens.
    Installation {
        /// The App.
        app_id: i64,
        /// The installation.
        installation: InstallationId,
    },
    /// A plug-in.
    PlugIn {
        /// What it may do, as a file would write it.
        allow: Value,
        /// The variables that are passed on to it: tokens may be among them.
        variables: BTreeMap<&'a str, &'a str>,
    },
}

/// The key of a list of repositories in the store.
///
/// A SHA-256 in hexadecimal digits, over a JSON object: `source`, `keys`, `api`, and who asks, as `token`, or `app` and
/// `installation`, or `allow` and `variables`; the names of all objects in order. A token is one part of what goes into it, and cannot
/// be read from it; a short password among the variables could be guessed by whoever reads the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscoveryKey(String);

impl DiscoveryKey {
    /// The key of what answers a question.
    pub fn of(question: &Question<'_>) -> Self {
        let asker = match &question.asker {
            AskedBy::Person { token } => json!({ "token": token }),
            AskedBy::Installation { app_id, installation } => json!({ "app": app_id, "installation": installation.0 }),
            AskedBy::PlugIn { allow, variables } => json!({ "allow": allow, "variables": variables }),
        };
        let Question { source, keys, api_url, .. } = question;
        let mut all = json!({ "source": source, "keys": keys, "api": api_url, "asker": asker });
        all.sort_all_objects();
        Self(hex::encode(Sha256::digest(all.to_string())))
    }

    /// As the store has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(keys: Value, api_url: &str, asker: AskedBy<'_>) -> String {
        DiscoveryKey::of(&Question { source: "github-search", keys, api_url, asker }).as_str().to_owned()
    }

    /// The first one is written out: whoever changes how keys are made forgets every list that is stored.
    #[test]
    fn whatever_decides_what_is_found_makes_another_key() {
        let keys = || json!({ "search_query": "org:acme", "forks": true });
        let token = |token| AskedBy::Person { token };
        let installation = |app_id, id| AskedBy::Installation { app_id, installation: InstallationId(id) };
        let plug_in = |value| AskedBy::PlugIn { allow: json!({}), variables: BTreeMap::from([("TOKEN", value)]) };
        let api = "https://api.github.com";
        let first = key(keys(), api, token("a"));
        assert_eq!(first, "63e35cb358564e4788911361a9c42c61932dd89cc1003e20b1e32c07a8561762");
        assert_eq!(key(json!({ "forks": true, "search_query": "org:acme" }), api, token("a")), first);
        let others = [
            key(json!({ "search_query": "org:acme" }), api, token("a")),
            key(keys(), "https://ghes.example.com/api/v3", token("a")),
            key(keys(), api, token("b")),
            key(keys(), api, installation(1, 2)),
            key(keys(), api, installation(2, 2)),
            key(keys(), api, installation(1, 3)),
            key(keys(), api, plug_in("a")),
            key(keys(), api, plug_in("b")),
        ];
        let different: std::collections::BTreeSet<&String> = others.iter().chain([&first]).collect();
        assert_eq!(different.len(), others.len() + 1);
        assert!(others.iter().all(|key| key.len() == 64));
    }
}
