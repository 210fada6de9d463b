//! The route table: which method and path is answered by which function, and who may ask.

mod access;
mod app;
mod blobs;
mod checks;
mod commits;
mod contents;
mod installation;
mod issues;
mod merges;
mod pulls;
mod refs;
mod releases;
mod repos;
mod search;
mod statuses;
mod trees;

use git2::Oid;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::access::Role;
use crate::acts::Act;
use crate::auth::Caller;
use crate::limits::Standing;
use crate::render::Render;
use crate::reply::{Answer, Reply};
use crate::request::{Request, encode};
use crate::site::Site;
use crate::state::{Permissions, Repo, State};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Read,
    Write,
}

/// Permissions of which any one suffices.
type Need = &'static [(&'static str, Level)];

const METADATA: Need = &[("metadata", Level::Read)];
const READ_CONTENTS: Need = &[("contents", Level::Read)];
const WRITE_CONTENTS: Need = &[("contents", Level::Write)];
const READ_PULLS: Need = &[("pull_requests", Level::Read)];
const WRITE_PULLS: Need = &[("pull_requests", Level::Write)];
const READ_DISCUSSION: Need = &[("issues", Level::Read), ("pull_requests", Level::Read)];
const WRITE_DISCUSSION: Need = &[("issues", Level::Write), ("pull_requests", Level::Write)];
const READ_CHECKS: Need = &[("checks", Level::Read)];
const WRITE_CHECKS: Need = &[("checks", Level::Write)];
const READ_STATUSES: Need = &[("statuses", Level::Read)];
const WRITE_STATUSES: Need = &[("statuses", Level::Write)];

/// One request being answered.
struct Call<'a> {
    act: Act<'a>,
    request: &'a Request,
    caller: Caller,
    standing: Standing,
}

pub(crate) fn answer(
    state: &mut State,
    site: &Site,
    request: &Request,
    caller: Caller,
    now: Timestamp,
    standing: Standing,
) -> Reply {
    let actor = match &caller {
        Caller::Person(login) => login.clone(),
        _ => site.bot_login(),
    };
    let mut call = Call { act: Act { state, site, now, actor }, request, caller, standing };
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let answer = match (request.method.as_str(), segments.as_slice()) {
        ("GET", ["rate_limit"]) => Ok(call.rate_limit()),
        ("GET", ["meta"]) => {
            Ok(Reply::ok(json!({ "verifiable_password_authentication": false, "installed_version": "3.19.0" })))
        }
        ("GET", ["users", login]) => call.account(login),
        (_, ["app", ..] | ["app-manifests", ..] | ["apps", ..])
        | (
            "GET",
            ["orgs" | "users", _, "installation"]
            | ["repos", _, _, "installation"]
            | ["repositories", _, "installation"],
        ) => app::route(&mut call, &segments),
        ("GET", ["orgs", login, "repos"]) => search::of_organisation(&mut call, login),
        (_, ["search", "repositories"]) => search::repositories(&mut call),
        (_, ["installation", ..]) => installation::route(&mut call, &segments),
        (_, ["repos", owner, name, rest @ ..]) => match call.find(owner, name, rest) {
            Ok(repo) => call.in_repo(repo, rest),
            Err(reply) => Err(reply),
        },
        (_, ["repositories", id, rest @ ..]) => match id.parse() {
            Ok(id) => call.in_repo(id, rest),
            Err(_) => Err(Reply::not_found()),
        },
        _ => Err(Reply::not_found()),
    };
    answer.unwrap_or_else(|refusal| refusal)
}

