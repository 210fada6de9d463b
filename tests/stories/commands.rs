//! What people tell the bot on its pull requests.

use crate::revisions::somebody_commits;
use crate::{World, stories, stories_at_any_pace};
use github_sim::{Fault, FaultKind, Role};
use jiff::SignedDuration;
use mass_driver::domain::ProposalState;

async fn api(world: &World) {
    world.registry.release("httpx", "0.27.0");
    world.registry.release("httpx", "0.28.0");
    world
        .repository(
            "acme/api",
            &[
                ("requirements.txt", "httpx==0.27.0\n"),
                (".mass-driver.yaml", "timezone: Europe/Paris\nsubscriptions: [pypi]\n"),
            ],
        )
        .await;
    world.github.set_role("acme/api", "ada", Role::Write).unwrap();
}

/// Somebody writes a comment on the only open pull request, and the bot has time to read it. Returns its number and what
/// was answered.
async fn says(world: &World, login: &str, comment: &str) -> (i64, Vec<String>) {
    let number = world.pull("acme/api").number;
    let before = world.github.pull_request("acme/api", number).unwrap().comments.len();
    let id = world.github.comment("acme/api", number, login, comment).unwrap();
    world.settle().await;
    let comments = world.github.pull_request("acme/api", number).unwrap().comments;
    let own = comments.iter().find(|one| one.id == id).unwrap();
    let reactions: Vec<&str> = own.reactions.iter().map(|(_, content)| content.as_str()).collect();
    let answers = comments[before + 1..].iter().map(|one| one.body.clone()).collect();
    assert!(reactions.len() <= 1, "{reactions:?}");
    (
        number,
        [reactions.first().map(|one| (*one).to_string()).unwrap_or_default()]
            .into_iter()
            .chain::<Vec<String>>(answers)
            .collect(),
    )
}

