//! Branches and pull requests: whose they are, and what they carry.

use crate::world::{FORGE, Told, World, count_to, migration, refs, ssh};
use github_sim::FileChangeInput;
use serde_json::Value;

#[test]
fn the_branch_of_somebody_else_is_left_alone() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    let theirs = world.commit("api", "count", ("counter.txt", "5\n"), "By hand");
    world.write("count.yaml", &count_to(1));
    let told = world.drive("count.yaml", &refs(&repositories), &[]).expect(1);
    assert_eq!(told.ends(), ["failed"]);
    let why = told.json()["repositories"][0]["reason"].as_str().unwrap().to_owned();
    assert!(why.contains("the branch count is there already") && why.contains("left alone"), "{why}");
    assert!(why.contains(&theirs[..12]) && why.contains("head_branch"), "{why}");
    assert_eq!(world.github.head("acme/api", "count").unwrap().unwrap(), theirs);
    assert!(world.pulls("api").is_empty());
    world.the_end();
}

#[test]
fn commits_that_somebody_added_to_our_branch_are_not_thrown_away() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    world.write("count.yaml", &count_to(1));
    world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    let change = [FileChangeInput::put("README.md", "by hand\n")];
    let theirs = world.github.push_as("dana", "acme/api", "count", &change, "By hand").unwrap();
    world.write("count.yaml", &count_to(2));
    assert_eq!(world.drive("count.yaml", &refs(&repositories), &[]).expect(1).ends(), ["failed"]);
    assert_eq!(world.github.head("acme/api", "count").unwrap().unwrap(), theirs);
    assert_eq!(world.pulls("api")[0].title, "Count to 1");
    world.the_end();
}

/// As when the store was lost: whoever made it, it is the very change.
#[test]
fn a_branch_that_holds_this_very_change_is_taken_over_without_a_store() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    world.write("count.yaml", &count_to(1));
    world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    for name in ["mass-driver.db", "mass-driver.db-wal", "mass-driver.db-shm"] {
        drop(std::fs::remove_file(world.work().join(name)));
    }
    let told = world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    assert_eq!(told.ends(), ["pull_request_unchanged"], "{told:?}");
    assert_eq!((world.pulls("api").len(), world.commits("api", "count").len()), (1, 1));
    world.the_end();
}

#[test]
fn a_pull_request_that_is_open_is_adopted_and_brought_up_to_date() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    let forge = "forge:\n  forge_name: github\n  pr_title: First\n  pr_body: One\n";
    world.write("count.yaml", &format!("{}{forge}", migration(1)));
    world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    let forge = "forge:\n  forge_name: github\n  pr_title: Second\n  pr_body: Two\n";
    world.write("count.yaml", &format!("{}{forge}", migration(1)));
    let told = world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    assert_eq!(told.ends(), ["pull_request_unchanged"], "its branch is: {told:?}");
    let pulls = world.pulls("api");
    assert_eq!((pulls.len(), pulls[0].title.as_str(), pulls[0].body.as_str()), (1, "Second", "Two"));
    world.the_end();
}

#[test]
fn a_pull_request_carries_labels_reviewers_assignees_and_is_a_draft() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    world.github.person("robin");
    world.github.set_role("acme/api", "robin", github_sim::Role::Write).unwrap();
    world.github.team("acme", "platform").unwrap();
    let more = "  draft_pr: true\n  base_branch: main\n  head_branch: count-up\n  labels: [chore, numbers]\n  \
                reviewers: [robin, acme/platform]\n  assignees: [dana]\n";
    world.write("count.yaml", &format!("{}{FORGE}{more}", migration(1)));
    let told = world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    assert_eq!(told.json()["repositories"][0]["reason"], Value::Null, "{told:?}");
    let pull = &world.pulls("api")[0];
    assert_eq!((pull.draft, pull.head_branch.as_str(), pull.base.as_str()), (true, "count-up", "main"));
    assert_eq!((pull.labels.as_slice(), pull.author.as_str()), (&["chore".to_owned(), "numbers".into()][..], "dana"));
    assert_eq!((&pull.reviewers[..], &pull.teams[..]), (&["robin".to_owned()][..], &["platform".to_owned()][..]));
    assert_eq!((&pull.assignees[..], &pull.files[..]), (&["dana".to_owned()][..], &["counter.txt".to_owned()][..]));
    world.the_end();
}

