//! Killed at a named point: as a request comes in, or just after it was carried out.

use crate::bot::Bot;
use crate::databases::both_databases;
use crate::line::Rule;
use crate::world::World;
use github_sim::{Fault, FaultKind};
use std::time::Duration;

/// The file that keeps the newest release away, and asks for labels.
const HELD_BACK: (&str, &str) = (
    ".mass-driver.yaml",
    "labels: [deps]\nsubscriptions:\n  - migration: pypi\n    ignore:\n      - name: httpx\n        versions: '>=0.29'\n",
);
/// The same without holding anything back: a newer version goes onto the branch of the pull request that is open.
const RELEASED: (&str, &str) = (".mass-driver.yaml", "labels: [deps]\nsubscriptions: [pypi]\n");
/// The same without wanting any of it: the pull request is closed.
const IGNORED: (&str, &str) =
    (".mass-driver.yaml", "labels: [deps]\nsubscriptions:\n  - migration: pypi\n    ignore:\n      - name: httpx\n");

/// Everything the bot does to one repository: a pull request is opened and labelled; a newer version goes onto its branch,
/// and it is told so; then nobody wants it any more, so it is told that, closed, and its branch deleted. The bot is killed
/// whenever `doom` says so.
pub async fn course(world: &World, bot: Bot, doom: &mut dyn FnMut() -> Option<Duration>) -> Bot {
    world.releases("httpx", &["0.27.0", "0.28.0", "0.29.0"]);
    world.organization("acme");
    world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), HELD_BACK]);
    let bot = world.settle(bot, doom).await;
    assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    world.push("acme/api", &[RELEASED]);
    let bot = world.settle(bot, doom).await;
    assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.29.0"]);
    world.push("acme/api", &[IGNORED]);
    world.settle(bot, doom).await
}

/// What the course ends in, however often the bot was killed on it.
pub fn the_course_ended_well(world: &World) {
    let pulls = world.github.pull_requests("acme/api").unwrap();
    let found: Vec<_> = pulls.iter().map(|p| (p.title.as_str(), p.state.as_str(), p.labels.len())).collect();
    assert_eq!(found, [("Bump httpx from 0.27.0 to 0.29.0", "closed", 1)]);
    let words: Vec<&str> = pulls[0].comments.iter().map(|comment| &comment.body[..8]).collect();
    assert_eq!(words, ["This pul", "Closed: "]);
    let branches: Vec<String> =
        world.github.branches("acme/api").unwrap().into_iter().map(|(branch, _)| branch).collect();
    assert_eq!(branches.len(), 1, "main alone: {branches:?}");
}

/// Each of these requests falls silent twice: as it comes in, and just after it was carried out.
fn doom_at(world: &World, requests: &[(&str, &str)]) {
    for (method, path) in requests {
        world.github.fault(Fault::once(method, path, FaultKind::Hang));
        world.github.fault(Fault::once(method, path, FaultKind::HangAfter));
    }
}

/// Whether one of them has.
fn is_struck(world: &World) -> bool {
    world.new_requests().iter().any(|request| request.fault.is_some())
}

/// Walks the course, and is killed twice at each of these requests to GitHub: as it comes in, and, when the next process
/// has come that far, just after it was carried out.
async fn killed_at(database: &str, requests: &[(&str, &str)]) {
    let world = World::begin(database).await;
    let bot = world.start().await;
    doom_at(&world, requests);
    let mut doom = || is_struck(&world).then_some(Duration::ZERO);
    let bot = course(&world, bot, &mut doom).await;
    assert_eq!(world.github.clear_faults(), 0, "requests that were never sent");
    the_course_ended_well(&world);
    world.the_end(bot).await;
}

/// A repository gets its first file, on a branch: the check says at once that it is valid, and later what it would do. Another
/// branch gets a file with more problems than one request takes. Killed twice at each of these requests, as above.
async fn killed_while_checking_at(database: &str, requests: &[(&str, &str)]) {
    let world = World::begin(database).await;
    let bot = world.start().await;
    doom_at(&world, requests);
    let mut doom = || is_struck(&world).then_some(Duration::ZERO);
    world.releases("httpx", &["0.27.0", "0.28.0"]);
    world.organization("acme");
    world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]);
    let bot = world.settle(bot, &mut doom).await;
    let push = |branch: &str, text: &str| {
        world.github.push("acme/api", branch, &[(".mass-driver.yaml", Some(text.as_bytes()))], "a file").unwrap()
    };
    let valid = push("valid", "subscriptions: [pypi]\n");
    let bot = world.settle(bot, &mut doom).await;
    let many: String = (0..60).map(|n| format!("  - migration: nobody{n}\n")).collect();
    let broken = push("broken", &format!("subscriptions:\n{many}"));
    let bot = world.settle(bot, &mut doom).await;
    assert_eq!(world.github.clear_faults(), 0, "requests that were never sent");
    let runs = world.github.check_runs("acme/api").unwrap();
    let found: Vec<_> =
        runs.iter().map(|run| (run.head_sha.clone(), run.conclusion.as_deref(), run.annotations.len())).collect();
    assert_eq!(found, [(valid, Some("success"), 0), (broken, Some("failure"), 60)]);
    world.the_end(bot).await;
}

