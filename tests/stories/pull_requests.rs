//! Pull requests after they were opened.

use crate::{World, stories};
use github_sim::{Fault, FaultKind, Gate};
use jiff::SignedDuration;
use mass_driver::domain::{ProposalState, RepoState};

async fn api(world: &World) {
    world.registry.release("httpx", "0.27.0");
    world.registry.release("httpx", "0.28.0");
    let files = [
        ("requirements.txt", "httpx==0.27.0\n"),
        (".mass-driver.yaml", "labels: [dependencies]\nsubscriptions: [pypi]\n"),
    ];
    world.repository("acme/api", &files).await;
}

stories! {
    async fn the_pull_request_says_what_and_why(world: World) {
        api(&world).await;
        let pull = world.pull("acme/api");
        assert_eq!(pull.labels, ["dependencies"]);
        insta::assert_snapshot!("pull_request", format!("{}\n\n{}\n\n{}", pull.title, pull.body, world.github.pull_diff("acme/api", pull.number).unwrap()));
    }

    async fn lock_files_are_named_with_what_refreshes_them(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        world.repository("acme/api", &[
            ("services/api/pyproject.toml", "[project]\ndependencies = [\"httpx==0.27.0\"]\n"),
            ("uv.lock", "version = 1\n"),
            ("web/package-lock.json", "{}\n"),
            (".mass-driver.yaml", "subscriptions: [pypi]\n"),
        ]).await;
        let body = world.pull("acme/api").body;
        assert!(body.contains("Refresh it on this branch:\n\n- `uv.lock`: run `uv lock`\n\n"), "{body}");
    }

    async fn lock_files_that_come_and_go_are_noticed(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.repository("acme/api", &[
            ("pyproject.toml", "[project]\ndependencies = [\"httpx==0.27.0\"]\n"),
            ("uv.lock", "version = 1\n"),
            (".mass-driver.yaml", "subscriptions: [pypi]\n"),
        ]).await;
        world.push("acme/api", &[("poetry.lock", "")]).await;
        let repo = world.row("acme/api").await.repository.id;
        let known = async || -> Vec<String> {
            world.store.lock_files(repo).await.unwrap().iter().map(ToString::to_string).collect()
        };
        assert_eq!(known().await, ["poetry.lock", "uv.lock"]);
        world.remove("acme/api", "uv.lock").await;
        world.push("acme/api", &[("pyproject.toml", "[project]\n\ndependencies = [\"httpx==0.27.0\"]\n")]).await;
        assert_eq!(known().await, ["poetry.lock"]);
        world.registry.release("httpx", "0.28.0");
        world.bot_looks().await;
        let body = world.pull("acme/api").body;
        assert!(body.contains("- `poetry.lock`: run `poetry lock`\n\n") && !body.contains("uv.lock"), "{body}");
    }

    async fn a_package_of_the_repository_itself_is_not_replaced_by_one_of_its_name(world: World) {
        let member = ("packages/utils/package.json", "{\"name\": \"utils\"}");
        world.repository("acme/api", &[
            ("package.json", "{\"dependencies\": {\"utils\": \"1.0.0\"}}"),
            member,
            (".mass-driver.yaml", "subscriptions: [npm]\n"),
        ]).await;
        assert_eq!(world.outlook("acme/api").await[0].reason, "it is developed in this repository");
        // It goes by what the repository is now, although the file that uses it is not read again.
        world.remove("acme/api", member.0).await;
        assert_ne!(world.outlook("acme/api").await[0].reason, "it is developed in this repository");
        world.push("acme/api", &[member]).await;
        assert_eq!(world.outlook("acme/api").await[0].reason, "it is developed in this repository");
    }

    async fn a_merged_pull_request_is_over(world: World) {
        api(&world).await;
        world.github.merge("acme/api", world.pull("acme/api").number).unwrap();
        world.settle().await;
        assert!(world.open("acme/api").is_empty());
        assert_eq!(world.proposals("acme/api", ProposalState::Merged).await.len(), 1);
        assert_eq!(world.outlook("acme/api").await[0].reason, "there is nothing newer");
    }

    async fn what_a_person_closed_stays_closed_and_the_next_version_comes(world: World) {
        api(&world).await;
        world.github.close("acme/api", world.pull("acme/api").number).unwrap();
        world.settle().await;
        world.bot_looks().await;
        assert!(world.open("acme/api").is_empty());
        assert!(world.outlook("acme/api").await[0].reason.contains("closed"), "{:?}", world.outlook("acme/api").await);
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.1"]);
    }

    async fn checks_are_shown(world: World) {
        api(&world).await;
        let pull = world.pull("acme/api");
        world.github.check_run("acme/api", &pull.head_sha, "tests", "failure").unwrap();
        world.settle().await;
        assert_eq!(world.proposals("acme/api", ProposalState::Open).await[0].checks.as_deref(), Some("failure"));
    }

    async fn digests_move_with_their_tag(world: World) {
        let old = world.registry.tag("library/python", "3.12-slim");
        let new = world.registry.tag("library/python", "3.13-slim");
        world.repository("acme/api", &[
            ("Dockerfile", &format!("ARG PY=3.12\nFROM python:3.12-slim@{old} AS base\nFROM base\n")),
            (".mass-driver.yaml", "subscriptions: [dockerfile]\n"),
        ]).await;
        let pull = world.pull("acme/api");
        assert_eq!(world.file("acme/api", &pull.head_branch, "Dockerfile"), format!("ARG PY=3.12\nFROM python:3.13-slim@{new} AS base\nFROM base\n"));
    }

    /// Archived between the decision to close it and the closing.
    async fn an_unwanted_pull_request_of_an_archived_repository_is_closed_when_that_is_over(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        let labelled = (".mass-driver.yaml", "labels: [dependencies]\nsubscriptions: [pypi]\n");
        let repo = "acme/api";
        world.repository(repo, &[("requirements.txt", "httpx==0.27.0\n"), labelled]).await;
        let first = world.pull(repo).number;
        let gate = Gate::default();
        world.github.fault(Fault::once("POST", &format!("/repos/{repo}/issues/*/comments"), FaultKind::Wait(gate.clone())));
        world.registry.yank("httpx", "0.28.0");
        let archived = async {
            gate.reached_by(1).await;
            world.github.archive(repo).unwrap();
            gate.open();
        };
        tokio::join!(world.bot_looks(), archived);
        let left = world.proposals(repo, ProposalState::Withdrawn).await.remove(0);
        assert_eq!(left.reason, "httpx 0.28.0 was taken back by its publisher; it stays open as long as the repository is archived");
        assert_eq!(world.open(repo).len(), 1);
        assert_eq!(world.row(repo).await.repository.state, RepoState::Archived);
        let mark = world.github.mark();
        for _ in 0..6 {
            world.time_passes(SignedDuration::from_hours(12)).await;
        }
        let asked: Vec<String> = world.requests_since(mark).into_iter().filter(|r| r.contains(repo)).collect();
        assert!(asked.is_empty(), "nobody asks again: {asked:?}");
        assert!(world.store.parked(10).await.unwrap().is_empty(), "it is no defect");

        world.github.unarchive(repo).unwrap();
        world.settle().await;
        assert!(world.open(repo).is_empty());
        let first = world.github.pull_request(repo, first).unwrap();
        assert_eq!((first.state.as_str(), first.comments.len()), ("closed", 1));
        let closed = world.proposals(repo, ProposalState::Withdrawn).await.remove(0);
        assert_eq!(closed.reason, "httpx 0.28.0 was taken back by its publisher");
    }
}