impl Call<'_> {
    fn in_repo(&mut self, repo: i64, rest: &[&str]) -> Answer {
        // Whoever may not know of a repository learns nothing from any path under it.
        self.allow(repo, METADATA)?;
        match rest {
            [] | ["branches", ..] | ["topics"] => repos::route(self, repo, rest),
            ["git", "ref" | "refs" | "matching-refs", ..] => refs::route(self, repo, rest),
            ["git", "trees", ..] => trees::route(self, repo, rest),
            ["git", "blobs", ..] => blobs::route(self, repo, rest),
            ["commits", reference @ .., "check-runs"] => checks::of_commit(self, repo, &reference.join("/")),
            ["commits", reference @ .., "check-suites"] => checks::suites_of_commit(self, repo, &reference.join("/")),
            ["commits", reference @ .., "status"] => statuses::combined(self, repo, &reference.join("/")),
            ["commits", reference @ .., "statuses"] => statuses::list(self, repo, &reference.join("/")),
            ["git", "commits" | "tags", ..] | ["commits", ..] | ["compare", ..] => commits::route(self, repo, rest),
            ["collaborators", ..] => access::route(self, repo, rest),
            ["merges"] => merges::route(self, repo),
            ["contents", ..] => contents::route(self, repo, rest),
            ["pulls", ..] => pulls::route(self, repo, rest),
            ["issues", ..] | ["labels", ..] => issues::route(self, repo, rest),
            ["check-runs", ..] => checks::route(self, repo, rest),
            ["check-suites", ..] => checks::suites(self, repo, rest),
            ["statuses", sha] => statuses::create(self, repo, sha),
            ["tags"] | ["releases", ..] => releases::route(self, repo, rest),
            _ => Err(Reply::not_found()),
        }
    }

    fn method(&self) -> &str {
        &self.request.method
    }

    /// Links in answers stay under the root that the caller speaks to.
    fn api(&self) -> String {
        format!("{}{}", self.act.site.root, self.request.prefix)
    }

    fn render(&self) -> Render<'_> {
        Render { state: self.act.state, site: self.act.site, api: self.api() }
    }

    fn repo(&self, id: i64) -> Result<&Repo, Reply> {
        self.act.repo(id)
    }

    /// The repository of that name; a redirect where it once had it.
    fn find(&self, owner: &str, name: &str, rest: &[&str]) -> Result<i64, Reply> {
        if let Some(id) = self.act.state.repo_named(owner, name) {
            return Ok(id);
        }
        let id = self.formerly(owner, name).ok_or_else(Reply::not_found)?;
        self.allow(id, METADATA)?;
        Err(self.moved(id, rest))
    }

    /// The repository that once had a name.
    fn formerly(&self, owner: &str, name: &str) -> Option<i64> {
        let id = self.act.state.redirects.get(&format!("{owner}/{name}").to_lowercase())?;
        self.act.state.repos.contains_key(id).then_some(*id)
    }

    /// The redirect to a repository by its id.
    fn moved(&self, id: i64, rest: &[&str]) -> Reply {
        let mut url = format!("{}/repositories/{id}", self.api());
        for part in rest {
            url.push('/');
            url.push_str(&encode(part));
        }
        if let Some(query) = &self.request.query {
            url.push('?');
            url.push_str(query);
        }
        let (status, message) = match self.method() {
            "GET" | "HEAD" => (301, "Moved Permanently"),
            _ => (307, "Temporary Redirect"),
        };
        let mut reply = Reply::error(status, message).with("location", url.clone());
        if let crate::reply::Content::Json(body) = &mut reply.content {
            body["url"] = json!(url);
        }
        reply
    }

    /// GitHub's answer to who may do this here: nothing, 403 or 404.
    fn allow(&self, id: i64, need: Need) -> Result<(), Reply> {
        let repo = self.repo(id)?;
        let writes = need.iter().any(|(_, level)| *level == Level::Write);
        match &self.caller {
            Caller::Person(login) => {
                let role = self.act.state.role(repo, login).unwrap_or(Role::Outsider);
                if repo.private && role == Role::Outsider {
                    return Err(Reply::not_found());
                }
                // Everybody who reads may comment and propose; the rest takes a colleague.
                let open_to_readers = need == WRITE_DISCUSSION || need == WRITE_PULLS;
                if writes && !open_to_readers && role < Role::Write {
                    return Err(Reply::error(403, "Must have push access to repository"));
                }
            }
            Caller::App => return Err(Reply::bad_credentials()),
            Caller::Anonymous if repo.private => return Err(Reply::not_found()),
            Caller::Anonymous if writes => return Err(Reply::error(401, "Requires authentication")),
            Caller::Anonymous => {}
            Caller::Installation { id: installation, repositories, permissions } => {
                let covered = self.act.state.installations.get(installation).is_some_and(|found| {
                    self.act.state.covers(found, repo) && repositories.as_ref().is_none_or(|ids| ids.contains(&id))
                });
                if !covered && repo.private {
                    return Err(Reply::not_found());
                }
                let held = need.iter().any(|(name, level)| holds(permissions, name, *level));
                if (covered && !held) || (!covered && writes) {
                    return Err(not_accessible(need));
                }
            }
        }
        if writes && repo.archived {
            return Err(Reply::error(403, "Repository was archived so is read-only."));
        }
        if writes && repo.disabled {
            return Err(Reply::error(403, "Repository access blocked"));
        }
        Ok(())
    }

    /// Whether the caller may change files under `.github/workflows`.
    fn may_change_workflows(&self) -> bool {
        match &self.caller {
            Caller::Installation { permissions, .. } => permissions.contains_key("workflows"),
            _ => true,
        }
    }

    fn permissions(&self) -> Option<&Permissions> {
        match &self.caller {
            Caller::Installation { permissions, .. } => Some(permissions),
            _ => None,
        }
    }

    /// The commit a name stands for, or the 422 of `GET /commits/{ref}`.
    fn commit_named(&self, repo: i64, name: &str) -> Result<Oid, Reply> {
        let repo = self.repo(repo)?;
        if repo.git.is_empty() {
            return Err(Reply::error(409, "Git Repository is empty."));
        }
        let found = repo.git.commit_of(name);
        found.ok_or_else(|| Reply::unprocessable(&format!("No commit found for SHA: {name}")))
    }

    fn not_empty(&self, repo: i64) -> Result<(), Reply> {
        if self.repo(repo)?.git.is_empty() { Err(Reply::error(409, "Git Repository is empty.")) } else { Ok(()) }
    }

    /// One page of a list, and the `Link` header to its neighbours.
    fn page<T>(&self, items: Vec<T>) -> (Vec<T>, Option<String>) {
        let number = |name: &str| self.request.param(name).and_then(|text| text.parse::<usize>().ok());
        let size = number("per_page").filter(|size| *size > 0).unwrap_or(30).min(100);
        let page = number("page").unwrap_or(1).max(1);
        let last = items.len().div_ceil(size).max(1);
        let others: Vec<String> = self
            .request
            .params
            .iter()
            .filter(|(name, _)| *name != "page")
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        let link = |page: usize, relation: &str| {
            let mut parameters = others.clone();
            parameters.push(format!("page={page}"));
            format!("<{}{}?{}>; rel=\"{relation}\"", self.api(), self.request.path, parameters.join("&"))
        };
        let mut links = Vec::new();
        if page > 1 {
            links.push(link((page - 1).min(last), "prev"));
        }
        if page < last {
            links.push(link(page + 1, "next"));
            links.push(link(last, "last"));
        }
        if page > 1 {
            links.push(link(1, "first"));
        }
        let items = items.into_iter().skip(size.saturating_mul(page - 1)).take(size).collect();
        (items, (!links.is_empty()).then(|| links.join(", ")))
    }

    /// A page of a list that is answered as a bare array.
    fn list<T>(&self, items: Vec<T>, render: impl Fn(T) -> Result<Value, Reply>) -> Answer {
        let (items, link) = self.page(items);
        let body = items.into_iter().map(render).collect::<Result<Vec<_>, _>>()?;
        Ok(with_link(Reply::ok(Value::Array(body)), link))
    }

    fn rate_limit(&self) -> Reply {
        let core = crate::server::standing_json(self.standing);
        let search = json!({ "limit": 30, "remaining": 30, "reset": core["reset"], "used": 0, "resource": "search" });
        Reply::ok(json!({ "resources": { "core": core, "search": search }, "rate": core }))
    }

    fn account(&self, login: &str) -> Answer {
        let account = self.act.state.account(login).ok_or_else(Reply::not_found)?;
        let mut user = self.render().user(login);
        let (made, email) = (json!("2026-01-01T00:00:00Z"), json!(account.email()));
        for field in ["public_repos", "public_gists", "followers", "following"] {
            user[field] = json!(0);
        }
        for field in ["company", "location", "hireable", "bio"] {
            user[field] = Value::Null;
        }
        user["name"] = json!(login);
        user["blog"] = json!("");
        user["email"] = email;
        user["created_at"] = made.clone();
        user["updated_at"] = made;
        Ok(Reply::ok(user))
    }
}

fn with_link(reply: Reply, link: Option<String>) -> Reply {
    match link {
        Some(link) => reply.with("link", link),
        None => reply,
    }
}

fn holds(permissions: &Permissions, name: &str, level: Level) -> bool {
    permissions.get(name).is_some_and(|held| level == Level::Read || held == "write" || held == "admin")
}

fn not_accessible(need: Need) -> Reply {
    let word = |level: Level| if level == Level::Write { "write" } else { "read" };
    let accepted: Vec<_> = need.iter().map(|(name, level)| format!("{name}={}", word(*level))).collect();
    Reply::error(403, "Resource not accessible by integration")
        .with("x-accepted-github-permissions", accepted.join("; "))
}
