//! A repository and its branches.

use serde_json::json;

use super::{Call, METADATA, READ_CONTENTS};
use crate::reply::{Answer, Reply};

pub(super) fn route(call: &mut Call<'_>, repo: i64, rest: &[&str]) -> Answer {
    match (call.method(), rest) {
        ("GET", []) => Ok(Reply::ok(call.render().full_repo(repo, call.permissions())?)),
        ("GET", ["topics"]) => {
            call.allow(repo, METADATA)?;
            Ok(Reply::ok(json!({ "names": [] })))
        }
        ("GET", ["branches"]) => {
            call.allow(repo, READ_CONTENTS)?;
            let this = call.repo(repo)?;
            let api = call.render().repo_api(this);
            let branches = this.git.references("refs/heads/")?.into_iter().collect();
            call.list(branches, |(name, tip): (String, git2::Oid)| {
                let name = name.trim_start_matches("refs/heads/");
                Ok(json!({
                    "name": name,
                    "commit": { "sha": tip.to_string(), "url": format!("{api}/commits/{tip}") },
                    "protected": this.protected.contains_key(name),
                }))
            })
        }
        ("GET", ["branches", branch @ ..]) => {
            call.allow(repo, READ_CONTENTS)?;
            Ok(Reply::ok(call.render().branch(repo, &branch.join("/"))?))
        }
        _ => Err(Reply::not_found()),
    }
}