#[test]
fn what_github_refuses_of_a_pull_requests_dress_is_told_and_the_request_is_open() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    world.github.without_drafts("acme/api").unwrap();
    world.write("count.yaml", &format!("{}  draft_pr: true\n  reviewers: [nobody-here]\n", count_to(1)));
    let told = world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    assert_eq!(told.ends(), ["pull_request_opened"]);
    let why = told.json()["repositories"][0]["reason"].as_str().unwrap().to_owned();
    assert!(why.contains("it is no draft") && why.contains("its reviewers could not be set"), "{why}");
    world.the_end();
}

#[test]
fn what_was_merged_is_already_patched() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    world.write("count.yaml", &count_to(1));
    world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    world.github.merge("acme/api", 1).unwrap();
    let told = world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    assert_eq!(told.ends(), ["already_patched"]);
    assert_eq!(world.pulls("api").len(), 1);
    world.the_end();
}

#[test]
fn a_forge_without_a_push_takes_a_branch_that_is_there_and_says_where_there_is_none() {
    let world = World::new();
    world.counters(&["api", "web"]);
    world.commit("api", "by-hand", ("counter.txt", "5\n"), "By hand");
    let forge = "  head_branch: by-hand\n  pr_title: A number\n  git_push_first: false\n";
    world.write("open.yaml", &format!("{FORGE}{forge}"));
    let told = world.drive("open.yaml", &[&ssh("api"), &ssh("web")], &[]).expect(1);
    assert_eq!(told.ends(), ["pull_request_opened", "failed"]);
    assert!(told.out.contains("acme/web has no branch by-hand on GitHub"), "{}", told.out);
    assert_eq!(world.pulls("api")[0].title, "A number");
    world.the_end();
}

#[test]
fn a_forge_alone_opens_what_a_migration_made_before() {
    let world = World::new();
    world.counters(&["api", "web"]);
    world.write("count.yaml", &migration(1));
    world.drive("count.yaml", &[&ssh("api")], &[]).expect(0);
    world.write("open.yaml", &format!("{FORGE}  head_branch: count-up\n  pr_title: A number\n"));
    let told = world.drive("open.yaml", &[&ssh("api"), &ssh("web")], &[]).expect(1);
    assert_eq!(told.ends(), ["pull_request_opened", "failed"]);
    assert!(told.out.contains("no run has made a change here that could be pushed as count-up"), "{}", told.out);
    assert_eq!(world.file("api", "count-up", "counter.txt").unwrap(), "1\n");
    world.the_end();
}

#[test]
fn two_names_of_a_branch_are_the_clones_and_githubs() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    world.write("count.yaml", &format!("{}  head_branch: another\n", count_to(1)));
    assert_eq!(world.drive("count.yaml", &refs(&repositories), &[]).expect(0).ends(), ["pull_request_opened"]);
    assert_eq!(world.pulls("api")[0].head_branch, "another");
    assert_eq!(world.github.head("acme/api", "count").unwrap(), None);
    world.write("count.yaml", &format!("{}  head_branch: main\n", count_to(2)));
    let told = world.drive("count.yaml", &refs(&repositories), &[]).expect(1);
    assert_eq!(told.ends(), ["failed"]);
    assert_eq!(world.file("api", "main", "counter.txt").unwrap(), "0\n", "the base branch is never pushed to");
    world.the_end();
}

#[test]
fn an_app_opens_pull_requests_with_a_token_for_each_repository() {
    let world = World::new();
    world.counters(&["api", "web"]);
    world.github.install("acme").unwrap();
    let app = world.github.app();
    let addresses = ["api", "web"].map(|name| format!("{}/acme/{name}.git", world.github.url()));
    world.write("count.yaml", &format!("{}forge:\n  forge_name: github-app\n", migration(1)));
    let mut command = world.command(&["run", "count.yaml", "--format", "json", "--repo-path"]);
    command.args(&addresses).env_remove("FORGE_TOKEN").env("GIT_CONFIG_GLOBAL", "/dev/null");
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Dana").env(format!("GIT_{role}_EMAIL"), "dana@example.com");
    }
    command.env("GITHUB_APP_ID", app.app_id.to_string()).env("GITHUB_APP_PRIVATE_KEY", app.private_key_pem);
    let told = Told::of(command.output().unwrap()).expect(0);
    assert_eq!(told.ends(), ["pull_request_opened"; 2], "{told:?}");
    assert_eq!(world.pulls("api")[0].author, world.github.bot_login());
    world.the_end();
}
