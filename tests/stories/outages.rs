//! GitHub is slow, down, or says no: nothing is lost, nothing is asked in vain, and it goes on afterwards.

use crate::{World, stories_at_any_pace};
use github_sim::{Fault, FaultKind, FileChangeInput, InstallOptions, RepoOptions, RetryAfter};
use jiff::SignedDuration;
use mass_driver::domain::{ProposalState, RepoState};
use std::time::Duration;

const FILE: (&str, &str) = (".mass-driver.yaml", "subscriptions: [pypi]\n");

fn releases(world: &World) {
    world.registry.release("httpx", "0.27.0");
    world.registry.release("httpx", "0.28.0");
}

/// Ten minutes after ten minutes.
async fn hours_pass(world: &World, hours: i64) {
    for _ in 0..hours * 6 {
        world.time_passes(SignedDuration::from_mins(10)).await;
    }
}

stories_at_any_pace! {
    async fn github_is_down_for_two_days_and_nothing_is_given_up(world: World) {
        releases(&world);
        world.github.create_repo("acme/api", RepoOptions::default().file("requirements.txt", "httpx==0.27.0\n").file(FILE.0, FILE.1)).unwrap();
        world.github.fault(Fault::once("*", "**", FaultKind::BadGateway).times(100_000));
        hours_pass(&world, 48).await;
        assert!(world.store.parked(10).await.unwrap().is_empty());
        world.github.clear_faults();
        hours_pass(&world, 2).await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    async fn fault_11_the_hourly_limit_stops_one_installation_until_it_is_over(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        world.github.organization("other");
        world.github.install("other").unwrap();
        world.repository("other/lib", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        world.github.fault(Fault::once("POST", "/repos/acme/api/git/trees", FaultKind::PrimaryRateLimit { status: 403, reset_in: Duration::from_secs(3000) }));
        world.push_quietly("acme/api", &[FILE]);
        world.push_quietly("other/lib", &[FILE]);
        world.settle().await;
        assert!(world.open("acme/api").is_empty());
        assert_eq!(world.open("other/lib").len(), 1, "another installation goes on");
        let mark = world.github.mark();
        for _ in 0..4 {
            world.bot_looks().await;
        }
        let asked = world.requests_since(mark);
        assert!(asked.is_empty(), "whoever asks on makes it worse: {asked:?}");
        world.bot_looks().await;
        assert_eq!(world.open("acme/api").len(), 1);
    }

    async fn fault_12_the_limit_on_writing_is_waited_for(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        for (path, retry_after) in [("trees", RetryAfter::Seconds(40)), ("commits", RetryAfter::Missing), ("refs", RetryAfter::Text("soon".into()))] {
            world.github.fault(Fault::once("POST", &format!("/repos/*/*/git/{path}"), FaultKind::SecondaryRateLimit { status: 403, retry_after }));
        }
        world.push("acme/api", &[FILE]).await;
        assert!(world.open("acme/api").is_empty());
        for _ in 0..6 {
            world.time_passes(SignedDuration::from_secs(61)).await;
        }
        assert_eq!(world.open("acme/api").len(), 1);
    }

    async fn fault_15_tokens_end_in_the_middle(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        world.github.fault(Fault::once("POST", "/repos/*/*/git/commits", FaultKind::ExpireTokens));
        world.push("acme/api", &[FILE]).await;
        assert_eq!(world.open("acme/api").len(), 1);
    }

    /// Nobody tells of it: the event is lost.
    async fn fault_18_suspended_without_being_told_and_resumed(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), (FILE.0, "delay: weekly\nsubscriptions: [pypi]\n")]).await;
        world.clock_comes("2026-03-09T06:00:00Z");
        world.dies_at("POST", "/repos/*/*/git/refs", FaultKind::HangAfter).await;
        world.github.suspend(world.installation).unwrap();
        world.github.drop_pending();
        hours_pass(&world, 30).await;
        assert_eq!(world.row("acme/api").await.repository.state, RepoState::Suspended);
        assert!(world.store.parked(10).await.unwrap().is_empty());
        world.github.unsuspend(world.installation).unwrap();
        world.settle().await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"], "and not an hour later");
        assert_eq!(world.github.branches("acme/api").unwrap().len(), 2);
    }

    async fn fault_18_uninstalled_without_being_told(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), (FILE.0, "delay: weekly\nsubscriptions: [pypi]\n")]).await;
        world.github.uninstall(world.installation).unwrap();
        world.github.drop_pending();
        world.time_comes("2026-03-09T06:00:00Z").await;
        hours_pass(&world, 3).await;
        assert_eq!(world.row("acme/api").await.repository.state, RepoState::Removed, "found out without being told");
        let mark = world.github.mark();
        hours_pass(&world, 3).await;
        assert!(world.requests_since(mark).is_empty());
    }

    async fn uninstalled_while_the_bot_was_down(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.28.0\n"), FILE]).await;
        world.github.uninstall(world.installation).unwrap();
        world.github.drop_pending();
        world.restart().await;
        assert_eq!(world.row("acme/api").await.repository.state, RepoState::Removed);
    }

    async fn a_start_does_not_need_github(world: World) {
        releases(&world);
        world.github.create_repo("acme/api", RepoOptions::default().file("requirements.txt", "httpx==0.27.0\n").file(FILE.0, FILE.1)).unwrap();
        world.github.drop_pending();
        world.github.fault(Fault::once("GET", "/app/installations", FaultKind::BadGateway).times(3));
        world.restart().await;
        assert!(world.open("acme/api").is_empty());
        hours_pass(&world, 1).await;
        assert_eq!(world.open("acme/api").len(), 1);
    }

    /// GitHub shows the repository and refuses every write with 404: a few tries, then a reason, then once a day.
    async fn what_is_refused_for_ever_costs_a_bounded_number_of_requests(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        world.github.fault(Fault::once("POST", "/repos/*/*/git/trees", FaultKind::Status { status: 404, message: "Not Found".into() }).times(100_000));
        let mark = world.github.mark();
        world.push("acme/api", &[FILE]).await;
        hours_pass(&world, 12).await;
        let failed = world.proposals("acme/api", ProposalState::Failed).await;
        assert_eq!(failed.len(), 1);
        assert!(failed[0].reason.contains("git/trees"), "{}", failed[0].reason);
        assert!(world.outlook("acme/api").await[0].reason.contains("could not be made"));
        let asked = world.requests_since(mark).len();
        assert!(asked < 60, "{asked} requests for what cannot be");
        world.github.clear_faults();
        hours_pass(&world, 13).await;
        assert_eq!(world.open("acme/api").len(), 1, "a day later it is tried again");
    }

    async fn a_failure_is_forgotten_when_a_person_changes_the_file(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        world.github.fault(Fault::once("POST", "/repos/*/*/git/trees", FaultKind::Status { status: 422, message: "Nobody knows why".into() }));
        world.push("acme/api", &[FILE]).await;
        assert_eq!(world.proposals("acme/api", ProposalState::Failed).await.len(), 1);
        world.time_passes(SignedDuration::from_mins(1)).await;
        assert!(world.open("acme/api").is_empty());
        world.push("acme/api", &[("requirements.txt", "# mended\nhttpx==0.27.0\n")]).await;
        assert_eq!(world.open("acme/api").len(), 1);
    }

    async fn a_permission_that_is_missing_for_checks_stops_nothing(world: World) {
        releases(&world);
        world.github.organization("poor");
        world.github.install_with("poor", InstallOptions::default().without("checks")).unwrap();
        world.repository("poor/api", &[("requirements.txt", "httpx==0.27.0\n"), FILE]).await;
        let pull = world.pull("poor/api");
        world.github.check_run("poor/api", &pull.head_sha, "tests", "failure").unwrap();
        world.settle().await;
        assert_eq!(world.open("poor/api").len(), 1);
    }

    async fn forks_are_left_alone(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), FILE]).await;
        world.github.organization("other");
        world.github.install("other").unwrap();
        world.settle().await;
        let mark = world.github.mark();
        world.github.fork("acme/api", "other").unwrap();
        world.settle().await;
        world.push("other/api", &[("requirements.txt", "httpx==0.27.0\n# ours\n")]).await;
        assert!(world.open("other/api").is_empty());
        assert!(world.row("other/api").await.note.unwrap().contains("is a fork"));
        let asked = world.requests_since(mark).into_iter().filter(|r| r.contains("/repos/")).count();
        assert_eq!(asked, 0);
    }

    async fn bad_input_17_modes_are_kept_and_links_are_not_followed(world: World) {
        releases(&world);
        let options = RepoOptions {
            files: vec![
                FileChangeInput::executable("requirements.txt", "httpx==0.27.0\n"),
                FileChangeInput::symlink("dev/requirements.txt", "../requirements.txt"),
                FileChangeInput::put(FILE.0, FILE.1),
            ],
            ..RepoOptions::default()
        };
        world.github.create_repo("acme/api", options).unwrap();
        world.settle().await;
        let pull = world.pull("acme/api");
        assert_eq!(world.github.file_mode("acme/api", &pull.head_branch, "requirements.txt").unwrap(), Some(0o100_755));
        assert_eq!(world.github.file_mode("acme/api", &pull.head_branch, "dev/requirements.txt").unwrap(), Some(0o120_000));
        assert_eq!(world.outlook("acme/api").await.len(), 1, "the link is no manifest of its own");
    }

    async fn bad_input_17_a_subscription_file_that_is_a_link_is_a_problem(world: World) {
        let options = RepoOptions {
            files: vec![FileChangeInput::put("real.yaml", FILE.1), FileChangeInput::symlink(FILE.0, "real.yaml")],
            ..RepoOptions::default()
        };
        world.github.create_repo("acme/api", options).unwrap();
        world.settle().await;
        let problems = world.row("acme/api").await.config.problems.to_string();
        assert!(problems.contains("symbolic link"), "{problems}");
    }

    async fn a_tree_too_large_for_one_answer_is_read_in_parts(world: World) {
        releases(&world);
        world.github.set_limits(|limits| limits.tree_entries = 5);
        world.repository("acme/api", &[("a/x", "1"), ("a/y", "1"), ("b/x", "1"), ("c/requirements.txt", "httpx==0.27.0\n"), FILE]).await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0 in /c"]);
    }

    /// GitHub names 3,000 paths of a push, and the manifest is not among them.
    async fn bad_input_06_a_push_of_more_paths_than_github_names_is_not_believed(world: World) {
        releases(&world);
        world.repository("acme/api", &[FILE]).await;
        let names: Vec<String> = (0..3_000).map(|n| format!("many/{n:04}")).collect();
        let mut files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
        files.push(("requirements.txt", "httpx==0.27.0\n"));
        world.push("acme/api", &files).await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    async fn a_limit_of_zero_is_a_problem_and_opens_nothing(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), (FILE.0, "limit: 0\nsubscriptions: [pypi]\n")]).await;
        assert!(world.open("acme/api").is_empty());
        assert!(world.row("acme/api").await.config.problems.to_string().contains("a limit must be"));
    }

    /// Between the two versions lies a third; the push that came of the merge is late.
    async fn nothing_older_is_proposed_after_a_merge(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.27.2");
        world.registry.release("httpx", "0.28.0");
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), FILE]).await;
        world.github.merge("acme/api", world.pull("acme/api").number).unwrap();
        world.github.hold("push").unwrap();
        world.settle().await;
        assert_eq!(world.github.pull_requests("acme/api").unwrap().len(), 1);
        world.github.release_held();
        world.settle().await;
        assert_eq!(world.github.pull_requests("acme/api").unwrap().len(), 1);
    }

    async fn a_file_whose_push_was_lost_is_noticed_at_the_next_push(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        world.push("acme/api", &[("README.md", "1")]).await;
        world.push_quietly("acme/api", &[FILE]);
        world.github.drop_pending();
        world.push("acme/api", &[("README.md", "2")]).await;
        assert_eq!(world.open("acme/api").len(), 1);
    }

    /// The list of an installation tells of the new default branch; a pull request is due before that branch is read.
    async fn base_branch_and_base_commit_belong_together(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), (FILE.0, "delay: weekly\nsubscriptions: [pypi]\n")]).await;
        let main = world.github.head("acme/api", "main").unwrap().unwrap();
        world.github.fault(Fault::once("POST", "/repos/*/*/git/trees", FaultKind::BadGateway));
        world.time_comes("2026-03-09T06:00:00Z").await;
        world.github.push("acme/api", "trunk", &[("requirements.txt", Some(b"httpx==0.27.0\n# trunk\n".as_slice()))], "a new trunk").unwrap();
        world.github.set_default_branch("acme/api", "trunk").unwrap();
        world.github.drop_pending();
        world.looks_at_installations().await;
        world.time_passes(SignedDuration::from_secs(30)).await;
        assert_eq!(world.open("acme/api").len(), 1);
        for pull in world.github.pull_requests("acme/api").unwrap() {
            let parents = world.github.commits("acme/api", &pull.head_branch).unwrap()[0].parents.clone();
            let base = if pull.base == "main" { main.clone() } else { world.github.head("acme/api", "trunk").unwrap().unwrap() };
            assert_eq!(parents, [base], "a change of {} is not proposed to another branch", pull.base);
        }
    }
}
