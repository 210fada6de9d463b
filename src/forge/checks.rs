//! What checks say about a commit.
//!
//! Permissions: `checks: read`.

use super::client::Call;
use super::tokens::Access;
use super::{ForgeError, GitHub, Target};
use crate::domain::ObjectId;
use serde::Deserialize;

#[derive(Deserialize)]
struct RunsBody {
    check_runs: Vec<RunBody>,
}

#[derive(Deserialize)]
struct RunBody {
    status: String,
    #[serde(default)]
    conclusion: Option<String>,
}

impl GitHub {
    /// What all checks of a commit say together: `failure` if one failed, else `pending` if one has not ended, else
    /// `success`; `None` if there is no check. The latest run of each check counts, the first hundred checks are read.
    pub async fn checks(&self, target: &Target, commit: &ObjectId) -> Result<Option<String>, ForgeError> {
        let call = Call::get(target.path(&["commits", commit.as_str(), "check-runs"]) + "?filter=latest&per_page=100");
        let answer = self.client.send(&call, target.scope(Access::Checks).into()).await?;
        Ok(together(&answer.read::<RunsBody>()?.check_runs).map(str::to_string))
    }
}

fn together(runs: &[RunBody]) -> Option<&'static str> {
    let good = |run: &RunBody| matches!(run.conclusion.as_deref(), Some("success" | "neutral" | "skipped"));
    let ended = |run: &RunBody| run.status == "completed";
    if runs.is_empty() {
        None
    } else if runs.iter().any(|run| ended(run) && !good(run)) {
        Some("failure")
    } else if runs.iter().all(ended) {
        Some("success")
    } else {
        Some("pending")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_check_spoils_all_and_one_unfinished_check_delays_them() {
        let run = |status: &str, conclusion: Option<&str>| RunBody {
            status: status.into(),
            conclusion: conclusion.map(Into::into),
        };
        let (good, bad, busy) =
            (("completed", Some("success")), ("completed", Some("timed_out")), ("in_progress", None));
        let says = |runs: &[(&str, Option<&str>)]| together(&runs.iter().map(|(s, c)| run(s, *c)).collect::<Vec<_>>());
        assert_eq!(says(&[]), None);
        assert_eq!(says(&[good, ("completed", Some("skipped"))]), Some("success"));
        assert_eq!(says(&[good, busy]), Some("pending"));
        assert_eq!(says(&[good, busy, bad]), Some("failure"));
    }
}
