//! The story: six days of three repositories. Each chapter acts, looks, and tells what it saw.

use crate::files;
use crate::narrator::{Narrator, contains, same};
use crate::world::World;
use crate::{summary, words};
use anyhow::Context as _;
use github_sim::PullRequestView;
use jiff::{SignedDuration, Timestamp};

const API: &str = "acme/api";
const WEB: &str = "acme/web";
const LEGACY: &str = "acme/legacy";

const PYTHON: &str = "Bump python from 3.12-slim to 3.13-slim";
const NEXT_PYTHON: &str = "Bump python from 3.12-slim to 3.14-slim";
const LAST_PYTHON: &str = "Bump python from 3.12-slim to 3.15-slim";
const HTTPX: &str = "Bump httpx from 0.27.0 to 0.28.0";
const NEXT_HTTPX: &str = "Bump httpx from 0.28.0 to 0.28.1";
const FLASK: &str = "Bump flask and jinja2";
const REQUESTS: &str = "Bump requests from 2.31.0 to 2.32.0";

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// Tells the whole story.
///
/// Errors: if anything is not as it is told.
pub async fn tell(world: &World, tell: &mut Narrator) -> anyhow::Result<()> {
    tell.title(
        "mass-driver keeps repositories up to date, at the pace each of them asks for.",
        "This shows six days of it in a few seconds. GitHub and the registries are stand-ins in this process, \
         spoken to over HTTP; the bot between them is the real one. Lines with a tick tell what was observed and checked.",
    );
    developers_subscribe(world, tell).await?;
    releases_appear(world, tell).await?;
    nothing_tracked_is_touched(world, tell).await?;
    old_enough(world, tell).await?;
    monday_comes(world, tell).await?;
    people_decide(world, tell).await?;
    next_versions_come(world, tell).await?;
    summary::in_the_end(world, tell, [API, WEB, LEGACY], [REQUESTS, NEXT_HTTPX]).await
}

async fn developers_subscribe(world: &World, tell: &mut Narrator) -> anyhow::Result<()> {
    tell.chapter(world.now(), "Three repositories say what they want");
    // What was released lately is looked at every ten minutes.
    let last_week: Timestamp = "2026-02-25T12:00:00Z".parse()?;
    for (name, version) in
        [("httpx", "0.27.0"), ("flask", "3.0.0"), ("jinja2", "3.1.3"), ("requests", "2.31.0"), ("requests", "2.32.0")]
    {
        world.registry.release_at(name, version, last_week);
    }
    world.registry.tag("library/python", "3.12-slim");
    world.github.organization("acme");
    world.github.install("acme")?;
    world
        .repository(API, &[("requirements.txt", files::API_REQUIREMENTS), ("Dockerfile", files::API_DOCKERFILE)])
        .await?;
    world.repository(WEB, &[("pyproject.toml", files::WEB_PYPROJECT)]).await?;
    world.repository(LEGACY, &[("requirements.txt", files::LEGACY_REQUIREMENTS)]).await?;
    tell.say("The organisation acme installs the App. A developer pushes .mass-driver.yaml to acme/api:");
    tell.quote(files::API_SUBSCRIPTION);
    world.push(API, files::SUBSCRIPTION, files::API_SUBSCRIPTION).await?;
    let subscriptions = world.page("/").await?.subscriptions(API);
    tell.saw(
        &format!("The bot read it. Its page says: {}.", subscriptions.join(", ")),
        [
            same(
                "the subscriptions on the page",
                subscriptions.as_slice(),
                ["pypi every Monday at 06:00", "docker at once"],
            ),
            same("open pull requests, with nothing newer released yet", world.open_titles(API)?, [""; 0]),
        ],
    )?;

    tell.say("Another one wants small steps of acme/web together, but only releases that are two days old:");
    tell.quote(files::WEB_SUBSCRIPTION);
    world.push(WEB, files::SUBSCRIPTION, files::WEB_SUBSCRIPTION).await?;
    let subscriptions = world.page("/").await?.subscriptions(WEB);
    tell.saw(
        &format!("The bot read that too: {}.", subscriptions.join(", ")),
        [same("the subscriptions on the page", subscriptions.as_slice(), ["pypi at once"])],
    )?;

    tell.say("The file of acme/legacy was written in a hurry:");
    tell.quote(files::LEGACY_BROKEN);
    world.push(LEGACY, files::SUBSCRIPTION, files::LEGACY_BROKEN).await?;
    let page = world.page(&format!("/repositories/{LEGACY}")).await?;
    let shown = page.problems();
    let by_check: Vec<String> = world
        .check(files::LEGACY_BROKEN)?
        .iter()
        .map(|p| format!("{}:{} {}; {}", p.line, p.column, p.what, p.fix))
        .collect();
    let places: Vec<&str> = shown.iter().filter_map(|problem| problem.split(' ').next()).collect();
    tell.saw(
        "Nothing is proposed to acme/legacy. Page and `mass-driver check` name every mistake, and what would be right:",
        [
            same("the places of the mistakes", places, ["1:8", "2:1", "4:16", "5:14"]),
            same("the problems on the page, and those `mass-driver check` finds", &shown, &by_check),
            contains("the page of acme/legacy", &page.text(), "Nothing is proposed until it is mended."),
            same("open pull requests, though a newer release is out", world.open_titles(LEGACY)?, [""; 0]),
        ],
    )?;
    for problem in &shown {
        tell.quote(problem);
    }
    words::objects(world, tell, LEGACY, &[1, 2, 4, 5]).await
}

