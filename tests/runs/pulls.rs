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
}

/// As when the store was lost: whoever made it, it is the very change.
#[test]
fn a_branch_that_holds_this_very_change_is_taken_over_without_a_store() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    world.write("count.yaml", &count_to(1));
    world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    std::fs::remove_dir_all(world.runs_file().parent().unwrap()).unwrap();
    let told = world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    assert_eq!(told.ends(), ["pull_request_unchanged"], "{told:?}");
    assert_eq!((world.pulls("api").len(), world.commits("api", "count").len()), (1, 1));
}

#[test]
fn a_pull_request_gets_new_words_with_a_new_change_alone() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    let forge = "forge:\n  forge_name: github\n  pr_title: First\n  pr_body: One\n";
    world.write("count.yaml", &format!("{}{forge}", migration(1)));
    world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    let forge = "forge:\n  forge_name: github\n  pr_title: Second\n  pr_body: Two\n";
    world.write("count.yaml", &format!("{}{forge}", migration(1)));
    world.github.retitle("acme/api", 1, "By hand").unwrap();
    let told = world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    assert_eq!(told.ends(), ["pull_request_unchanged"]);
    let words = || world.pulls("api").into_iter().map(|pull| (pull.title, pull.body)).collect::<Vec<_>>();
    assert_eq!(words(), [("By hand".to_owned(), "One".to_owned())]);
    world.write("count.yaml", &format!("{}{forge}", migration(2)));
    let told = world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    assert_eq!(told.ends(), ["pull_request_updated"]);
    assert_eq!(words(), [("Second".to_owned(), "Two".to_owned())]);
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
}

#[test]
fn what_github_refuses_of_a_pull_requests_dress_is_told_and_the_request_is_open() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    world.github.without_drafts("acme/api").unwrap();
    world.github.person("robin");
    world.github.set_role("acme/api", "robin", github_sim::Role::Write).unwrap();
    let more = "  draft_pr: true\n  reviewers: [nobody-here, robin]\n  assignees: [stranger, Dana]\n";
    world.write("count.yaml", &format!("{}{more}", count_to(1)));
    let told = world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    assert_eq!(told.ends(), ["pull_request_opened"]);
    let why = told.json()["repositories"][0]["reason"].as_str().unwrap().to_owned();
    assert!(why.contains("it is no draft") && why.contains("its reviewer nobody-here could not be set"), "{why}");
    assert!(why.contains("its assignees stranger could not be set") && !why.contains("robin"), "{why}");
    let pull = &world.pulls("api")[0];
    assert_eq!((&pull.reviewers[..], &pull.assignees[..]), (&["robin".to_owned()][..], &["dana".to_owned()][..]));
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
    assert!(
        told.out.contains(
            "acme/web has no branch count-up on GitHub, and no run has left a change here that is still to be sent"
        ),
        "{}",
        told.out
    );
    assert_eq!(world.file("api", "count-up", "counter.txt").unwrap(), "1\n");
}

/// The branch is there, with a former change; the newer one is gone with its clone.
#[test]
fn a_forge_alone_that_finds_no_clone_claims_nothing() {
    let world = World::new();
    world.counters(&["api"]);
    world.write("open.yaml", &format!("{FORGE}  head_branch: count\n  pr_title: A number\n"));
    for count in [1, 2] {
        world.write("count.yaml", &migration(count));
        world.drive("count.yaml", &[&ssh("api")], &[]).expect(0);
        if count == 2 {
            std::fs::remove_dir_all(world.home().join(".cache")).unwrap();
        }
        let told = world.drive("open.yaml", &[&ssh("api")], &[]);
        assert_eq!(told.code, i32::from(count == 2), "{told:?}");
        assert!(count == 1 || told.out.contains("is not in the cache any more"), "{told:?}");
    }
    assert_eq!(world.file("api", "count", "counter.txt").unwrap(), "1\n");
}

/// It is there: whatever became of the clone, the pull request is found.
#[test]
fn a_forge_alone_needs_no_clone_for_what_is_on_github() {
    let world = World::new();
    world.counters(&["api"]);
    world.write("count.yaml", &count_to(1));
    // The second time the branch stays as it is, beside another commit with the same change.
    for _ in 0..2 {
        world.drive("count.yaml", &[&ssh("api")], &[]).expect(0);
    }
    world.write("open.yaml", &format!("{FORGE}  head_branch: count\n  pr_title: A number\n"));
    let told = world.drive("open.yaml", &[&ssh("api")], &["--no-cache"]).expect(0);
    assert_eq!(
        (told.ends(), world.pulls("api")[0].title.as_str()),
        (vec!["pull_request_unchanged".to_owned()], "Count to 1")
    );
}

