//! Tags and releases: how Actions and hooks publish their versions.

use git2::Oid;
use serde_json::{Value, json};

use super::{Call, READ_CONTENTS, WRITE_CONTENTS};
use crate::render::{node_id, stamp};
use crate::reply::{Answer, Reply};
use crate::state::Release;

pub(super) fn route(call: &mut Call<'_>, repo: i64, rest: &[&str]) -> Answer {
    if call.method() != "GET" {
        return Err(Reply::not_found());
    }
    call.allow(repo, READ_CONTENTS)?;
    let this = call.repo(repo)?;
    // A token of an installation sees drafts where it may write.
    let sees_drafts = call.allow(repo, WRITE_CONTENTS).is_ok();
    let newest_first = || {
        let mut all: Vec<&Release> = this.releases.iter().filter(|release| sees_drafts || !release.draft).collect();
        all.sort_by_key(|release| (release.created_at, release.id));
        all.reverse();
        all
    };
    match rest {
        ["tags"] => {
            let tags: Vec<_> = this.git.references("refs/tags/")?.into_iter().rev().collect();
            let (api, page) = (call.render().repo_api(this), call.render().repo_page(this));
            call.list(tags, |(name, _): (String, Oid)| {
                let short = name.trim_start_matches("refs/tags/");
                let commit = this.git.commit_of(&name).ok_or_else(Reply::not_found)?;
                Ok(json!({
                    "name": short,
                    "zipball_url": format!("{page}/zipball/{name}"),
                    "tarball_url": format!("{page}/tarball/{name}"),
                    "commit": { "sha": commit.to_string(), "url": format!("{api}/commits/{commit}") },
                    "node_id": node_id("03:Ref", format!("{repo}:{name}")),
                }))
            })
        }
        ["releases"] => call.list(newest_first(), |release| show(call, repo, release)),
        ["releases", "latest"] => {
            let latest = newest_first().into_iter().find(|release| !release.prerelease && !release.draft);
            Ok(Reply::ok(show(call, repo, latest.ok_or_else(Reply::not_found)?)?))
        }
        ["releases", "tags", tag @ ..] => {
            let tag = tag.join("/");
            let found = this
                .releases
                .iter()
                .find(|release| release.tag == tag && !release.draft)
                .ok_or_else(Reply::not_found)?;
            Ok(Reply::ok(show(call, repo, found)?))
        }
        _ => Err(Reply::not_found()),
    }
}

fn show(call: &Call<'_>, repo: i64, release: &Release) -> Result<Value, Reply> {
    let this = call.repo(repo)?;
    let (api, page) = (call.render().repo_api(this), call.render().repo_page(this));
    let own = format!("{api}/releases/{}", release.id);
    Ok(json!({
        "url": own,
        "html_url": format!("{page}/releases/tag/{}", release.tag),
        "assets_url": format!("{own}/assets"),
        "upload_url": format!("{own}/assets{{?name,label}}"),
        "tarball_url": format!("{page}/tarball/{}", release.tag),
        "zipball_url": format!("{page}/zipball/{}", release.tag),
        "id": release.id,
        "node_id": node_id("07:Release", release.id),
        "tag_name": release.tag,
        "target_commitish": this.default_branch,
        "name": release.name,
        "body": release.body,
        "draft": release.draft,
        "prerelease": release.prerelease,
        "created_at": stamp(release.created_at),
        "published_at": release.published_at.map(stamp),
        "author": call.render().user(&this.owner),
        "assets": [],
    }))
}