async fn releases_appear(world: &World, tell: &mut Narrator) -> anyhow::Result<()> {
    world.time_comes(world.now() + SignedDuration::from_hours(1)).await?;
    tell.chapter(world.now(), "Releases appear");
    tell.say(
        "The registries publish httpx 0.28.0, flask 3.0.3, jinja2 3.1.4, and python:3.13-slim beside 3.13-alpine.",
    );
    for (name, version) in [("httpx", "0.28.0"), ("flask", "3.0.3"), ("jinja2", "3.1.4")] {
        world.registry.release(name, version);
    }
    world.registry.tag("library/python", "3.13-slim");
    world.registry.tag("library/python", "3.13-alpine");
    let mark = world.github.mark();
    world.bot_looks().await?;

    let pull = world.pull(API, PYTHON)?;
    let diff = world.github.pull_diff(API, pull.number)?;
    let row = world.page("/").await?.row(&[API, PYTHON]);
    tell.saw(
        &format!("acme/api asked for images at once: pull request #{} \"{}\" is open.", pull.number, pull.title),
        [
            same("the author", pull.author.as_str(), world.github.bot_login()),
            same("open pull requests of acme/api", world.open_titles(API)?, [PYTHON]),
            same("its state on the page", row.cell("State"), "open"),
        ],
    )?;
    tell.diff(&diff);
    let removed = diff.lines().filter(|line| line.starts_with('-') && !line.starts_with("---"));
    let added = diff.lines().filter(|line| line.starts_with('+') && !line.starts_with("+++"));
    let changed: Vec<&str> = removed.chain(added).collect();
    tell.saw(
        "The tag moved, and nothing else: the suffix -slim and the comment are as they were.",
        [
            same("the changed lines", changed, ["-FROM python:3.12-slim AS base", "+FROM python:3.13-slim AS base"]),
            same(
                "the Dockerfile on its branch",
                file(world, API, &pull.head_branch, "Dockerfile")?,
                files::API_DOCKERFILE.replace("3.12", "3.13"),
            ),
        ],
    )?;
    let why_now = why_now(&pull)?;
    tell.saw(
        "It says itself why it comes now:",
        [
            contains("its reason", &why_now, "with the delay immediate"),
            contains("its dates", &why_now, "Due Wednesday 2026-03-04 10:11 UTC"),
        ],
    )?;
    tell.quote(&why_now);

    let requests = world.requests_since(mark);
    let base = "/repos/acme/api";
    tell.saw(
        &format!(
            "It took {} requests to GitHub (tree, commit, branch, pull request), and {} for the token they share.",
            requests.for_work.len(),
            requests.for_tokens
        ),
        [
            same(
                "the requests",
                requests.for_work,
                ["git/trees", "git/commits", "git/refs", "pulls"].map(|place| format!("POST {base}/{place}")),
            ),
            same("the number of tokens", requests.for_tokens, 1),
        ],
    )?;

    tell.say("The others wait, and the page says until when and why:");
    waits(world, tell, API, HTTPX, "waits for Monday 2026-03-09 06:00 UTC (weekly)", "due Mon 2026-03-09 06:00 UTC")
        .await?;
    waits(world, tell, WEB, FLASK, "is 0 days old, 2 days are asked for", "due Fri 2026-03-06 10:00 UTC").await?;
    words::previews(world, tell, API, &files::API_SUBSCRIPTION.replacen("weekly ", "daily  ", 1)).await
}