/// The name is somebody else's; the change is still to be sent, under another.
#[test]
fn a_push_that_was_refused_takes_no_change_away() {
    let world = World::new();
    world.counters(&["api"]);
    world.commit("api", "taken", ("other.txt", "x\n"), "By hand");
    for count in [1, 2] {
        world.write("count.yaml", &migration(count));
        world.drive("count.yaml", &[&ssh("api")], &[]).expect(0);
    }
    for (branch, code) in [("taken", 1), ("free", 0)] {
        world.write("open.yaml", &format!("{FORGE}  head_branch: {branch}\n  pr_title: A number\n"));
        world.drive("open.yaml", &[&ssh("api")], &[]).expect(code);
    }
    assert_eq!(world.file("api", "free", "counter.txt").unwrap(), "2\n");
}

/// Another file that makes the same change finds it there, and does not own it for that.
#[test]
fn what_only_stays_is_not_taken_over() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    world.write("count.yaml", &count_to(1));
    world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    // The very commit, from its clone; and the same change, made again.
    world.write("copy.yaml", &format!("{FORGE}  head_branch: count\n  pr_title: Count to 1\n"));
    assert_eq!(world.drive("copy.yaml", &refs(&repositories), &[]).expect(0).ends(), ["pull_request_unchanged"]);
    world.write("copy.yaml", &count_to(1));
    assert_eq!(world.drive("copy.yaml", &refs(&repositories), &[]).expect(0).ends(), ["pull_request_unchanged"]);
    world.write("copy.yaml", &count_to(2));
    world.drive("copy.yaml", &refs(&repositories), &[]).expect(1);
    assert_eq!(world.file("api", "count", "counter.txt").unwrap(), "1\n");
    world.write("count.yaml", &count_to(3));
    assert_eq!(world.drive("count.yaml", &refs(&repositories), &[]).expect(0).ends(), ["pull_request_updated"]);
}

/// What was made for another branch, and went there, is not taken for it; nor is what a dry run made.
#[test]
fn a_forge_alone_takes_the_change_that_was_made_for_it() {
    let world = World::new();
    world.counters(&["api", "web"]);
    let named = |branch: &str, text: String| text.replace("branch_name: count", &format!("branch_name: {branch}"));
    world.write("team.yaml", &named("team", migration(1)));
    world.drive("team.yaml", &[&ssh("api")], &[]).expect(0);
    world.write("other.yaml", &named("other", count_to(2)));
    world.drive("other.yaml", &[&ssh("api")], &[]).expect(0);
    world.drive("other.yaml", &[&ssh("web")], &["--dry-run"]).expect(0);
    world.write("open.yaml", &format!("{FORGE}  head_branch: team\n  pr_title: Team\n"));
    let told = world.drive("open.yaml", &[&ssh("api"), &ssh("web")], &[]).expect(1);
    assert_eq!(told.ends(), ["pull_request_opened", "failed"]);
    assert_eq!(world.file("api", "team", "counter.txt").unwrap(), "1\n");
    // A branch that is on GitHub needs no change of ours.
    world.commit("web", "team", ("counter.txt", "5\n"), "By hand");
    let told = world.drive("open.yaml", &[&ssh("web")], &[]).expect(0);
    assert_eq!(told.ends(), ["pull_request_opened"]);
    assert_eq!(world.file("web", "team", "counter.txt").unwrap(), "5\n");
}

/// Without a `branch_name` both would be `counter`.
#[test]
fn the_branch_of_another_activity_is_left_alone() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    for count in [1, 2] {
        world.write(&format!("count-{count}.yaml"), &count_to(count).replace("  branch_name: count\n", ""));
    }
    world.drive("count-1.yaml", &refs(&repositories), &[]).expect(0);
    let told = world.drive("count-2.yaml", &refs(&repositories), &[]).expect(1);
    let why = told.json()["repositories"][0]["reason"].as_str().unwrap().to_owned();
    assert!(why.contains("which run 1 of ") && why.contains("count-1.yaml pushed: it is left alone"), "{why}");
    assert_eq!((world.file("api", "counter", "counter.txt").unwrap().as_str(), world.pulls("api").len()), ("1\n", 1));
    // The same repository under another address is the same.
    let https = format!("{}/acme/api", world.github.url());
    world.write("count-1.yaml", &count_to(3).replace("  branch_name: count\n", ""));
    assert_eq!(world.drive("count-1.yaml", &[&https], &[]).expect(0).ends(), ["pull_request_updated"]);
}

