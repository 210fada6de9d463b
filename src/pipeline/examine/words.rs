//! From words to a check run: its conclusion, its reference, and the problems on their lines. Pure.

use crate::forge::{Annotation, CheckRun, Conclusion};
use crate::planner::preview::Words;
use crate::subscription::Problem;
use sha2::{Digest as _, Sha256};

/// The name of the check run, as people see it beside a commit.
pub const CHECK: &str = "mass-driver";
/// So many problems are shown on their lines; whoever has more mends the first ones and pushes again.
const ANNOTATIONS_MAX: usize = 200;
/// GitHub takes 64 KB in a message. Ours are sentences. Unit: characters.
const MESSAGE_MAX_CHARS: usize = 2_000;

/// What was found in a commit.
#[derive(Clone, Copy)]
pub enum Finding<'a> {
    /// A file that is valid; what it does is not known yet.
    Unknown,
    /// A file that is valid.
    Valid,
    /// A file with problems.
    Problems(&'a str, &'a [Problem]),
    /// The file was removed.
    Removed,
    /// The commit cannot be read any more.
    Unread,
}

/// The check run that says these words.
pub fn check_of(words: Words, finding: Finding<'_>) -> CheckRun {
    let annotations = match finding {
        Finding::Problems(path, problems) => {
            problems.iter().take(ANNOTATIONS_MAX).map(|problem| annotation(path, problem)).collect()
        }
        Finding::Unknown | Finding::Valid | Finding::Removed | Finding::Unread => Vec::new(),
    };
    CheckRun {
        name: CHECK,
        reference: reference(&annotations),
        conclusion: match finding {
            Finding::Unknown => None,
            Finding::Valid => Some(Conclusion::Success),
            Finding::Problems(..) => Some(Conclusion::Failure),
            Finding::Removed | Finding::Unread => Some(Conclusion::Neutral),
        },
        title: words.title,
        summary: words.summary,
        text: words.text,
        annotations,
    }
}

/// Annotations can be added to a run and never taken away, so other ones make another run.
fn reference(annotations: &[Annotation]) -> String {
    if annotations.is_empty() {
        return "file".into();
    }
    let mut hash = Sha256::new();
    for Annotation { path, line, columns, title, message } in annotations {
        hash.update(format!("{path}\0{line}\0{columns:?}\0{title}\0{message}\0"));
    }
    format!("problems:{}", hex::encode(&hash.finalize()[..8]))
}

fn annotation(path: &str, problem: &Problem) -> Annotation {
    let Problem { line, column, length, what, fix } = problem;
    let first = (*column).max(1);
    let sentence = |text: &str| -> String { text.chars().take(MESSAGE_MAX_CHARS).collect() };
    Annotation {
        path: path.to_owned(),
        line: (*line).max(1),
        columns: (first, first.saturating_add(length.saturating_sub(1))),
        title: "This cannot be used".into(),
        message: format!("{}; {}", sentence(what), sentence(fix)),
    }
}
