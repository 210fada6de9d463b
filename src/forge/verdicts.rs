//! Each check, commit status and review of a pull request's head by itself: what decides whether it may be merged.
//!
//! Permissions: `checks: read`, `statuses: read`, `pull_requests: read`.

use super::client::Identity;
use super::pages::read_while;
use super::pulls::{AccountBody, AccountId};
use super::tokens::Access;
use super::{ForgeError, GitHub, Target};
use crate::domain::{Check, Colour, ObjectId, PullNumber};
use serde::Deserialize;
use std::collections::BTreeMap;

/// More than this of anything is not read, and then nothing is known of the whole. GitHub itself tells of the checks of a
/// thousand suites at most.
const MOST: usize = 1_000;

#[derive(Deserialize)]
struct RunsBody {
    total_count: usize,
    check_runs: Vec<RunBody>,
}

#[derive(Deserialize)]
struct RunBody {
    id: i64,
    name: String,
    status: String,
    #[serde(default)]
    conclusion: Option<String>,
    #[serde(default)]
    check_suite: Option<SuiteBody>,
    #[serde(default)]
    app: Option<AppBody>,
}

#[derive(Deserialize)]
struct SuiteBody {
    id: i64,
}

#[derive(Deserialize)]
struct AppBody {
    id: i64,
}

#[derive(Deserialize)]
struct SuitesBody {
    total_count: usize,
    check_suites: Vec<WholeSuiteBody>,
}

#[derive(Deserialize)]
struct WholeSuiteBody {
    #[serde(default)]
    status: Option<String>,
    latest_check_runs_count: u64,
    #[serde(default)]
    app: Option<NamedAppBody>,
}

#[derive(Deserialize)]
struct NamedAppBody {
    id: i64,
    name: String,
}

#[derive(Deserialize)]
struct StatusesBody {
    total_count: usize,
    statuses: Vec<StatusBody>,
}

#[derive(Deserialize)]
struct StatusBody {
    context: String,
    state: String,
}

#[derive(Deserialize)]
struct ReviewBody {
    #[serde(default)]
    user: Option<AccountBody>,
    state: String,
}

#[derive(Deserialize)]
struct CommitBody {
    #[serde(default)]
    author: Option<AccountBody>,
}

impl GitHub {
    /// Every check of a commit, the latest run of each: of one name there may be several, in other suites or by other
    /// Apps, and each of them counts.
    ///
    /// `None` if there are more than are read, or some were left out of the answer: then nothing can be said of all.
    pub async fn check_runs(&self, target: &Target, commit: &ObjectId) -> Result<Option<Vec<Check>>, ForgeError> {
        let path = target.path(&["commits", commit.as_str(), "check-runs"]) + "?filter=latest&per_page=100";
        let mut runs: Vec<RunBody> = Vec::new();
        let mut told = 0;
        let identity: Identity = target.scope(Access::Checks).into();
        read_while(&self.client, identity, path, |page: RunsBody| {
            told = page.total_count;
            runs.extend(page.check_runs);
            runs.len() < MOST
        })
        .await?;
        Ok((runs.len() >= told).then(|| latest(runs, self.client.app_id())))
    }

    /// The suites of a commit that other Apps have begun to fill and not ended: a job that needs another has no check of its
    /// own before that one ended, and its suite alone tells that it is to come. What is completed now has all its checks in
    /// what [`GitHub::check_runs`] answers after this. An App that never made a check leaves its suite queued for ever; that
    /// tells nothing.
    ///
    /// `None` if there are more than are read.
    pub async fn unfinished_suites(
        &self,
        target: &Target,
        commit: &ObjectId,
    ) -> Result<Option<Vec<Check>>, ForgeError> {
        let path = target.path(&["commits", commit.as_str(), "check-suites"]) + "?per_page=100";
        let mut suites: Vec<WholeSuiteBody> = Vec::new();
        let mut told = 0;
        let identity: Identity = target.scope(Access::Checks).into();
        read_while(&self.client, identity, path, |page: SuitesBody| {
            told = page.total_count;
            suites.extend(page.check_suites);
            suites.len() < MOST
        })
        .await?;
        Ok((suites.len() >= told).then(|| unfinished(suites, self.client.app_id())))
    }