/// A proposal that waits: the page and `mass-driver why` give the same reason, and the page its date.
async fn waits(
    world: &World,
    tell: &mut Narrator,
    repo: &str,
    title: &str,
    reason: &str,
    due: &str,
) -> anyhow::Result<()> {
    let row = world.page("/").await?.row(&[repo, title]);
    let [shown_repo, shown_title, state, why, when] =
        ["Repository", "Proposal", "State", "Why", "When"].map(|column| row.cell(column));
    let answer = world.why(repo).await?;
    let told = answer["proposals"].as_array().and_then(|all| all.iter().find(|p| p["title"] == title));
    let told = told.and_then(|p| p["reason"].as_str()).unwrap_or_default();
    let open = world.open_titles(repo)?;
    tell.saw(
        &format!("{shown_repo}: \"{title}\" is {state}.\n{why} · {when}"),
        [
            same("the repository on the page", shown_repo.as_str(), repo),
            contains("the proposal on the page", &shown_title, title),
            same("its state", state.as_str(), "waiting"),
            contains("the reason on the page", &why, reason),
            contains("the date on the page", &when, due),
            same("the reason that `mass-driver why` gives", told, why.as_str()),
            same("whether there is a pull request", open.iter().any(|open| open == title), false),
        ],
    )?;
    Ok(())
}

async fn nothing_tracked_is_touched(world: &World, tell: &mut Narrator) -> anyhow::Result<()> {
    tell.chapter(world.now(), "A day's work that is none of the bot's business");
    let mark = world.github.mark();
    let posts = world.github.webhook_posts().len();
    for n in 1..=5 {
        world.push(API, "src/main.py", &format!("print({n})\n")).await?;
    }
    let requests = world.requests_since(mark);
    let posts = world.github.webhook_posts().split_off(posts);
    tell.saw(
        &format!(
            "Five pushes to acme/api touch the code alone. The bot got {} webhooks and made {} requests to GitHub.",
            posts.len(),
            requests.for_work.len() + requests.for_tokens
        ),
        [
            same("the pushes among the webhooks", posts.iter().filter(|post| post.event == "push").count(), 5),
            same("webhooks that were refused", posts.iter().filter(|post| post.status != 202).count(), 0),
            same("the requests", requests.for_work, [""; 0]),
            same("the requests for tokens", requests.for_tokens, 0),
            same(
                "the head of acme/api, known all the same",
                world.known_head(API).await?,
                world.github.head(API, "main")?,
            ),
        ],
    )?;
    Ok(())
}

async fn old_enough(world: &World, tell: &mut Narrator) -> anyhow::Result<()> {
    let due: Timestamp = "2026-03-06T10:00:00Z".parse()?;
    world.time_comes(due - SECOND).await?;
    let before = world.open_titles(WEB)?;
    tell.chapter(world.now(), "The releases for acme/web come of age");
    tell.saw(
        "One second before they are two days old, no pull request is open in acme/web.",
        [same("open pull requests of acme/web", before, [""; 0])],
    )?;
    world.time_comes(due).await?;
    let pull = world.pull(WEB, FLASK)?;
    let expected = files::WEB_PYPROJECT.replace("3.0.0", "3.0.3").replace("3.1.3", "3.1.4");
    tell.saw(
        &format!("At {} it is: #{} \"{}\", both small steps in one.", clock(pull.created_at), pull.number, pull.title),
        [
            same("when it was opened", pull.created_at, due),
            same("open pull requests of acme/web", world.open_titles(WEB)?, [FLASK]),
            same("pyproject.toml on its branch", file(world, WEB, &pull.head_branch, "pyproject.toml")?, expected),
        ],
    )?;
    tell.diff(&world.github.pull_diff(WEB, pull.number)?);
    Ok(())
}

async fn monday_comes(world: &World, tell: &mut Narrator) -> anyhow::Result<()> {
    let due: Timestamp = "2026-03-09T06:00:00Z".parse()?;
    world.time_comes(due - SECOND).await?;
    let before = world.open_titles(API)?;
    tell.chapter(world.now(), "Monday comes");
    tell.saw(
        &format!("At {} httpx still waits.", clock(world.now())),
        [same("open pull requests of acme/api", before, [PYTHON])],
    )?;
    world.time_comes(due).await?;
    let pull = world.pull(API, HTTPX)?;
    let expected = files::API_REQUIREMENTS.replace("0.27.0", "0.28.0");
    tell.saw(
        &format!("At {} pull request #{} \"{}\" is open.", clock(pull.created_at), pull.number, pull.title),
        [
            same("when it was opened", pull.created_at, due),
            same("the number of open pull requests of acme/api", world.open(API)?.len(), 2),
            same("requirements.txt on its branch", file(world, API, &pull.head_branch, "requirements.txt")?, expected),
        ],
    )?;
    tell.diff(&world.github.pull_diff(API, pull.number)?);
    Ok(())
}

