//! What the bot says to people on GitHub: the check on a subscription file, a pull request that goes on with a newer
//! version, and an answer to a command.

use crate::files;
use crate::narrator::{Narrator, contains, same};
use crate::world::World;
use anyhow::Context as _;
use github_sim::{CheckRunView, Role};

/// Somebody tries other rules on a branch, and the check there tells what would come of them.
pub async fn previews(world: &World, tell: &mut Narrator, repo: &str, file: &str) -> anyhow::Result<()> {
    tell.say(&format!("Somebody in {repo} finds a week long, and pushes a branch with `delay: daily` for Python."));
    let open = world.open_titles(repo)?;
    world.github.push(repo, "daily", &[(files::SUBSCRIPTION, Some(file.as_bytes()))], "Try a shorter delay")?;
    world.settle().await?;
    let check = check_on(world, repo, "daily")?;
    let summary = check.summary.clone().unwrap_or_default();
    tell.saw(
        &format!("Beside that commit stands a check, \"{}\":", check.title.clone().unwrap_or_default()),
        [
            same("its conclusion", check.conclusion.as_deref(), Some("success")),
            same("what it finds wrong", check.annotations.len(), 0),
            contains("its summary", &summary, "**1 pull request** on Thursday 2026-03-05"),
            contains("its summary", &summary, "1 update sooner"),
            same("open pull requests, as before", world.open_titles(repo)?, open),
        ],
    )?;
    tell.quote(&plain(&summary));
    Ok(())
}

/// The check on a file with mistakes, of which these are the lines.
pub async fn objects(world: &World, tell: &mut Narrator, repo: &str, lines: &[i64]) -> anyhow::Result<()> {
    let check = check_on(world, repo, "main")?;
    let line = |annotation: &serde_json::Value| annotation["start_line"].as_i64().unwrap_or_default();
    tell.saw(
        &format!("The check beside the commit failed: {}, each on its line.", check.title.clone().unwrap_or_default()),
        [
            same("its conclusion", check.conclusion.as_deref(), Some("failure")),
            same("the annotated lines", check.annotations.iter().map(line).collect::<Vec<_>>(), lines),
        ],
    )?;
    Ok(())
}

/// A newer version appears while a pull request is open: it goes on as the same one.
pub async fn goes_on(world: &World, tell: &mut Narrator, repo: &str, [before, after]: [&str; 2]) -> anyhow::Result<()> {
    let open = world.pull(repo, before)?;
    tell.say("Before anybody looks at it, python:3.15-slim is published.");
    world.registry.tag("library/python", "3.15-slim");
    world.bot_looks().await?;
    let now = world.pull(repo, after)?;
    let told = now.comments.last().context("expected a comment about the newer version; found none")?;
    tell.saw(
        &format!(
            "It stays #{}, with one more commit on its branch, and is called \"{}\" now. It says:",
            now.number, now.title
        ),
        [
            same("the number", now.number, open.number),
            same("the branch", &now.head_branch, &open.head_branch),
            same("open pull requests", world.open_titles(repo)?, [after]),
            contains("its diff", &world.github.pull_diff(repo, now.number)?, "+FROM python:3.15-slim AS base"),
            same("who says it", told.author.as_str(), world.github.bot_login()),
        ],
    )?;
    tell.quote(&plain(&told.body));
    Ok(())
}

/// Somebody who may write puts a pull request off, and is answered.
pub async fn obeys(world: &World, tell: &mut Narrator, repo: &str, title: &str) -> anyhow::Result<()> {
    const COMMAND: &str = "/mass-driver snooze 2w";
    let number = world.pull(repo, title)?.number;
    world.github.set_role(repo, "ada", Role::Write)?;
    tell.say(&format!("And ada, who may write to {repo}, has no time for #{number}. She comments:"));
    tell.quote(COMMAND);
    let asked = world.github.comment(repo, number, "ada", COMMAND)?;
    world.settle().await?;
    let pull = world.github.pull_request(repo, number)?;
    let own = pull.comments.iter().find(|comment| comment.id == asked).context("her comment is gone")?;
    let answer = pull.comments.last().context("expected an answer; found none")?;
    let reactions: Vec<&str> = own.reactions.iter().map(|(_, reaction)| reaction.as_str()).collect();
    let why = world.page(&format!("/repositories/{repo}")).await?.row(&["requests pypi"]).cell("Why");
    tell.saw(
        "The bot puts its thumb up, closes the pull request, and answers:",
        [
            same("the reactions to her comment", reactions, ["+1"]),
            same("the pull request", pull.state.as_str(), "closed"),
            same("who answers", answer.author.as_str(), world.github.bot_login()),
            contains("the reason on the page", &why, &format!("ada put it off on #{number} until")),
        ],
    )?;
    tell.quote(&plain(&answer.body));
    Ok(())
}

/// The bot's check on the head of a branch.
fn check_on(world: &World, repo: &str, branch: &str) -> anyhow::Result<CheckRunView> {
    let head = world.github.head(repo, branch)?;
    let checks = world.github.check_runs(repo)?;
    let found = checks.into_iter().find(|check| check.own && head.as_deref() == Some(check.head_sha.as_str()));
    found.with_context(|| format!("expected a check on the head of {branch} of {repo}; found none"))
}

/// A text without Markdown's emphasis and empty lines.
fn plain(markdown: &str) -> String {
    let lines = markdown.lines().map(|line| line.replace(['*', '`'], ""));
    lines.filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n")
}
