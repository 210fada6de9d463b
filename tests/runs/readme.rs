//! The examples of the Python tool's README, as they are written there: its files and its command lines.
//!
//! `scripts/python-tool` fetches that README; nothing of it is kept here. What its reader has to bring along, a driver of
//! their own, a token and repositories, is here.

use crate::world::{FORGE, Told, World, checkout, git};
use github_sim::{RepoOptions, Role};

const OWNER: &str = "OverkillGuy";

/// The driver that the README assumes somebody has written.
const DRIVER: &str = r#"exec python3 -c '
import json, pathlib, re, sys
request = json.load(sys.stdin)
config = request["config"]
file = pathlib.Path(config["filename"])
if not file.exists():
    print(json.dumps({"version": 1, "outcome": "does_not_apply", "details": "there is no " + str(file)}))
    sys.exit()
before = file.read_text()
after = re.sub("(?m)^team:.*$", "team: " + config["team_name"], before)
file.write_text(after)
print(json.dumps({"version": 1, "outcome": "already_patched" if after == before else "patched"}))
'"#;

/// The blocks of code of the README in a language, in order.
fn blocks(language: &str) -> Vec<String> {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python-tool/README.md");
    let text = std::fs::read_to_string(&file);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}; run `make python-tool`", file.display()));
    let mut blocks = Vec::new();
    let mut open: Option<(bool, String)> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(name), None) => open = Some((name.trim() == language, String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take().filter(|(wanted, _)| *wanted).map(|(_, block)| block)),
            (None, Some((_, block))) => *block += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    blocks
}

/// The only block that holds all of some words.
#[track_caller]
fn block(language: &str, words: &[&str]) -> String {
    let mut found = blocks(language);
    found.retain(|block| words.iter().all(|word| block.contains(word)));
    assert_eq!(found.len(), 1, "{words:?} in {found:?}");
    found.remove(0)
}

/// What the reader of the README has: repositories, a driver, and the files that they were told to write.
fn reader() -> World {
    let world = World::new();
    world.github.person(OWNER);
    for name in ["sphinx-needs-test", "speeders", "mass-driver", "mass-driver-plugins"] {
        let name = format!("{OWNER}/{name}");
        let files =
            RepoOptions::default().file("catalog.yaml", "team: Team XYZ\n").file("Dockerfile", "FROM scratch\n");
        world.github.create_repo(&name, files).unwrap();
        world.github.set_role(&name, "dana", Role::Write).unwrap();
    }
    world.install("mass-driver-driver-teamname-changer", DRIVER);
    world.write("fix_teamname.toml", &block("toml", &["Saved as \"fix_teamname.toml\""]));
    world.write("fix_teamname_forge.toml", &block("toml", &["made up of just a forge"]));
    world.write("combined.toml", &block("toml", &["first a Migration, then a Forge"]));
    world.write("activity.toml", &block("toml", &["repo-list"]));
    world.write("scan.toml", &block("toml", &["scanner_names"]));
    world
}

/// Does what a block says, with the reader's own token where it names one.
#[track_caller]
fn follow(world: &World, block: &str) -> Told {
    let block = block.replace("ghp_supersecrettoken", &world.token);
    Told::of(world.shell(&block).output().unwrap()).expect(0)
}

fn listed(world: &World) -> Told {
    follow(world, &block("shell", &["<<EOF > repos.txt"]))
}

fn pulls(world: &World, name: &str) -> Vec<github_sim::PullRequestView> {
    world.github.pull_requests(&format!("{OWNER}/{name}")).unwrap()
}

#[test]
fn a_migration_alone_changes_a_local_repository_without_touching_it() {
    let world = reader();
    let folder = world.home().join("workspace/my-repo");
    checkout(&folder, &[("catalog.yaml", "team: Team XYZ\n")]);
    let before = git(&folder, &["for-each-ref"]);
    follow(&world, &block("shell", &["~/workspace/my-repo"])).shows(&["1  100.0 %  patched, in the clone alone"]);
    assert_eq!(git(&folder, &["for-each-ref"]), before);
    world.run(&["runs", "diff", "1"]).expect(0).shows(&["-team: Team XYZ\n+team: Core Team\n"]);
}

#[test]
fn a_migration_alone_changes_what_is_cloned_from_an_address_and_the_repositories_of_a_list() {
    let world = reader();
    let told = follow(&world, &block("shell", &["--repo-path 'git@github.com:"]));
    told.shows(&["1  100.0 %  patched, in the clone alone"]);
    listed(&world).shows(&["2  100.0 %  patched, in the clone alone"]);
    let made = world.run(&["runs", "show", "2", "--format", "json"]).json();
    for one in made["repositories"].as_array().unwrap() {
        assert_eq!(one["branch"], "fix-team-name");
        let clone = one["clone"].as_str().unwrap();
        let log = git(clone.as_ref(), &["log", "--format=%an <%ae> %s", "main..fix-team-name"]);
        assert_eq!(log.trim(), "John Smith <smith@example.com> Change team name", "a branch with a single commit");
    }
    assert_eq!(world.github.writes(), 0, "no forge, no pull requests");
}