both_databases! {
    async fn fault_02_killed_between_commit_and_ref(url: String) {
        killed_at(&url, &[("POST", "/repos/*/*/git/trees"), ("POST", "/repos/*/*/git/commits")]).await;
    }

    async fn fault_03_killed_after_the_ref(url: String) {
        killed_at(&url, &[("POST", "/repos/*/*/git/refs")]).await;
    }

    async fn fault_04_killed_after_the_pull_request_and_before_its_row(url: String) {
        killed_at(&url, &[("POST", "/repos/*/*/pulls")]).await;
    }

    async fn killed_while_labelling(url: String) {
        killed_at(&url, &[("POST", "/repos/*/*/issues/*/labels")]).await;
    }

    async fn killed_while_a_newer_version_goes_onto_the_branch(url: String) {
        killed_at(&url, &[("PATCH", "/repos/*/*/git/refs/**"), ("PATCH", "/repos/*/*/pulls/*")]).await;
    }

    /// Each comment is said once, however often the process dies around it.
    async fn killed_while_an_unwanted_pull_request_is_retired(url: String) {
        let comment = ("POST", "/repos/*/*/issues/*/comments");
        killed_at(&url, &[comment, ("PATCH", "/repos/*/*/pulls/*"), ("DELETE", "/repos/*/*/git/refs/**")]).await;
    }

    async fn killed_while_a_check_is_begun(url: String) {
        killed_while_checking_at(&url, &[("POST", "/repos/*/*/check-runs")]).await;
    }

    async fn killed_while_a_check_is_ended(url: String) {
        killed_while_checking_at(&url, &[("PATCH", "/repos/*/*/check-runs/*")]).await;
    }

    async fn killed_while_a_token_is_asked_for(url: String) {
        killed_at(&url, &[("POST", "/app/installations/*/access_tokens"), ("GET", "/app/installations")]).await;
    }

    async fn killed_while_a_repository_is_read(url: String) {
        killed_at(&url, &[("GET", "/repos/*/*/git/trees/*"), ("GET", "/repos/*/*/git/blobs/*")]).await;
    }

    async fn killed_while_a_registry_is_asked(url: String) {
        let world = World::begin(&url).await;
        let bot = world.start().await;
        world.registry.fault("*httpx*", registry_sim::FaultKind::Hang, 2);
        let mut kills = 0;
        let mut doom = || {
            // A request without an answer.
            let asked = world.registry.requests().iter().filter(|request| request.status.is_none()).count();
            let struck = asked > kills;
            kills = asked;
            struck.then_some(Duration::ZERO)
        };
        let bot = course(&world, bot, &mut doom).await;
        assert_eq!(kills, 2);
        the_course_ended_well(&world);
        world.the_end(bot).await;
    }

    /// The webhook is stored, and the process dies before GitHub hears of it: GitHub delivers it again, and it counts once.
    async fn fault_01_killed_between_storing_a_webhook_and_the_answer(url: String) {
        let world = World::begin(&url).await;
        let bot = world.start().await;
        let mut kills = 0;
        let mut doom = || {
            if world.front.has_struck() {
                world.front.rule(Rule::Passes);
                kills += 1;
                return Some(Duration::ZERO);
            }
            // Once for each half of the course.
            if kills < 2 && world.open("acme/api").len() == kills {
                world.front.rule(Rule::LosesAnAnswer);
            }
            None
        };
        let bot = course(&world, bot, &mut doom).await;
        assert_eq!(kills, 2);
        let posts = world.github.webhook_posts();
        let lost: Vec<&str> = posts.iter().filter(|post| post.status == 0).map(|post| post.guid.as_str()).collect();
        assert!(lost.len() >= 2, "GitHub never missed an answer");
        for guid in lost {
            let answers: Vec<u16> = posts.iter().filter(|post| post.guid == guid).map(|post| post.status).collect();
            assert_eq!(answers.last(), Some(&202), "delivered again, and taken: {answers:?}");
        }
        the_course_ended_well(&world);
        world.the_end(bot).await;
    }
}
