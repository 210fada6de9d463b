//! The documents that go to plug-ins and come back.

use super::{PlugIn, Reason, Task, beginning};
use crate::domain::{PatchOutcome, SourcedRepository};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::Path;

/// The version of the protocol.
pub const VERSION: u64 = 1;
/// As many repositories may a source find.
const MOST_REPOSITORIES: usize = 100_000;
/// What a driver says is cut there. Unit: characters.
const LONGEST_DETAILS: usize = 2000;

#[derive(Serialize)]
struct Request<'a> {
    version: u64,
    kind: &'static str,
    name: &'a str,
    config: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<&'a SourcedRepository>,
    folder: &'a Path,
}

/// What a plug-in reads, on one line.
pub(super) fn request(plug_in: &PlugIn, task: &Task<'_>) -> String {
    let (kind, name) = (plug_in.kind.as_str(), plug_in.name.as_str());
    let &Task { config, repository, folder, .. } = task;
    let request = Request { version: VERSION, kind, name, config, repository, folder };
    // Only a path that is no Unicode cannot be written, and ours are made of plain letters.
    serde_json::to_string(&request).unwrap_or_default() + "\n"
}

/// What a driver says that it did. Whether it changed files, the folder tells.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriverAnswer {
    /// What it made of the repository.
    pub outcome: PatchOutcome,
    /// What is to be known of that, such as what is missing or went wrong.
    #[serde(default)]
    pub details: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScannerAnswer {
    facts: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceAnswer {
    repositories: Vec<Map<String, Value>>,
}

pub(super) fn driver_answer(answer: &[u8]) -> Result<DriverAnswer, Reason> {
    let DriverAnswer { outcome, details } = read(answer)?;
    Ok(DriverAnswer { outcome, details: details.trim().chars().take(LONGEST_DETAILS).collect() })
}

pub(super) fn facts(answer: &[u8]) -> Result<Map<String, Value>, Reason> {
    read::<ScannerAnswer>(answer).map(|answer| answer.facts)
}

pub(super) fn repositories(answer: &[u8]) -> Result<Vec<SourcedRepository>, Reason> {
    let SourceAnswer { repositories } = read(answer)?;
    if repositories.len() > MOST_REPOSITORIES {
        return Err(Reason::Answer(format!("more than {MOST_REPOSITORIES} repositories")));
    }
    let numbered = repositories.into_iter().enumerate();
    numbered
        .map(|(at, repository)| {
            let wrong = |what: &str| Reason::Answer(format!("`repositories[{at}]`: {what}"));
            let known = ["id", "clone_url", "upstream_branch", "patch_data"];
            if let Some(odd) = repository.keys().find(|key| !known.contains(&key.as_str())) {
                let odd = super::one_line(odd);
                return Err(wrong(&format!("unknown key `{odd}`; what drivers are to know belongs in `patch_data`")));
            }
            let repository: SourcedRepository = serde_json::from_value(repository.into())
                .map_err(|error| wrong(&super::one_line(&error.to_string())))?;
            if repository.id.is_empty() || repository.clone_url.is_empty() {
                return Err(wrong("`id` and `clone_url` must not be empty"));
            }
            Ok(repository)
        })
        .collect()
}

/// One document and nothing else, of our version.
fn read<T: DeserializeOwned>(answer: &[u8]) -> Result<T, Reason> {
    if answer.iter().all(u8::is_ascii_whitespace) {
        return Err(Reason::Answer(
            "nothing was written to standard output; one JSON document was expected".to_owned(),
        ));
    }
    let wrong = |error: serde_json::Error| {
        let (error, beginning) = (super::one_line(&error.to_string()), beginning(answer));
        let hint = "what is for people belongs on standard error";
        Reason::Answer(format!(
            "{error}; one JSON document and nothing else was expected ({hint}). It began with: {beginning}"
        ))
    };
    let mut document: Map<String, Value> = serde_json::from_slice(answer).map_err(wrong)?;
    match document.remove("version") {
        Some(version) if version.as_u64() == Some(VERSION) => {}
        Some(version) => return Err(Reason::Version { theirs: beginning(version.to_string().as_bytes()) }),
        None => return Err(Reason::Answer(format!("`version` is missing; this is version {VERSION}"))),
    }
    serde_json::from_value(document.into()).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn answers_are_read() {
        let patched = br#" {"version": 1, "outcome": "patched", "details": "three files"} "#;
        let answer = |outcome, details: &str| DriverAnswer { outcome, details: details.to_owned() };
        assert_eq!(driver_answer(patched).unwrap(), answer(PatchOutcome::Patched, "three files"));
        let elsewhere = driver_answer(br#"{"version":1,"outcome":"does_not_apply"}"#).unwrap();
        assert_eq!(elsewhere, answer(PatchOutcome::DoesNotApply, ""));
        assert_eq!(facts(br#"{"version":1,"facts":{"a":[1]}}"#).unwrap()["a"][0], 1);
        let found =
            repositories(br#"{"version":1,"repositories":[{"id":"a","clone_url":"/a","patch_data":{"b":"c"}}]}"#)
                .unwrap();
        assert_eq!((found[0].id.as_str(), found[0].patch_data["b"].as_str()), ("a", "c"));
    }

    #[test]
    fn what_is_no_answer_is_told() {
        for (answer, expected) in [
            ("", "nothing was written"),
            ("patched", "expected value at line 1 column 1"),
            ("Working...\n{\"version\":1}", "It began with: Working..."),
            ("{\"version\":1,\"outcome\":\"patched\"}{}", "trailing characters"),
            ("[]", "invalid type"),
            ("{\"outcome\":\"patched\"}", "`version` is missing"),
            ("{\"version\":2,\"outcome\":\"patched\"}", "version 2 of the protocol"),
            ("{\"version\":\"1\",\"outcome\":\"patched\"}", "version \"1\" of the protocol"),
            ("{\"version\":1,\"outcome\":\"done\"}", "unknown variant `done`"),
            ("{\"version\":1,\"outcome\":\"patched\",\"detail\":\"\"}", "unknown field `detail`"),
            ("\u{1b}[31m", "It began with: \u{fffd}[31m"),
        ] {
            let said = driver_answer(answer.as_bytes()).unwrap_err().to_string();
            assert!(said.contains(expected), "{answer}: {said}");
        }
        let odd = repositories(br#"{"version":1,"repositories":[{"id":"a","clone_url":"/a","branch":"b"}]}"#);
        assert!(odd.unwrap_err().to_string().contains("repositories[0]`: unknown key `branch`"));
    }

    proptest! {
        #[test]
        fn whatever_is_answered_is_read_or_refused(answer: Vec<u8>, text in "\\PC{0,40}|\\{\"version\":1,[\"a-z:,{}\\[\\]]{0,30}") {
            for answer in [answer.as_slice(), text.as_bytes()] {
                let _ = (driver_answer(answer), facts(answer), repositories(answer));
            }
        }
    }
}