stories_at_any_pace! {
    async fn a_version_that_is_not_wanted_is_not_proposed_again(world: World) {
        api(&world).await;
        let (number, answer) = says(&world, "ada", "Not this one.\n\n/mass-driver ignore this version").await;
        assert_eq!(answer, ["+1", "`httpx` `0.28.0` will not be proposed again. This pull request is closed. `/mass-driver unignore` takes that back."]);
        let pull = world.github.pull_request("acme/api", number).unwrap();
        assert_eq!(pull.state, "closed");
        assert!(!world.github.branches("acme/api").unwrap().iter().any(|(name, _)| *name == pull.head_branch));
        world.bot_looks().await;
        assert!(world.open("acme/api").is_empty());
        assert_eq!(world.outlook("acme/api").await[0].reason, format!("ada asked on #{number} not to propose 0.28.0"));
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.1"]);
    }

    async fn what_is_ignored_by_its_numbers_goes_for_later_releases(world: World) {
        api(&world).await;
        says(&world, "ada", "/mass-driver ignore this minor").await;
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        assert!(world.open("acme/api").is_empty());
        world.registry.release("httpx", "0.29.0");
        world.bot_looks().await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.29.0"]);
        says(&world, "ada", "/mass-driver ignore this dependency").await;
        world.registry.release("httpx", "1.0.0");
        world.bot_looks().await;
        assert!(world.open("acme/api").is_empty());
        assert!(world.outlook("acme/api").await.iter().any(|row| row.reason.ends_with("not to propose this dependency")));
    }

    async fn what_was_ignored_is_taken_back(world: World) {
        api(&world).await;
        let (number, _) = says(&world, "ada", "/mass-driver ignore this major").await;
        let id = world.github.comment("acme/api", number, "ada", "/mass-driver unignore").unwrap();
        world.settle().await;
        let comments = world.github.pull_request("acme/api", number).unwrap().comments;
        assert_eq!(comments.last().unwrap().body, "What was decided about `httpx` is forgotten: it is proposed again when it is due.");
        assert!(comments.iter().any(|one| one.id == id));
        let again = world.pull("acme/api");
        assert_eq!(again.title, "Bump httpx from 0.27.0 to 0.28.0");
        assert_ne!(again.number, number);
    }

    async fn what_is_put_off_comes_back_in_time(world: World) {
        api(&world).await;
        let (number, answer) = says(&world, "ada", "/mass-driver snooze 2w").await;
        assert!(answer[1].contains("at the first time after"), "{answer:?}");
        assert_eq!(world.github.pull_request("acme/api", number).unwrap().state, "closed");
        let row = &world.outlook("acme/api").await[0];
        assert!(row.reason.starts_with(&format!("ada put it off on #{number} until ")) && row.until.is_some(), "{row:?}");
        world.registry.release("httpx", "0.28.1");
        world.time_passes(SignedDuration::from_hours(13 * 24)).await;
        world.bot_looks().await;
        assert!(world.open("acme/api").is_empty());
        world.time_passes(SignedDuration::from_hours(24)).await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.1"]);
    }

    async fn bad_input_25_only_who_may_write_is_obeyed(world: World) {
        api(&world).await;
        world.github.set_role("acme/api", "eve", Role::Triage).unwrap();
        let number = world.pull("acme/api").number;
        world.github.set_role("acme/api", "mallory", Role::Outsider).unwrap();
        for login in ["eve", "mallory"] {
            let (_, answer) = says(&world, login, "/mass-driver ignore this dependency").await;
            assert_eq!(answer, [""], "{login}");
        }
        assert_eq!(world.github.pull_request("acme/api", number).unwrap().state, "open");
    }

    async fn bad_input_25_quoted_edited_repeated_and_by_bots(world: World) {
        api(&world).await;
        let number = world.pull("acme/api").number;
        for comment in ["> /mass-driver ignore this version", "```\n/mass-driver ignore this version\n```", "`/mass-driver ignore this version`"] {
            assert_eq!(says(&world, "ada", comment).await.1, [""], "{comment}");
        }
        let harmless = world.github.comment("acme/api", number, "ada", "Hm.").unwrap();
        world.github.edit_comment("acme/api", harmless, "ada", "/mass-driver ignore this version").unwrap();
        world.settle().await;
        assert_eq!(says(&world, "renovate[bot]", "/mass-driver ignore this version").await.1, [""]);
        let long = format!("{}\n\n> /mass-driver rebase", "x ".repeat(30_000));
        assert_eq!(says(&world, "ada", &long).await.1, [""]);
        assert_eq!(world.github.pull_request("acme/api", number).unwrap().state, "open");
        // The bot's own words are none of its orders.
        let (_, answer) = says(&world, "ada", "/mass-driver help").await;
        assert!(answer.len() == 2 && answer[1].contains("| `/mass-driver rebase` |"), "{answer:?}");
    }

    async fn a_command_is_obeyed_once_however_often_it_is_told_of(world: World) {
        api(&world).await;
        let number = world.pull("acme/api").number;
        world.github.comment("acme/api", number, "ada", "/mass-driver why").unwrap();
        world.settle().await;
        let answers = || world.github.pull_request("acme/api", number).unwrap().comments.len();
        assert_eq!(answers(), 2);
        let told = world.github.webhook_posts().into_iter().rfind(|post| post.event == "issue_comment").unwrap();
        world.github.deliver_raw("issue_comment", told.body).await;
        world.settle().await;
        assert_eq!(answers(), 2);
    }

    async fn one_of_several_is_left_out(world: World) {
        for package in ["httpx", "rich"] {
            world.registry.release(package, "1.0.0");
            world.registry.release(package, "1.1.0");
        }
        world.repository("acme/api", &[
            ("requirements.txt", "httpx==1.0.0\nrich==1.0.0\n"),
            (".mass-driver.yaml", "subscriptions:\n  - migration: pypi\n    group: all\n"),
        ]).await;
        world.github.set_role("acme/api", "ada", Role::Admin).unwrap();
        let (_, answer) = says(&world, "ada", "/mass-driver ignore this dependency of rich").await;
        assert_eq!(answer[0], "+1");
        assert_eq!(world.open("acme/api"), ["Bump httpx from 1.0.0 to 1.1.0"]);
        assert_eq!(world.proposals("acme/api", ProposalState::Open).await.len(), 1);
        let (number, answer) = says(&world, "ada", "/mass-driver ignore this dependency of flask").await;
        assert!(answer[1].contains("there is no `flask` in this pull request, but `httpx`"), "{answer:?}");
        assert_eq!(world.github.pull_request("acme/api", number).unwrap().state, "open");
    }

    async fn what_people_committed_to_is_not_said_to_be_closed(world: World) {
        const STAYS: &str = "This pull request stays open, because people have committed to it; mass-driver leaves it to you.";
        api(&world).await;
        somebody_commits(&world, "src/fix.py", "fixed = True\n").await;
        let (number, answer) = says(&world, "ada", "/mass-driver snooze 2d").await;
        assert!(answer[1].contains(STAYS) && !answer[1].contains("closed"), "{answer:?}");
        assert_eq!((answer.len(), world.pull("acme/api").number), (2, number));
        let (_, answer) = says(&world, "ada", "/mass-driver rebase").await;
        assert!(answer[1].starts_with("`rebase`: mass-driver has let go of this pull request ("), "{answer:?}");
    }

    async fn what_stands_on_peoples_commits_is_not_said_to_be_closed(world: World) {
        api(&world).await;
        somebody_commits(&world, "src/fix.py", "fixed = True\n").await;
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        let (number, answer) = says(&world, "ada", "/mass-driver ignore this dependency").await;
        assert!(answer[1].contains("stays open, because people have committed to it"), "{answer:?}");
        assert_eq!((answer.len(), world.pull("acme/api").number), (2, number));
    }

    async fn a_command_is_about_the_version_that_the_person_saw(world: World) {
        api(&world).await;
        world.registry.release("httpx", "0.28.1");
        let number = world.pull("acme/api").number;
        world.github.comment("acme/api", number, "ada", "/mass-driver ignore this version").unwrap();
        world.clock_moves(SignedDuration::from_mins(11));
        world.work().await;
        assert_eq!(world.pull("acme/api").title, "Bump httpx from 0.27.0 to 0.28.1");
        world.settle().await;
        let comments = world.github.pull_request("acme/api", number).unwrap().comments;
        let both = "`httpx` `0.28.0`, `httpx` `0.28.1` will not be proposed again. This pull request is closed.";
        assert!(comments.iter().any(|comment| comment.body.starts_with(both)), "{comments:?}");
        world.registry.release("httpx", "0.28.2");
        world.bot_looks().await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.2"]);
    }

    async fn a_scope_goes_around_the_version_that_the_person_saw(world: World) {
        api(&world).await;
        world.registry.release("httpx", "0.29.0");
        let number = world.pull("acme/api").number;
        world.github.comment("acme/api", number, "ada", "/mass-driver ignore this minor").unwrap();
        world.clock_moves(SignedDuration::from_mins(11));
        world.work().await;
        world.settle().await;
        let comments = world.github.pull_request("acme/api", number).unwrap().comments;
        assert!(comments.iter().any(|comment| comment.body.starts_with("`httpx` `0.28.0`, and every version")), "{comments:?}");
        assert!(world.open("acme/api").contains(&"Bump httpx from 0.27.0 to 0.29.0".to_owned()));
    }
}

