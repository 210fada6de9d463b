//! Push deliveries as GitHub sends them, signed beforehand so that sending them is cheap.

use anyhow::Context as _;
use github_sim::{GitHubSim, RepoOptions, signature};
use serde_json::Value;

/// The sizes they have, in bytes: what pushes of a few commits come to.
const SMALLEST: usize = 17_000;
const LARGEST: usize = 20_000;
/// So many differ in size and content; every delivery has a GUID of its own.
const DISTINCT: usize = 256;

/// A body and the signature GitHub would send along.
pub struct Signed {
    /// JSON.
    pub body: Vec<u8>,
    /// The value of `X-Hub-Signature-256`.
    pub signature: String,
}

/// Bodies of pushes to branches of a repository, their sizes spread evenly.
pub fn pushes(github: &GitHubSim, secret: &str) -> anyhow::Result<Vec<Signed>> {
    let options = RepoOptions::default().file("README.md", "A service.\n");
    github.create_repo("acme/service", options)?;
    github.push("acme/service", "topic", &[("src/main.py", Some(b"print()\n"))], "Say nothing")?;
    let events = github.pending();
    let event = events.iter().rfind(|event| event.event == "push").context("no push event to take for a pattern")?;
    let mut pattern = event.payload.clone();
    // To a branch: what most pushes are. It is stored like any other, and asks for nothing.
    pattern["ref"] = "refs/heads/topic".into();
    (0..DISTINCT)
        .map(|number| {
            let size = SMALLEST + (LARGEST - SMALLEST) * number / (DISTINCT - 1);
            let body = of_size(pattern.clone(), number, size)?;
            let signature = signature(secret, &body);
            Ok(Signed { body, signature })
        })
        .collect()
}

/// A push of as many commits as fit into a size, the last one's message filled up to it.
fn of_size(mut push: Value, number: usize, size: usize) -> anyhow::Result<Vec<u8>> {
    let commit = push["commits"][0].clone();
    let mut commits = Vec::new();
    let id = |nth: usize| format!("{:040x}", (number << 16) + nth);
    push["before"] = id(0).into();
    loop {
        let nth = commits.len() + 1;
        let mut next = commit.clone();
        next["id"] = id(nth).into();
        next["message"] = format!("Change {nth} of push {number}: handle the empty answer").into();
        next["modified"] = serde_json::json!([format!("src/part_{nth}/handler.py"), "docs/changes.md"]);
        let mut longer = push.clone();
        commits.push(next);
        longer["commits"] = commits.clone().into();
        longer["head_commit"] = commits[commits.len() - 1].clone();
        longer["after"] = id(nth).into();
        let missing = size.checked_sub(longer.to_string().len());
        match missing {
            Some(_) => push = longer,
            None => break,
        }
    }
    let body = push.to_string();
    let last = push["commits"].as_array().map_or(0, Vec::len).checked_sub(1).context("no commit fits")?;
    let message = push["commits"][last]["message"].as_str().unwrap_or_default();
    let filled = format!("{message}{}", ".".repeat(size - body.len()));
    push["commits"][last]["message"] = filled.into();
    Ok(push.to_string().into_bytes())
}
