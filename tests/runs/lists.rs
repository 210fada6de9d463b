//! Which repositories a run is over: lists, tables, what GitHub finds and what is remembered of it.

use crate::world::{FORGE, Told, World, count_to, migration, ssh};
use github_sim::{Fault, FaultKind, RetryAfter, Role};

#[test]
fn comments_and_blank_lines_of_a_list_are_no_repositories() {
    let world = World::new();
    world.counters(&["api", "web"]);
    world.write("count.yaml", &migration(1));
    let list = format!("# ours\n\n{}   # the old one\n   \n{}\n#{}\n", ssh("api"), ssh("web"), ssh("gone"));
    world.write("repos.txt", &list);
    let told = world.run(&["run", "count.yaml", "--repo-filelist", "repos.txt", "--format", "json"]).expect(0);
    assert_eq!(told.ends(), ["patched"; 2]);
}

#[test]
fn a_list_that_names_a_repository_twice_or_none_says_so() {
    let world = World::new();
    world.counters(&["api"]);
    world.write("count.yaml", &migration(1));
    world.write("repos.txt", &format!("{}\n{}\n", ssh("api"), ssh("api")));
    let told = world.run(&["run", "count.yaml", "--repo-filelist", "repos.txt", "--format", "json"]).expect(0);
    assert_eq!(told.ends(), ["patched"]);
    assert!(told.err.contains("twice") || told.err.contains("once"), "{}", told.err);
    world.write("repos.txt", "# nothing\n");
    let told = world.run(&["run", "count.yaml", "--repo-filelist", "repos.txt"]).expect(2);
    told.notes(&["no repository was found"]);
    let told = world.run(&["run", "count.yaml", "--repo-filelist", "absent.txt"]).expect(2);
    told.notes(&["absent.txt"]);
    world.run(&["run", "count.yaml"]).expect(2).notes(&["--repo-path", "--repo-filelist", "source"]);
}

#[test]
fn what_the_source_knows_fills_the_driver_the_message_the_branch_and_the_pull_request() {
    let world = World::new();
    world.counters(&["api", "web"]);
    let table = format!("repo_id,clone_url,team,count\napi,{},Core,7\nweb,{},Front,9\n", ssh("api"), ssh("web"));
    world.write("repos.csv", &table);
    let activity = "source:
  source_name: csv-filelist
  source_config: { csv_file: repos.csv }
migration:
  commit_message: 'Count for {{ patch_data.team }}'
  branch_name: 'count-{{ patch_data.count }}'
  driver_name: counter
  driver_config: { target_file: counter.txt, target_count: '{{ patch_data.count }}' }
forge:
  forge_name: github
  pr_title: '{{ patch_data.team }} counts to {{ patch_data.count }}'
  pr_body: 'In {{ repo.id }}, as {{ patch_data.team }} wants it.'
";
    world.write("count.yaml", activity);
    let told = world.drive("count.yaml", &[], &[]).expect(0);
    assert_eq!(told.ends(), ["pull_request_opened"; 2], "{told:?}");
    for (name, team, count) in [("api", "Core", "7"), ("web", "Front", "9")] {
        let branch = format!("count-{count}");
        let pull = &world.pulls(name)[0];
        assert_eq!((&pull.head_branch, pull.title.as_str()), (&branch, format!("{team} counts to {count}").as_str()));
        assert_eq!(pull.body.trim(), format!("In {name}, as {team} wants it."));
        assert_eq!(world.file(name, &branch, "counter.txt").unwrap(), format!("{count}\n"));
        assert_eq!(world.commits(name, &branch)[0].message.trim(), format!("Count for {team}"));
    }
    world.write("count.yaml", &activity.replace("patch_data.team }} counts", "patch_data.crew }} counts"));
    let told = world.drive("count.yaml", &[], &[]).expect(2);
    told.notes(&["crew", "api"]);
}

#[test]
fn what_a_source_found_is_kept_with_its_age_until_it_is_asked_again() {
    let world = World::new();
    world.counters(&["api"]);
    let source = "source:\n  source_name: github-organisation\n  source_config: { organisation: acme }\n";
    world.write("count.yaml", &format!("{source}{}", migration(1)));
    let asked = || world.github.exchanges().iter().filter(|e| e.path == "/orgs/acme/repos").count();

    let told = world.drive("count.yaml", &[], &["--offline"]).expect(2);
    told.notes(&["it is not known what the source `github-organisation` finds", "--offline"]);
    assert_eq!(asked(), 0);
    assert_eq!(world.drive("count.yaml", &[], &[]).expect(0).ends(), ["patched"]);
    assert_eq!(asked(), 1);
    world.counters(&["web"]);
    for kept in [&[][..], &["--offline"]] {
        let told = world.drive("count.yaml", &[], kept).expect(0);
        assert_eq!(told.ends(), ["patched"]);
        assert!(told.err.contains("1 repository, found less than a minute ago; --refresh asks"), "{}", told.err);
    }
    assert_eq!(asked(), 1);
    assert_eq!(world.drive("count.yaml", &[], &["--refresh"]).expect(0).ends(), ["patched"; 2]);
    assert_eq!(asked(), 2);
}