    /// The latest commit status of each context of a commit; `None` if there are more than are read.
    ///
    /// Errors: [`ForgeError::Forbidden`] where the owner has not granted `statuses: read`.
    pub async fn statuses(&self, target: &Target, commit: &ObjectId) -> Result<Option<Vec<Check>>, ForgeError> {
        let path = target.path(&["commits", commit.as_str(), "status"]) + "?per_page=100";
        let mut statuses: Vec<StatusBody> = Vec::new();
        let mut told = 0;
        let identity: Identity = target.scope(Access::Statuses).into();
        read_while(&self.client, identity, path, |page: StatusesBody| {
            told = page.total_count;
            statuses.extend(page.statuses);
            statuses.len() < MOST
        })
        .await?;
        let check = |status: StatusBody| {
            let colour = match status.state.as_str() {
                "success" => Colour::Green,
                "pending" => Colour::Pending,
                _ => Colour::Red,
            };
            Check { name: status.context, colour, own: false }
        };
        Ok((statuses.len() >= told).then(|| statuses.into_iter().map(check).collect()))
    }

    /// Whether somebody's last word on a pull request is that it has to change. Comments are no such word, and a dismissed
    /// review is none any more. Who may only read counts as well: a person decides about that.
    pub async fn changes_requested(&self, target: &Target, number: PullNumber) -> Result<bool, ForgeError> {
        let path = target.path(&["pulls", &number.to_string(), "reviews"]) + "?per_page=100";
        let mut words: BTreeMap<Option<AccountId>, bool> = BTreeMap::new();
        let mut count = 0;
        let identity: Identity = target.scope(Access::Pulls).into();
        read_while(&self.client, identity, path, |page: Vec<ReviewBody>| {
            count += page.len();
            for review in page {
                if matches!(review.state.as_str(), "APPROVED" | "CHANGES_REQUESTED" | "DISMISSED") {
                    words.insert(review.user.map(|user| user.id), review.state == "CHANGES_REQUESTED");
                }
            }
            count < MOST
        })
        .await?;
        // What was not read may hold such a word.
        Ok(count >= MOST || words.into_values().any(|requested| requested))
    }

    /// Whether every commit of a pull request is by this account. GitHub lists 250 of them at most.
    pub async fn is_all_by(&self, target: &Target, number: PullNumber, account: AccountId) -> Result<bool, ForgeError> {
        const LISTED: usize = 250;
        let path = target.path(&["pulls", &number.to_string(), "commits"]) + "?per_page=100";
        let (mut count, mut all) = (0, true);
        let identity: Identity = target.scope(Access::Pulls).into();
        read_while(&self.client, identity, path, |page: Vec<CommitBody>| {
            count += page.len();
            all = all && page.iter().all(|commit| commit.author.as_ref().is_some_and(|author| author.id == account));
            all && count < LISTED
        })
        .await?;
        Ok(all && (1..LISTED).contains(&count))
    }
}

/// The latest run of each check. A run that was asked for again is another one of the same name in its suite. Pure.
fn latest(runs: Vec<RunBody>, our_app: i64) -> Vec<Check> {
    /// App, suite and name.
    type Key = (Option<i64>, Option<i64>, String);
    let mut checks: BTreeMap<Key, (i64, Check)> = BTreeMap::new();
    for run in runs {
        let app = run.app.map(|app| app.id);
        let colour = match (run.status.as_str(), run.conclusion.as_deref()) {
            ("completed", Some("success")) => Colour::Green,
            ("completed", Some("neutral" | "skipped")) => Colour::Grey,
            ("completed", _) => Colour::Red,
            _ => Colour::Pending,
        };
        let check = Check { name: run.name.clone(), colour, own: app == Some(our_app) };
        let key = (app, run.check_suite.map(|suite| suite.id), run.name);
        match checks.get(&key) {
            Some((id, _)) if *id > run.id => {}
            _ => {
                checks.insert(key, (run.id, check));
            }
        }
    }
    checks.into_values().map(|(_, check)| check).collect()
}

