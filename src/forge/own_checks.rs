//! Saying something about a commit in a check run of our own.
//!
//! A run is made once and completed by updates, since GitHub takes so many annotations in a request and no more. It carries
//! a reference of ours (`external_id`), by which it is found again if nobody knows whether it was made.
//!
//! Permissions: `checks: write`.

use super::client::Call;
use super::tokens::Access;
use super::{ForgeError, GitHub, Target};
use crate::domain::{CheckRunId, ObjectId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// GitHub takes so many annotations in one request. Source: OpenAPI, `checks/create`.
const ANNOTATIONS_AT_ONCE: usize = 50;

/// What a check run says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckRun {
    /// Its name, as people see it beside the commit.
    pub name: &'static str,
    /// Our reference: another one is another run, even of the same name on the same commit.
    pub reference: String,
    /// How it ended; `None` while more is to come.
    pub conclusion: Option<Conclusion>,
    /// One line.
    pub title: String,
    /// Markdown, at most 65,535 characters.
    pub summary: String,
    /// More Markdown, as long at most; left out if it is empty.
    pub text: String,
    /// Words on lines of files, in order. What is said once stays: a run's annotations only become more.
    pub annotations: Vec<Annotation>,
}

/// How a check run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    /// All is well.
    Success,
    /// Something is to be mended.
    Failure,
    /// Neither: somebody should know.
    Neutral,
}

/// Words on a line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Annotation {
    /// The file.
    pub path: String,
    /// The line, counted from 1. The annotation begins and ends there.
    pub line: u32,
    /// The first and the last column, counted from 1.
    pub columns: (u32, u32),
    /// A few words.
    pub title: String,
    /// What is wrong, and what would be right. Plain text.
    pub message: String,
}

/// A check run of ours that stands on a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnCheck {
    /// Its number.
    pub id: CheckRunId,
    /// How many annotations it has.
    pub annotations: usize,
}

#[derive(Deserialize)]
struct RunsBody {
    check_runs: Vec<RunBody>,
}

#[derive(Deserialize)]
struct RunBody {
    id: i64,
    #[serde(default)]
    external_id: Option<String>,
    output: OutputBody,
    #[serde(default)]
    app: Option<AppBody>,
}

#[derive(Deserialize)]
struct OutputBody {
    #[serde(default)]
    annotations_count: usize,
}

#[derive(Deserialize)]
struct AppBody {
    id: i64,
}

impl RunBody {
    fn found(&self) -> OwnCheck {
        OwnCheck { id: CheckRunId(self.id), annotations: self.output.annotations_count }
    }
}

impl GitHub {
    /// The newest of our own check runs of this name and reference on a commit. One request.
    pub async fn own_check(
        &self,
        target: &Target,
        commit: &ObjectId,
        (name, reference): (&str, &str),
    ) -> Result<Option<OwnCheck>, ForgeError> {
        let (app, name) = (self.client.app_id(), super::client::encode(name));
        let path = target.path(&["commits", commit.as_str(), "check-runs"]);
        let call = Call::get(format!("{path}?app_id={app}&check_name={name}&filter=all&per_page=100"));
        let answer = self.client.send(&call, target.scope(Access::WriteChecks).into()).await?;
        let runs = answer.read::<RunsBody>()?.check_runs;
        let is_own = |run: &&RunBody| {
            run.app.as_ref().is_some_and(|by| by.id == app) && run.external_id.as_deref() == Some(reference)
        };
        Ok(runs.iter().filter(is_own).max_by_key(|run| run.id).map(RunBody::found))
    }

    /// Makes a check run on a commit, with as many of its annotations as one request takes.
    pub async fn start_check(
        &self,
        target: &Target,
        commit: &ObjectId,
        run: &CheckRun,
    ) -> Result<OwnCheck, ForgeError> {
        let mut body = fields(run, 0);
        body["name"] = json!(run.name);
        body["head_sha"] = json!(commit);
        body["external_id"] = json!(run.reference);
        let call = Call::post(target.path(&["check-runs"]), &body);
        let answer = self.client.send(&call, target.scope(Access::WriteChecks).into()).await?;
        Ok(OwnCheck { annotations: sent(run, 0), ..answer.read::<RunBody>()?.found() })
    }

    /// Says in a check run of ours what it is to say now, and adds as many of the annotations it lacks as one request takes.
    ///
    /// Errors: [`ForgeError::Gone`] if there is no such run.
    pub async fn update_check(&self, target: &Target, known: OwnCheck, run: &CheckRun) -> Result<OwnCheck, ForgeError> {
        let call = Call::patch(target.path(&["check-runs", &known.id.to_string()]), &fields(run, known.annotations));
        let answer = self.client.send(&call, target.scope(Access::WriteChecks).into()).await?;
        let found = answer.read::<RunBody>()?.found();
        Ok(OwnCheck { id: found.id, annotations: sent(run, known.annotations) })
    }
}

/// How many annotations a run has after one more request. Pure.
fn sent(run: &CheckRun, before: usize) -> usize {
    run.annotations.len().min(before + ANNOTATIONS_AT_ONCE).max(before)
}

/// What a request says of a run that has so many annotations already. It is over with the last of them. Pure.
fn fields(run: &CheckRun, before: usize) -> Value {
    let annotations: Vec<Value> = run.annotations.iter().take(sent(run, before)).skip(before).map(annotation).collect();
    let mut output = json!({ "title": run.title, "summary": run.summary, "annotations": annotations });
    if !run.text.is_empty() {
        output["text"] = json!(run.text);
    }
    let is_over = sent(run, before) >= run.annotations.len();
    match run.conclusion.filter(|_| is_over) {
        Some(conclusion) => json!({ "status": "completed", "conclusion": conclusion, "output": output }),
        None => json!({ "status": "in_progress", "output": output }),
    }
}

fn annotation(one: &Annotation) -> Value {
    let (first, last) = one.columns;
    json!({
        "path": one.path, "start_line": one.line, "end_line": one.line, "start_column": first, "end_column": last,
        "annotation_level": "failure", "title": one.title, "message": one.message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(annotations: u32) -> CheckRun {
        let one = |line| Annotation { path: "f".into(), line, columns: (1, 1), title: "t".into(), message: "m".into() };
        CheckRun {
            name: "n",
            reference: "r".into(),
            conclusion: Some(Conclusion::Failure),
            title: "t".into(),
            summary: "s".into(),
            text: String::new(),
            annotations: (1..=annotations).map(one).collect(),
        }
    }

    #[test]
    fn annotations_go_fifty_at_a_time_in_order_and_the_run_ends_with_the_last() {
        let lines = |body: &Value| -> Vec<u64> {
            body["output"]["annotations"]
                .as_array()
                .unwrap()
                .iter()
                .map(|a| a["start_line"].as_u64().unwrap())
                .collect()
        };
        for (all, requests) in [(0_u32, 1), (50, 1), (51, 2), (101, 3)] {
            let run = run(all);
            let (mut before, mut told, mut made) = (0, Vec::new(), 0);
            loop {
                let body = fields(&run, before);
                told.extend(lines(&body));
                (before, made) = (sent(&run, before), made + 1);
                let over = before == run.annotations.len();
                assert_eq!(body["status"], if over { "completed" } else { "in_progress" }, "{all}");
                if over {
                    break;
                }
            }
            assert_eq!((told, made), ((1..=u64::from(all)).collect(), requests), "{all}");
        }
    }
}