/// What one may see is not told to another.
#[test]
fn what_a_source_found_is_kept_for_whoever_asked() {
    let world = World::new();
    world.counters(&["api"]);
    world.github.person("robin");
    let (dana, robin) = (world.token.clone(), world.github.personal_token("robin"));
    let source =
        "source:\n  source_name: github-search\n  source_config: { search_query: 'org:acme', clone_with: https }\n";
    world.write("count.yaml", &format!("{source}{}", migration(1)));
    let run = |token: Option<&str>, more: &[&str]| {
        let mut command = world.command(&["run", "count.yaml", "--format", "json"]);
        command.args(more).env_remove("FORGE_TOKEN").envs(token.map(|token| ("SOURCE_TOKEN", token)));
        Told::of(command.output().unwrap())
    };
    assert_eq!(run(Some(&dana), &[]).expect(0).ends(), ["patched"]);
    run(Some(&robin), &["--offline"]).expect(2).notes(&[
        "it is not known what the source `github-search` finds, asked with the token in SOURCE_TOKEN",
        "leave out --offline once",
    ]);
    let asked = || world.github.exchanges().iter().filter(|one| one.path.starts_with("/search/repositories")).count();
    assert_eq!(asked(), 1);
    world.github.set_role("acme/api", "robin", Role::Read).unwrap();
    assert_eq!(run(Some(&robin), &[]).expect(0).ends(), ["patched"]);
    assert_eq!(asked(), 2, "what is known to one is asked for by another");
    world.counters(&["web"]);
    for token in [&dana, &robin] {
        assert_eq!(run(Some(token), &["--offline"]).expect(0).ends(), ["patched"]);
    }
    assert_eq!(asked(), 2);
    run(None, &["--offline"]).expect(2).notes(&["there is no token", "SOURCE_TOKEN", "--offline needs the same token"]);
}

#[test]
fn githubs_limits_are_waited_for_while_repositories_are_looked_for() {
    let world = World::new();
    world.counters(&["api"]);
    let source = "source:\n  source_name: github-organisation\n  source_config: { organisation: acme }\n";
    world.write("count.yaml", &format!("{source}{}", migration(1)));
    for kind in
        [FaultKind::SecondaryRateLimit { status: 429, retry_after: RetryAfter::Seconds(1) }, FaultKind::BadGateway]
    {
        world.github.fault(Fault::once("GET", "/orgs/acme/repos", kind));
        assert_eq!(world.drive("count.yaml", &[], &["--refresh"]).expect(0).ends(), ["patched"]);
        assert_eq!(world.github.clear_faults(), 0, "the fault was met");
    }
}

#[test]
fn a_list_that_has_to_be_corrected_begins_nothing_wherever_it_is_named() {
    let world = World::new();
    let names = |name: &str, config: &str| {
        let source = format!("source:\n  source_name: {name}\n  source_config: {{ {config} }}\n");
        world.write("lists/count.yaml", &format!("{source}{}", migration(1)));
        world.write("count.yaml", &format!("{source}{}", migration(1)));
    };
    names("repo-filelist", "repo_file: absent");
    let (here, there) = (world.work().join("absent"), world.work().join("lists/absent"));
    for (activity, places) in [
        ("count.yaml", format!("it is not there at {}\n", here.display())),
        ("./count.yaml", format!("it is not there at {}\n", here.display())),
        ("lists/../count.yaml", format!("it is not there at {}\n", here.display())),
        ("lists/count.yaml", format!("it is not there at {}, nor at lists/absent\n", here.display())),
        (there.with_file_name("count.yaml").to_str().unwrap(), format!(", nor at {}\n", there.display())),
    ] {
        let told = world.drive(activity, &[], &["--dry-run"]).expect(2);
        assert!(told.out.is_empty() && told.err.contains(&places), "{activity}: {told:?}");
    }
    world.write("list", "https://me:hunter2@github.com/acme/api\n");
    names("repo-filelist", "repo_file: list");
    world.drive("count.yaml", &[], &[]).expect(2).notes(&["list:1: "]);

    names("csv-filelist", "csv_file: table");
    world.drive("count.yaml", &[], &[]).expect(2).notes(&["table cannot be read: it is not there at "]);
    for (table, why) in [
        (&b""[..], "table:1: the table is empty"),
        (b"repo_id\nx\n", "table:1: there is no column `clone_url`"),
        (b"clone_url,team\na/b\n", "table:2: this row has 1 cells"),
        (b"clone_url,team,team\na,b,c\n", "table:1: the column `team` is there twice"),
        (b"clone_url\na\ngr\xf6\xdfe\n", "table:3: this is not UTF-8"),
    ] {
        std::fs::write(world.work().join("table"), table).unwrap();
        world.drive("count.yaml", &[], &[]).expect(2).notes(&[why]);
    }
    names("repo-list", "repos: [\"--upload-pack=touch x\"]");
    world.drive("count.yaml", &[], &[]).expect(2).notes(&["--upload-pack"]);
    assert_eq!(world.run(&["runs", "--format", "json"]).expect(0).json(), serde_json::json!([]));
}

#[test]
fn a_search_that_finds_nothing_is_no_success() {
    let world = World::new();
    let source = "source:\n  source_name: github-search\n  source_config: { search_query: 'org:acme counter' }\n";
    world.write("count.yaml", &format!("{source}{}", count_to(1)));
    world.drive("count.yaml", &[], &[]).expect(2).notes(&["no repository was found, so there is nothing to do"]);
    world.write("count.yaml", &format!("{source}{}", migration(1)));
    let told = world.command(&["run", "count.yaml"]).env_remove("FORGE_TOKEN").output().unwrap();
    Told::of(told).expect(2).notes(&["there is no token", "SOURCE_TOKEN"]);
    world.write("count.yaml", &format!("{}{FORGE}", migration(1)));
    let told = world.command(&["run", "count.yaml", "--repo-path", "x"]).env_remove("FORGE_TOKEN").output().unwrap();
    Told::of(told).expect(2).notes(&["there is no token", "FORGE_TOKEN"]);
}
