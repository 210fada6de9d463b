//! `dockerfile-from`: what the Dockerfile at the top of a repository builds on.

use super::Scanner;
use crate::domain::{EntryKind, Reading, RepoPath, Snapshot};
use serde_json::{Map, Value, json};

/// The scanner.
#[derive(Debug)]
pub struct DockerfileFrom;

impl Scanner for DockerfileFrom {
    fn name(&self) -> &'static str {
        "dockerfile-from"
    }

    fn about(&self) -> &'static str {
        "The lines of the Dockerfile at the top of the repository that begin with FROM, as they are written. For images with their \
versions, wherever they stand, there is `dependencies`."
    }

    fn wants(&self, _: &Snapshot) -> Vec<RepoPath> {
        path().into_iter().collect()
    }

    fn scan(&self, files: &Snapshot) -> Result<Map<String, Value>, String> {
        let path = path().ok_or("Dockerfile is no path")?;
        let facts = match (files.kind(&path), files.reading(&path)) {
            (None | Some(EntryKind::Submodule), _) => json!({ "dockerfile_exists": false, "dockerfile_from": null }),
            (Some(EntryKind::Symlink), _) => return Err("Dockerfile is a symbolic link, which is not followed".into()),
            (Some(EntryKind::File(_)), Some(Reading::Text(text))) => {
                let lines: Vec<&str> = lines(text).filter(|line| line.starts_with("FROM")).collect();
                json!({ "dockerfile_exists": true, "dockerfile_from_lines": lines })
            }
            (_, Some(Reading::Binary)) => return Err("Dockerfile is not a text in UTF-8".into()),
            (_, Some(Reading::LfsPointer)) => return Err("Dockerfile is kept in Git LFS, which is not read".into()),
            (_, Some(Reading::TooLarge { bytes })) => {
                return Err(format!("Dockerfile is too large: it has {bytes} bytes"));
            }
            (_, None) => return Err("Dockerfile was not read".into()),
        };
        match facts {
            Value::Object(facts) => Ok(facts),
            _ => Err("there are no facts".into()),
        }
    }
}

fn path() -> Option<RepoPath> {
    RepoPath::parse("Dockerfile").ok()
}

/// Lines end where Python's `splitlines` ends them, so that the same files give the same facts.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| {
        matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
    })
}