#[test]
fn a_forge_alone_sends_what_the_migration_made() {
    let world = reader();
    listed(&world);
    let told = follow(&world, &block("shell", &["fix_teamname_forge.toml"]));
    told.shows(&["2  100.0 %  pull request opened", &format!("{OWNER}/speeders/pull/1")]);
    for name in ["sphinx-needs-test", "speeders"] {
        let pulls = pulls(&world, name);
        assert_eq!((pulls.len(), pulls[0].draft, pulls[0].base.as_str()), (1, true, "main"));
        assert_eq!(
            (pulls[0].head_branch.as_str(), &pulls[0].files[..]),
            ("fix-teamname", &["catalog.yaml".into()][..])
        );
        assert!(pulls[0].title.starts_with("[JIRA-123]") && pulls[0].body.contains("Change team name"));
    }
}

#[test]
fn a_migration_and_a_forge_in_one_file_do_both_and_once() {
    let world = reader();
    listed(&world);
    for end in ["pull request opened", "pull request open already, with this change"] {
        world
            .run(&["run", "combined.toml", "--repo-filelist", "repos.txt"])
            .expect(0)
            .shows(&[&format!("100.0 %  {end}")]);
        assert_eq!(["sphinx-needs-test", "speeders"].map(|name| pulls(&world, name).len()), [1, 1]);
    }
}

#[test]
fn a_source_says_which_repositories() {
    let world = reader();
    let run = block("shell", &["mass-driver run activity.toml"]);
    follow(&world, &run).shows(&["2 repositories:"]);
    let both = world.read("activity.toml") + &world.read("combined.toml");
    world.write("activity.toml", &both);
    follow(&world, &run).shows(&["2  100.0 %  pull request opened", &format!("{OWNER}/mass-driver-plugins/pull/1")]);
}

/// A key of the source may come from the environment.
#[test]
fn a_key_of_the_source_comes_from_a_variable() {
    let world = reader();
    let repositories = format!("[\"git@github.com:{OWNER}/speeders.git\"]");
    let source = "source:\n  source_name: repo-list\n";
    let migration =
        "migration:\n  commit_message: x\n  driver_name: deleter\n  driver_config: { deletion_target: Dockerfile }\n";
    world.write("delete.yaml", &format!("{source}{migration}{FORGE}"));
    let told = world.command(&["run", "delete.yaml"]).env("SOURCE_REPOS", repositories).output().unwrap();
    Told::of(told).expect(0).shows(&["1  100.0 %  pull request opened"]);
}

#[test]
fn scanners_tell_what_they_find() {
    let world = reader();
    listed(&world);
    let told = follow(&world, &block("shell", &["mass-driver run scan.toml"]));
    told.shows(&["root-files", "dockerfile-from", "dockerfile: true", "FROM scratch", "2  100.0 %  read"]);
}

#[test]
fn what_there_is_is_listed_and_told_of() {
    let world = reader();
    let drivers = block("none", &["mass-driver drivers --list"]);
    follow(&world, &drivers).shows(&["counter", "teamname-changer", "target_count", "the number it is to hold"]);
    // The README takes a driver for a forge here; that there is none of that name is told with those that there are.
    let forges = block("shell", &["mass-driver forges --list"]);
    let (list, info) = forges.split_once("mass-driver forge --info").unwrap();
    follow(&world, list).shows(&["github", "github-app"]);
    let told = Told::of(world.shell(&format!("mass-driver forge --info{info}")).output().unwrap()).expect(2);
    told.notes(&["there is no forge `counter`", "`mass-driver forges` lists them"]);
    follow(&world, &block("none", &["mass-driver --help"])).shows(&["view-pr"]);
}

/// As written, but for where GitHub is and whose token it is.
#[test]
fn pull_requests_are_reviewed_by_address_and_by_file() {
    let world = reader();
    let here = |text: &str| {
        text.replace("https://github.com", &world.github.url()).replace("=xyz", &format!("={}", world.token))
    };
    let sample = block("none", &["> Pull request review mode!"]);
    let addresses: Vec<&str> = sample.lines().filter(|line| line.starts_with("https://")).collect();
    for name in ["mass-driver", "sphinx-needs-test"] {
        let name = format!("{OWNER}/{name}");
        for (number, branch) in [(1, "merged"), (2, "closed")] {
            let change = [github_sim::FileChangeInput::put(branch, "x\n")];
            world.github.push_as("dana", &name, branch, &change, branch).unwrap();
            assert_eq!(world.github.open_pull_request(&name, branch, "main", branch).unwrap(), number);
        }
        world.github.merge(&name, 1).unwrap();
        world.github.close(&name, 2).unwrap();
    }
    let told = follow(&world, &here(&block("shell", &["mass-driver view-pr github \\\n"])));
    told.shows(&["/mass-driver/pull/1", "/mass-driver/pull/2", "merged", "closed"]);
    world.write("prs.txt", &here(&addresses.join("\n")));
    let told = follow(&world, &here(&block("shell", &["--pr-filelist prs.txt"])));
    let expected: Vec<String> = addresses.iter().map(|address| here(address)).collect();
    told.shows(&expected.iter().map(String::as_str).collect::<Vec<_>>()).shows(&["2", "50.0 %"]);
}