/// What is named by two addresses is taken once; what a table names twice with other data cannot be pushed as one branch.
#[test]
fn two_rows_that_would_push_one_branch_are_refused_before_anything_is_cloned() {
    let world = World::new();
    world.counters(&["api"]);
    let again = "ssh://git@github.com/Acme/api/";
    world.write("count.yaml", &count_to(1));
    let told = world.drive("count.yaml", &[&ssh("api"), again], &[]).expect(0);
    assert_eq!(told.ends(), ["pull_request_opened"]);
    told.notes(&["1 repository is named again by another address, and taken once"]);
    world.write("repos.csv", &format!("repo_id,clone_url,owner\ncore,{},jo\nfront,{again},al\n", ssh("api")));
    let source = "source:\n  source_name: csv-filelist\n  source_config: { csv_file: repos.csv }\n";
    world.write("other.yaml", &format!("{source}{}", count_to(2)));
    let told = world.drive("other.yaml", &[], &[]).expect(2);
    told.notes(&["`core` and `front` are one repository", "pushed as count"]);
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
}

/// A command that clones as nobody but whom the environment names.
fn nobody(world: &World, arguments: &[&str]) -> std::process::Command {
    let mut command = world.command(arguments);
    command.env_remove("FORGE_TOKEN").env("GIT_CONFIG_GLOBAL", "/dev/null");
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Dana").env(format!("GIT_{role}_EMAIL"), "dana@example.com");
    }
    command
}

#[test]
fn an_app_opens_pull_requests_with_a_token_for_each_repository() {
    let world = World::new();
    world.counters(&["api", "web"]);
    world.github.install("acme").unwrap();
    let app = world.github.app();
    let addresses = ["api", "web"].map(|name| format!("{}/acme/{name}.git", world.github.url()));
    world.write("count.yaml", &format!("{}forge:\n  forge_name: github-app\n", migration(1)));
    let as_app = |more: &[&str]| {
        let mut command = nobody(&world, &["run", "count.yaml", "--format", "json"]);
        command.args(more).arg("--repo-path").args(&addresses);
        command.env("GITHUB_APP_ID", app.app_id.to_string()).env("GITHUB_APP_PRIVATE_KEY", &app.private_key_pem);
        Told::of(command.output().unwrap()).expect(0).ends()
    };
    assert_eq!(as_app(&["--dry-run"]), ["patched"; 2]);
    assert_eq!(["api", "web"].map(|name| world.github.branches(&format!("acme/{name}")).unwrap().len()), [1, 1]);
    assert_eq!(as_app(&[]), ["pull_request_opened"; 2]);
    assert_eq!(world.pulls("api")[0].author, world.github.bot_login());
}

#[test]
fn what_a_source_finds_is_cloned_with_the_token_of_the_source() {
    let world = World::new();
    world.counters(&["api"]);
    let installation = world.github.install("acme").unwrap();
    let scan = |source: &str, variables: &[(&str, &str)]| {
        world.write("scan.yaml", &format!("source:\n{source}scan:\n  scanner_names: [root-files]\n"));
        let mut command = nobody(&world, &["scan", "scan.yaml", "--format", "json", "--no-cache", "--refresh"]);
        Told::of(command.envs(variables.iter().copied()).output().unwrap()).expect(0).json()
    };
    let person = "  source_name: github-search\n  source_config: { search_query: 'org:acme', clone_with: https }\n";
    assert_eq!(scan(person, &[("SOURCE_TOKEN", &world.token)]).as_array().unwrap().len(), 1);
    let app = world.github.app();
    let id = app.app_id.to_string();
    let key = [("SOURCE_APP_ID", id.as_str()), ("SOURCE_APP_PRIVATE_KEY", &app.private_key_pem)];
    let as_app = format!(
        "  source_name: github-app-search\n  source_config: {{ search_query: 'org:acme', app_installation_id: {installation} }}\n"
    );
    assert_eq!(scan(&as_app, &key).as_array().unwrap().len(), 1);
}
