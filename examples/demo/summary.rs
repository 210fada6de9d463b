//! The last chapter: what came of it all, counted.

use crate::narrator::{Narrator, same};
use crate::world::World;
use github_sim::PullRequestView;
use mass_driver::domain::ProposalState;

/// Counts what there is in these repositories, and holds GitHub, page and store against each other.
///
/// Errors: if anything is not as it is told. `waits` are the titles of what waits.
pub async fn in_the_end(
    world: &World,
    tell: &mut Narrator,
    repositories: [&str; 3],
    waits: [&str; 2],
) -> anyhow::Result<()> {
    tell.chapter(world.now(), "In the end");
    let page = world.page("/").await?;
    let mut ours: Vec<(String, PullRequestView)> = Vec::new();
    for repo in repositories {
        ours.extend(world.github.pull_requests(repo)?.into_iter().map(|pull| (repo.to_owned(), pull)));
    }
    let state = |pull: &PullRequestView| if pull.merged { "merged".to_owned() } else { pull.state.clone() };
    let count = |wanted: &str| ours.iter().filter(|(_, pull)| state(pull) == wanted).count();
    let on_page = |(repo, pull): &(String, PullRequestView)| {
        let row = page.row(&[repo, &format!("{} #{}", pull.title, pull.number)]);
        // What the bot closed as it was told to is withdrawn.
        (pull.title.clone(), row.cell("State").replace("withdrawn", "closed"))
    };
    let waiting = world.proposals(&[ProposalState::Waiting]).await?;
    let mut behind_links = Vec::new();
    for link in page.links_away() {
        behind_links.push(world.visit(&link).await?.text());
    }
    let linked = ours.iter().filter(|(_, pull)| behind_links.iter().any(|text| text.contains(&pull.title))).count();
    tell.saw(
        &format!(
            "{} pull requests: {} open, {} merged, {} closed; {} more wait. The page shows the same, with links.",
            ours.len(),
            count("open"),
            count("merged"),
            count("closed"),
            waiting.len()
        ),
        [
            same(
                "pull requests that are open, merged and closed",
                [count("open"), count("merged"), count("closed")],
                [2, 1, 2],
            ),
            same(
                "the pull requests on the page, and on GitHub",
                ours.iter().map(on_page).collect::<Vec<_>>(),
                ours.iter().map(|(_, pull)| (pull.title.clone(), state(pull))).collect::<Vec<_>>(),
            ),
            same("pull requests behind the links of the page", linked, ours.len()),
            same("what waits", waiting.iter().map(|p| p.title.as_str()).collect::<Vec<_>>(), waits),
        ],
    )?;
    let opened = world.opened().await?;
    let early = opened.iter().filter(|p| p.opened_at.is_none_or(|at| at < p.due_at)).count();
    let requests = world.requests_since(0);
    let failed = world.github.exchanges().iter().filter(|exchange| exchange.status >= 400).count();
    let (webhooks, refused) = {
        let posts = world.github.webhook_posts();
        (posts.len(), posts.iter().filter(|post| post.status >= 400).count())
    };
    tell.saw(
        &format!(
            "Of {} proposals on {} pull requests {early} came early; of {webhooks} webhooks {refused} were refused; {} steps failed for good.",
            opened.len(),
            ours.len(),
            world.parked().await?
        ),
        [
            same("proposals that were opened: one of them went onto another's", opened.len(), ours.len() + 1),
            same("pull requests before their time", early, 0),
            same("webhooks that were refused", refused, 0),
            same("steps that were given up", world.parked().await?, 0),
        ],
    )?;
    let wrote = |method: &str, place: &str| {
        let is_it = |request: &&String| request.starts_with(method) && request.contains(place);
        requests.for_work.iter().filter(is_it).count()
    };
    let writes = requests.for_work.iter().filter(|request| !request.starts_with("GET ")).count();
    let checks =
        repositories.map(|repo| world.github.check_runs(repo)).into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let checks = checks.iter().flatten().filter(|check| check.own).count();
    tell.saw(
        &format!(
            "All of it took {} requests to GitHub: {} that read, and {writes} that wrote {} pull requests, a newer version, \
             {checks} checks, a label, and what was said. {} more were for tokens; {failed} were in vain.",
            requests.for_work.len(),
            requests.for_work.len() - writes,
            ours.len(),
            requests.for_tokens
        ),
        [
            same(
                "pull requests, branches, commits and trees that were made",
                ["/pulls", "/git/refs", "/git/commits", "/git/trees"].map(|place| wrote("POST", place)),
                [ours.len(), ours.len(), ours.len() + 1, ours.len() + 1],
            ),
            same("branches that were moved", wrote("PATCH", "/git/refs"), 1),
            same("requests that wrote checks", wrote("POST", "/check-runs"), checks),
            same("comments: of a newer version, and an answer", wrote("POST", "/comments") - wrote("POST", "/reactions"), 2),
            same("requests that GitHub refused", failed, 0),
        ],
    )?;
    Ok(())
}