/// What is to come in suites that have begun, a check for each of them. Pure.
fn unfinished(suites: Vec<WholeSuiteBody>, our_app: i64) -> Vec<Check> {
    let is_over = |suite: &WholeSuiteBody| suite.status.as_deref() == Some("completed");
    let is_ours = |suite: &WholeSuiteBody| suite.app.as_ref().is_some_and(|app| app.id == our_app);
    let begun =
        suites.into_iter().filter(|suite| suite.latest_check_runs_count > 0 && !is_over(suite) && !is_ours(suite));
    let name =
        |app: Option<NamedAppBody>| app.map_or_else(|| "all of an App".into(), |app| format!("all of {}", app.name));
    begun.map(|suite| Check { name: name(suite.app), colour: Colour::Pending, own: false }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: i64, suite: i64, name: &str, status: &str, conclusion: Option<&str>) -> RunBody {
        RunBody {
            id,
            name: name.into(),
            status: status.into(),
            conclusion: conclusion.map(Into::into),
            check_suite: Some(SuiteBody { id: suite }),
            app: Some(AppBody { id: suite / 100 }),
        }
    }

    fn colours(runs: Vec<RunBody>) -> Vec<Colour> {
        latest(runs, 9).into_iter().map(|check| check.colour).collect()
    }

    #[test]
    fn what_is_not_known_to_be_good_is_bad() {
        for (status, conclusion, colour) in [
            ("completed", Some("success"), Colour::Green),
            ("completed", Some("neutral"), Colour::Grey),
            ("completed", Some("skipped"), Colour::Grey),
            ("completed", Some("failure"), Colour::Red),
            ("completed", Some("cancelled"), Colour::Red),
            ("completed", Some("timed_out"), Colour::Red),
            ("completed", Some("action_required"), Colour::Red),
            ("completed", Some("stale"), Colour::Red),
            ("completed", Some("startup_failure"), Colour::Red),
            ("completed", Some("a word of next year"), Colour::Red),
            ("completed", None, Colour::Red),
            ("queued", None, Colour::Pending),
            ("in_progress", None, Colour::Pending),
            ("waiting", None, Colour::Pending),
            ("pending", Some("success"), Colour::Pending),
            ("requested", None, Colour::Pending),
        ] {
            assert_eq!(colours(vec![run(1, 100, "build", status, conclusion)]), [colour], "{status} {conclusion:?}");
        }
    }

    #[test]
    fn the_latest_run_counts_and_each_suite_for_itself() {
        let (red, green) = (Some("failure"), Some("success"));
        let again = [run(2, 100, "build", "completed", green), run(1, 100, "build", "completed", red)];
        assert_eq!(colours(again.into()), [Colour::Green], "asked for again, in any order");
        let two = vec![run(1, 100, "build", "completed", red), run(2, 101, "build", "completed", green)];
        assert_eq!(colours(two), [Colour::Red, Colour::Green], "two workflows with a job of one name");
        let apps = vec![run(1, 100, "build", "completed", green), run(2, 200, "build", "completed", red)];
        assert_eq!(colours(apps), [Colour::Green, Colour::Red], "two Apps with a check of one name");
        let own = latest(vec![run(1, 900, "mass-driver", "completed", green)], 9);
        assert!(own[0].own);
    }

    #[test]
    fn a_suite_that_has_begun_and_not_ended_holds_more() {
        let suite = |app: i64, status: Option<&str>, runs: u64| WholeSuiteBody {
            status: status.map(Into::into),
            latest_check_runs_count: runs,
            app: Some(NamedAppBody { id: app, name: "CI".into() }),
        };
        for (app, status, runs, expected) in [
            (1, Some("in_progress"), 1, vec!["all of CI"]),
            (1, Some("queued"), 1, vec!["all of CI"]),
            (1, None, 1, vec!["all of CI"]),
            (1, Some("completed"), 1, vec![]),
            (1, Some("queued"), 0, vec![]),
            (9, Some("in_progress"), 1, vec![]),
        ] {
            let found: Vec<String> =
                unfinished(vec![suite(app, status, runs)], 9).into_iter().map(|c| c.name).collect();
            assert_eq!(found, expected, "{app} {status:?} {runs}");
        }
    }
}
