//! From words to a check run: its conclusion, its reference, and the problems on their lines. Pure.

use crate::domain::ObjectId;
use crate::forge::{Annotation, CheckRun, Conclusion};
use crate::planner::preview::Words;
use crate::planner::prose::{quoted, spoken};
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

/// What there is to say of an organisation's file.
#[derive(Clone, Debug)]
pub struct Organisation {
    /// Where it lies.
    pub path: String,
    /// What was read.
    pub blob: Option<ObjectId>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// What the one in force asks for: this one, or the last one without problems.
    pub asks: Option<String>,
}

impl Organisation {
    /// A check run's words where there is nothing to be said of the repository's own file.
    pub fn words(&self) -> Words {
        let title = match self.problems.len() {
            0 => format!("{} is valid", self.path),
            1 => format!("1 problem in {}", self.path),
            n => format!("{n} problems in {}", self.path),
        };
        let summary =
            "mass-driver asks the repositories of an organisation whether they want updates, where this file says so."
                .to_owned();
        Words {
            title,
            summary,
            text: "Each repository is asked once, by a pull request that adds a `.mass-driver.yaml`.\n".into(),
        }
    }

    fn sentence(&self) -> String {
        let (path, asks) = (quoted(&self.path), self.asks.as_deref().map(spoken));
        match (self.problems.is_empty(), asks) {
            (true, asks) => format!("{path} is valid: it asks for {}.", asks.unwrap_or_else(|| "nothing".into())),
            (false, Some(asks)) => {
                format!("{path} cannot be used as it is. The last good one stays in force, which asks for {asks}.")
            }
            (false, None) => format!("{path} cannot be used as it is, so no repository is asked."),
        }
    }
}

/// The check run that says these words, and what there is to say of an organisation's file.
pub fn check_of(words: Words, finding: Finding<'_>, organisation: Option<&Organisation>) -> CheckRun {
    let mut run = check_of_repository(words, finding);
    if let Some(organisation) = organisation {
        run.summary = format!("{}\n\n{}\n", run.summary.trim_end(), organisation.sentence());
        if !organisation.problems.is_empty() {
            let more = organisation.problems.iter().map(|problem| annotation(&organisation.path, problem));
            run.annotations.extend(more);
            run.annotations.truncate(ANNOTATIONS_MAX);
            run.reference = reference(&run.annotations);
            run.conclusion = run.conclusion.map(|_| Conclusion::Failure);
        }
    }
    run
}

fn check_of_repository(words: Words, finding: Finding<'_>) -> CheckRun {
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
