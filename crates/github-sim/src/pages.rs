//! The few pages a person may follow a link to: a pull request with its text and diff, a repository.
//!
//! Plain and without a sign-in: the stand-in listens on loopback only.

use axum::body::Body;
use http::Response;

use crate::render::diff_sides;
use crate::request::Request;
use crate::server::{Shared, plain};
use crate::state::{Pull, Repo};

pub(crate) fn serve(shared: &Shared, request: &Request) -> Response<Body> {
    let state = shared.state();
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let find = |owner: &str, name: &str| state.repo_named(owner, name).and_then(|id| state.repos.get(&id));
    let page = match segments.as_slice() {
        [] => Some(page("GitHub stand-in", &list(&state.repos.values().collect::<Vec<_>>()))),
        [owner, name] => find(owner, name).map(repository),
        [owner, name, "runs", id] => find(owner, name).and_then(|repo| check_run(repo, id)),
        [owner, name, "blob", at, path @ ..] => find(owner, name).and_then(|repo| file(repo, at, &path.join("/"))),
        [owner, name, "commit", sha] => find(owner, name).and_then(|repo| commit(repo, sha)),
        [owner, name, "pull", number] => find(owner, name).and_then(|repo| pull_request(repo, number)),
        _ => None,
    };
    match page {
        Some(html) if request.method == "GET" => {
            let mut response = Response::new(Body::from(html));
            let html_type = http::HeaderValue::from_static("text/html; charset=utf-8");
            response.headers_mut().insert("content-type", html_type);
            response
        }
        _ => plain(404, "Not Found"),
    }
}

fn list(repos: &[&Repo]) -> String {
    let line = |repo: &&Repo| format!("<li><a href=\"/{0}\">{0}</a></li>", escape(&repo.full_name()));
    format!("<ul>{}</ul>", repos.iter().map(line).collect::<String>())
}

fn repository(repo: &Repo) -> String {
    let mut lines = String::new();
    for pull in repo.pulls.values().rev() {
        lines += &format!(
            "<li><a href=\"/{}/pull/{2}\">#{2} {1}</a> ({3})</li>",
            escape(&repo.full_name()),
            escape(&pull.title),
            pull.number,
            state(pull),
        );
    }
    page(&repo.full_name(), &format!("<h2>Pull requests</h2><ul>{lines}</ul>"))
}

fn state(pull: &Pull) -> &'static str {
    match (&pull.merged, pull.open) {
        (Some(_), _) => "merged",
        (None, true) => "open",
        (None, false) => "closed",
    }
}

fn pull_request(repo: &Repo, number: &str) -> Option<String> {
    let pull = repo.pulls.get(&number.parse().ok()?)?;
    let (base, head) = diff_sides(&repo.git, pull).ok()?;
    let diff = repo.git.unified_diff(base, Some(head)).ok()?;
    let mut body = format!(
        "<p>{} · {} wants to merge <code>{}</code> into <code>{}</code> · {}</p><pre>{}</pre><h2>Changes</h2><pre>{}</pre>",
        state(pull),
        escape(&pull.author),
        escape(&pull.head_branch),
        escape(&pull.base_branch),
        escape(&pull.labels.join(", ")),
        escape(pull.body.as_deref().unwrap_or_default()),
        escape(&diff),
    );
    for comment in repo.comments.values().filter(|comment| comment.number == pull.number) {
        body += &format!("<h3>{}</h3><pre>{}</pre>", escape(&comment.author), escape(&comment.body));
    }
    Some(page(&format!("{} #{}", pull.title, pull.number), &body))
}

fn check_run(repo: &Repo, id: &str) -> Option<String> {
    let run = repo.checks.get(&id.parse().ok()?)?;
    let mut body = format!(
        "<p>{} · <code>{}</code></p><h2>{}</h2><pre>{}</pre><pre>{}</pre>",
        escape(run.conclusion.as_deref().unwrap_or(&run.status)),
        run.head_sha,
        escape(run.title.as_deref().unwrap_or_default()),
        escape(run.summary.as_deref().unwrap_or_default()),
        escape(run.text.as_deref().unwrap_or_default()),
    );
    for note in &run.annotations {
        let text = |field: &str| escape(note[field].as_str().unwrap_or_default());
        let (path, line, level) = (text("path"), &note["start_line"], text("annotation_level"));
        body += &format!("<h3>{path}:{line} ({level}) {}</h3><pre>{}</pre>", text("title"), text("message"));
    }
    Some(page(&run.name, &body))
}

fn file(repo: &Repo, at: &str, path: &str) -> Option<String> {
    let tree = repo.git.tree_of(repo.git.commit_of(at)?).ok()?;
    let bytes = repo.git.blob(repo.git.entry_at(tree, path)?.1)?;
    Some(page(path, &format!("<pre>{}</pre>", escape(&String::from_utf8_lossy(&bytes)))))
}

fn commit(repo: &Repo, sha: &str) -> Option<String> {
    let git = &repo.git;
    let id = git.commit_of(sha)?;
    let before = git.parents(id).ok()?.first().and_then(|parent| git.tree_of(*parent).ok());
    let diff = git.unified_diff(before, Some(git.tree_of(id).ok()?)).ok()?;
    Some(page(&git.message(id).ok()?, &format!("<p><code>{id}</code></p><pre>{}</pre>", escape(&diff))))
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title><style>body{{font:16px/1.5 \
         system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}pre{{background:#f6f8fa;padding:1rem;\
         white-space:pre-wrap}}</style></head><body><p><a href=\"/\">all repositories</a></p><h1>{0}</h1>{body}</body></html>",
        escape(title)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