async fn people_decide(world: &World, tell: &mut Narrator) -> anyhow::Result<()> {
    world.time_comes("2026-03-09T09:30:00Z".parse()?).await?;
    tell.chapter(world.now(), "People decide");
    let merged = world.pull(API, HTTPX)?.number;
    tell.say(&format!("Somebody merges #{merged} (httpx) in acme/api."));
    world.github.merge(API, merged)?;
    world.settle().await?;
    let row = world.page("/").await?.row(&[API, HTTPX]);
    let httpx = world.page(&format!("/repositories/{API}")).await?.row(&["httpx pypi"]);
    let (state, standing) = (row.cell("State"), httpx.cell("Why"));
    tell.saw(
        &format!("It is over: {state}. For httpx, {standing}."),
        [
            same("its state on the page", state.as_str(), "merged"),
            same("the outlook for httpx", standing.as_str(), "there is nothing newer"),
            same(
                "requirements.txt on main",
                file(world, API, "main", "requirements.txt")?,
                files::API_REQUIREMENTS.replace("0.27.0", "0.28.0"),
            ),
        ],
    )?;

    let closed = world.pull(API, PYTHON)?.number;
    tell.say(&format!("Somebody else closes #{closed} (python:3.13-slim): not that one, please."));
    world.github.close(API, closed)?;
    world.settle().await?;
    let total = world.github.pull_requests(API)?.len();
    world.bot_looks().await?;
    let state = world.page("/").await?.row(&[API, PYTHON]).cell("State");
    let python = world.page(&format!("/repositories/{API}")).await?.row(&["python docker", "3.13-slim"]);
    let reason = python.cell("Why");
    tell.saw(
        &format!("It stays closed, also after the next look at the registries: {reason}."),
        [
            same("its state on the page", state.as_str(), "closed"),
            contains("the reason on the page", &reason, &format!("pull request #{closed}")),
            contains("the reason on the page", &reason, "closed"),
            same("pull requests ever made in acme/api", world.github.pull_requests(API)?.len(), total),
            same("open pull requests of acme/api", world.open_titles(API)?, [""; 0]),
        ],
    )?;

    tell.say("And the file of acme/legacy is mended:");
    tell.quote(files::LEGACY_MENDED);
    world.push(LEGACY, files::SUBSCRIPTION, files::LEGACY_MENDED).await?;
    let pull = world.pull(LEGACY, REQUESTS)?;
    let subscriptions = world.page("/").await?.subscriptions(LEGACY);
    let problems = world.page(&format!("/repositories/{LEGACY}")).await?.problems();
    tell.saw(
        &format!("Its problems are gone, and #{} \"{}\" comes at once.", pull.number, pull.title),
        [
            same("the problems on the page", problems, [""; 0]),
            same("its subscriptions on the page", subscriptions.as_slice(), ["pypi at once"]),
            same("the labels", pull.labels.as_slice(), ["dependencies"].as_slice()),
            same("when it was opened", pull.created_at, world.now()),
        ],
    )?;
    Ok(())
}

async fn next_versions_come(world: &World, tell: &mut Narrator) -> anyhow::Result<()> {
    world.time_comes("2026-03-09T15:00:00Z".parse()?).await?;
    tell.chapter(world.now(), "The next versions");
    tell.say("The registries publish python:3.14-slim and httpx 0.28.1.");
    world.registry.tag("library/python", "3.14-slim");
    world.registry.release("httpx", "0.28.1");
    world.bot_looks().await?;
    let pull = world.pull(API, NEXT_PYTHON)?;
    tell.saw(
        &format!("What was closed was one version: the next one is proposed, #{} \"{}\".", pull.number, pull.title),
        [
            same("open pull requests of acme/api", world.open_titles(API)?, [NEXT_PYTHON]),
            contains("its diff", &world.github.pull_diff(API, pull.number)?, "+FROM python:3.14-slim AS base"),
        ],
    )?;
    words::goes_on(world, tell, API, [NEXT_PYTHON, LAST_PYTHON]).await?;
    words::obeys(world, tell, LEGACY, REQUESTS).await?;
    waits(
        world,
        tell,
        API,
        NEXT_HTTPX,
        "waits for Monday 2026-03-16 06:00 UTC (weekly)",
        "due Mon 2026-03-16 06:00 UTC",
    )
    .await
}

/// The text of a file on a branch, as GitHub has it.
fn file(world: &World, repo: &str, branch: &str, path: &str) -> anyhow::Result<String> {
    let bytes = world.github.file(repo, branch, path)?;
    let bytes = bytes.with_context(|| format!("expected {path} on {branch} of {repo}; found no such file"))?;
    Ok(String::from_utf8(bytes)?)
}

/// The part of a pull request's text that says why it comes now, without Markdown's emphasis.
fn why_now(pull: &PullRequestView) -> anyhow::Result<String> {
    let (_, rest) = pull
        .body
        .split_once("### Why now")
        .with_context(|| format!("expected a section \"Why now\" in the pull request; found {:?}", pull.body))?;
    let part = rest.split("\n---").next().unwrap_or(rest).replace(['*', '`'], "");
    Ok(part.lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n"))
}

/// `06:00:00`.
fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}