stories! {
    async fn what_was_decided_before_counts_as_well(world: World) {
        for package in ["httpx", "rich"] {
            world.registry.release(package, "1.0.0");
            world.registry.release(package, "1.1.0");
        }
        let file = "subscriptions:\n  - migration: pypi\n    group: all\n";
        world.repository("acme/api", &[("requirements.txt", "httpx==1.0.0\nrich==1.0.0\n"), (".mass-driver.yaml", file)]).await;
        world.github.set_role("acme/api", "ada", Role::Write).unwrap();
        let number = world.pull("acme/api").number;
        for name in ["httpx", "rich"] {
            let comment = format!("/mass-driver ignore this version of {name}");
            world.github.comment("acme/api", number, "ada", &comment).unwrap();
        }
        world.settle().await;
        let pull = world.github.pull_request("acme/api", number).unwrap();
        let last = &pull.comments.last().unwrap().body;
        assert!(last.contains("This pull request is closed.") && pull.state == "closed", "{last}");
    }

    async fn commands_of_a_comment_are_obeyed_in_their_order(world: World) {
        api(&world).await;
        let (number, answer) = says(&world, "ada", "/mass-driver ignore this major\n/mass-driver unignore").await;
        assert!(answer[1].ends_with("What was decided about `httpx` is forgotten, and this pull request goes on after all."), "{answer:?}");
        assert_eq!(world.pull("acme/api").number, number);
        let (number, _) = says(&world, "ada", "/mass-driver snooze 2d\n/mass-driver unignore\n/mass-driver ignore this version").await;
        assert_eq!(world.github.pull_request("acme/api", number).unwrap().state, "closed");
        assert!(world.open("acme/api").is_empty());
    }

    async fn what_was_put_off_keeps_to_its_slot_although_it_was_planned_before(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        let file = (".mass-driver.yaml", "delay: weekly\nsubscriptions: [pypi]\n");
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), file]).await;
        world.github.set_role("acme/api", "ada", Role::Write).unwrap();
        world.time_comes("2026-03-09T06:00:00Z").await;
        says(&world, "ada", "/mass-driver snooze 2d").await;
        world.time_comes("2026-03-11T12:00:00Z").await;
        world.push("acme/api", &[("requirements.txt", "# a comment\nhttpx==0.27.0\n")]).await;
        assert!(world.open("acme/api").is_empty());
        assert!(world.outlook("acme/api").await[0].reason.starts_with("waits for Monday 2026-03-16 06:00"));
        world.time_comes("2026-03-16T05:59:00Z").await;
        assert!(world.open("acme/api").is_empty());
        world.time_comes("2026-03-16T06:00:00Z").await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    async fn bad_input_25_answers_about_very_much_fit_into_a_comment(world: World) {
        let names: Vec<String> = (0..60).map(|n| format!("package-{n:03}-{}", "x".repeat(80))).collect();
        let mut pins = String::new();
        for name in &names {
            world.registry.release(name, "1.0.0");
            world.registry.release(name, "1.1.0");
            pins.push_str(&format!("{name}==1.0.0\n"));
        }
        let file = "subscriptions:\n  - migration: pypi\n    group: all\n";
        world.repository("acme/api", &[("requirements.txt", &pins), (".mass-driver.yaml", file)]).await;
        world.github.set_role("acme/api", "ada", Role::Write).unwrap();
        let (_, answer) = says(&world, "ada", &"/mass-driver why\n".repeat(10)).await;
        assert!(answer[1].ends_with(" more answers, for which there is no room."), "{}", answer[1]);
        assert!(answer[1].contains("… and ") && answer[1].chars().count() <= 60_100, "{}", answer[1].len());
        let (_, answer) = says(&world, "ada", "/mass-driver ignore this version").await;
        assert!(answer[1].contains(" and 10 more will not be proposed again. This pull request is closed."), "{answer:?}");
    }

    async fn what_cannot_be_reacted_to_is_answered_all_the_same(world: World) {
        api(&world).await;
        let refused = FaultKind::Status { status: 403, message: "Resource not accessible by integration".into() };
        world.github.fault(Fault::once("POST", "/repos/*/*/issues/comments/*/reactions", refused));
        let (_, answer) = says(&world, "ada", "/mass-driver help").await;
        assert!(answer[0].is_empty() && answer[1].contains("/mass-driver rebase"), "{answer:?}");
        let refused = FaultKind::Status { status: 422, message: "Validation Failed".into() };
        world.github.fault(Fault::once("POST", "/repos/*/*/issues/*/comments", refused));
        let (_, answer) = says(&world, "ada", "/mass-driver help").await;
        assert_eq!(answer, ["+1"], "and nothing is parked");
    }

    async fn words_of_people_stay_in_their_code_spans(world: World) {
        api(&world).await;
        let (_, answer) = says(&world, "ada", "/mass-driver ignore this dependency of x\\`@octocat").await;
        assert_eq!(
            answer[1],
            "`` ignore this dependency of x`@octocat ``: there is no `` x`@octocat `` in this pull request, but `httpx`."
        );
        let (_, answer) = says(&world, "ada", "/mass-driver reb\u{202e}\u{200b}sae").await;
        assert_eq!(answer[1], "`rebsae` was not understood: there is no such command; `/mass-driver help` lists all commands.");
    }

    async fn what_was_not_understood_is_said(world: World) {
        api(&world).await;
        let (_, answer) = says(&world, "ada", "/mass-driver rebsae\n/mass-driver snooze until yesterday").await;
        assert_eq!(answer[0], "confused");
        insta::assert_snapshot!("not_understood", answer[1]);
    }

    async fn why_tells_how_everything_stands(world: World) {
        api(&world).await;
        let (_, answer) = says(&world, "ada", "/mass-driver why").await;
        assert_eq!(answer[1], answer[1].trim_end(), "GitHub drops what would not be found again");
        insta::assert_snapshot!("why", answer[1]);
    }
}
