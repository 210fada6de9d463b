//! Repositories of a forge: shallow, without the contents of files, with a token that is nowhere to be seen.

use crate::scene::{Scene, at_branch, changed, path, plan, settings, sourced, write};
use github_sim::{FileChangeInput, GitHubSim, RepoOptions};
use mass_driver::bulk::git::{ForgeCredential, Git, GitError, Lease};
use std::path::Path;
use std::sync::Arc;

fn github() -> GitHubSim {
    let github = GitHubSim::start(Arc::new(|| "2026-01-05T08:00:00Z".parse().unwrap())).unwrap();
    github.organization("acme");
    github.person("dana");
    let files =
        RepoOptions::default().public().file("a.txt", "one\n").file("d/b.txt", "two\n").file("c.txt", "three\n");
    github.create_repo("acme/api", files).unwrap();
    github.set_role("acme/api", "dana", github_sim::Role::Write).unwrap();
    github
}

fn address(github: &GitHubSim, name: &str) -> String {
    format!("{}/{name}.git", github.url())
}

fn signed_in(scene: &Scene, github: &GitHubSim, token: &str) -> Git {
    let mut settings = settings(scene.folder.path());
    let host = github.url().trim_start_matches("http://").to_owned();
    settings.credential = Some(ForgeCredential { host, token: token.to_owned().into() });
    Git::new(settings)
}

/// Whether a text stands in any file below a folder.
fn is_written(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => is_written(&entry.path(), text),
            false => String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).contains(text),
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn cloned_without_contents_changed_and_pushed() {
    let (scene, github) = (Scene::new(), github());
    let token = github.personal_token("dana");
    let git = signed_in(&scene, &github, &token);
    let repository = sourced(address(&github, "acme/api"));
    let mut clone = git.clone(&repository).await.unwrap();
    assert_eq!(clone.branch(), Some("main"));
    let mut files = clone.snapshot().await.unwrap();
    clone.read(&mut files, &[path("a.txt"), path("d/b.txt")]).await.unwrap();
    assert_eq!((files.text(&path("a.txt")), files.text(&path("d/b.txt"))), (Some("one\n"), Some("two\n")));
    let commit = clone.commit(&plan(vec![write("a.txt", "new\n")]), &files).await.unwrap();
    let (diff, _) = clone.diff(&commit, 10_000).await.unwrap();
    assert!(diff.contains("-one\n+new\n"), "{diff}");
    clone.push(&commit, "mass-driver/x", &Lease::Absent).await.unwrap();
    assert_eq!(github.file("acme/api", "mass-driver/x", "a.txt").unwrap().unwrap(), b"new\n");
    assert_eq!(github.file("acme/api", "mass-driver/x", "c.txt").unwrap().unwrap(), b"three\n");
    let seen = clone.commit_at("mass-driver/x").await.unwrap().unwrap();
    assert_eq!((seen.id, seen.tree), (commit.id, commit.tree));
    assert!(!is_written(&scene.path("cache"), &token));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_cache_is_brought_up_to_date() {
    let (scene, github) = (Scene::new(), github());
    let git = signed_in(&scene, &github, &github.personal_token("dana"));
    let repository = sourced(address(&github, "acme/api"));
    let first = git.clone(&repository).await.unwrap().base().clone();
    assert_eq!(git.clone(&repository).await.unwrap().base(), &first);
    github.push_as("dana", "acme/api", "main", &[FileChangeInput::put("a.txt", "moved\n")], "more").unwrap();
    let mut clone = git.clone(&repository).await.unwrap();
    assert_ne!(clone.base(), &first);
    let mut files = clone.snapshot().await.unwrap();
    clone.read(&mut files, &[path("a.txt")]).await.unwrap();
    assert_eq!(files.text(&path("a.txt")), Some("moved\n"));
    let folder = clone.folder().to_owned();
    drop(clone);
    let missing = git.clone(&at_branch(address(&github, "acme/api"), "absent")).await.unwrap_err();
    assert!(missing.to_string().ends_with("acme/api.git: it has no branch absent (it has: main)"), "{missing}");
    std::fs::write(folder.join("config"), "rubbish [").unwrap();
    assert!(git.clone(&repository).await.is_ok(), "a broken clone is made anew");
}

/// git clones a tag as well, and no pull request goes to one.
#[tokio::test(flavor = "multi_thread")]
async fn a_tag_is_no_branch() {
    let (scene, github) = (Scene::new(), github());
    let git = signed_in(&scene, &github, &github.personal_token("dana"));
    let head = github.head("acme/api", "main").unwrap().unwrap();
    github.tag("acme/api", "v1", &head).unwrap();
    for _ in 0..2 {
        let missing = git.clone(&at_branch(address(&github, "acme/api"), "v1")).await.unwrap_err();
        assert!(missing.to_string().ends_with("acme/api.git: it has no branch v1 (it has: main)"), "{missing}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn repositories_of_one_name_never_meet_in_the_cache() {
    let (scene, github) = (Scene::new(), github());
    github.organization("other");
    github.create_repo("other/api", RepoOptions::default().public().file("a.txt", "other\n")).unwrap();
    let git = signed_in(&scene, &github, &github.personal_token("dana"));
    for (name, expected) in [("acme/api", "one\n"), ("other/api", "other\n"), ("acme/api", "one\n")] {
        let mut clone = git.clone(&sourced(address(&github, name))).await.unwrap();
        let mut files = clone.snapshot().await.unwrap();
        clone.read(&mut files, &[path("a.txt")]).await.unwrap();
        assert_eq!(files.text(&path("a.txt")), Some(expected), "{name}");
    }
    assert_eq!(std::fs::read_dir(scene.path("cache")).unwrap().count(), 4, "two clones and their locks");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_commits_are_seen_and_kept() {
    let (scene, github) = (Scene::new(), github());
    let git = signed_in(&scene, &github, &github.personal_token("dana"));
    let repository = sourced(address(&github, "acme/api"));
    let (clone, _, commit) = changed(&git, &repository, write("a.txt", "new\n")).await;
    clone.push(&commit, "x", &Lease::Absent).await.unwrap();
    drop(clone);
    github.push_as("dana", "acme/api", "x", &[FileChangeInput::put("a.txt", "by hand\n")], "by hand").unwrap();
    let (mut clone, _, again) = changed(&git, &repository, write("a.txt", "newer\n")).await;
    let seen = clone.commit_at("x").await.unwrap().unwrap();
    assert_eq!((seen.message.trim(), seen.parents.as_slice()), ("by hand", &[commit.id.clone()][..]));
    let error = clone.push(&again, "x", &Lease::At(commit.id)).await.unwrap_err();
    assert!(matches!(error, GitError::LeaseLost { .. }), "{error}");
    assert_eq!(github.file("acme/api", "x", "a.txt").unwrap().unwrap(), b"by hand\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_let_in_is_told_without_the_token() {
    let (scene, github) = (Scene::new(), github());
    let repository = sourced(address(&github, "acme/api"));
    let wrong = signed_in(&scene, &github, "ghp_hunter2hunter2");
    let error = wrong.clone(&repository).await.unwrap_err();
    assert!(matches!(error, GitError::NotLetIn { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");

    let git = signed_in(&scene, &github, &github.personal_token("dana"));
    let missing = git.clone(&sourced(address(&github, "acme/absent"))).await.unwrap_err();
    assert!(matches!(missing, GitError::NotFound { .. }), "{missing}");

    github.person("guest");
    github.set_role("acme/api", "guest", github_sim::Role::Read).unwrap();
    let guest = signed_in(&scene, &github, &github.personal_token("guest"));
    let (clone, _, commit) = changed(&guest, &repository, write("a.txt", "new\n")).await;
    let error = clone.push(&commit, "x", &Lease::Absent).await.unwrap_err();
    assert!(matches!(error, GitError::NotLetIn { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_for_its_host_alone() {
    let (scene, github) = (Scene::new(), github());
    github.create_repo("acme/secret", RepoOptions::default().file("a.txt", "x")).unwrap();
    let mut settings = settings(scene.folder.path());
    let token = github.personal_token("dana").into();
    settings.credential = Some(ForgeCredential { host: "github.com".to_owned(), token });
    let error = Git::new(settings).clone(&sourced(address(&github, "acme/secret"))).await.unwrap_err();
    assert!(matches!(error, GitError::NotLetIn { .. }), "{error}");
}

/// Two headers of one name a forge refuses.
#[tokio::test(flavor = "multi_thread")]
async fn a_header_of_the_users_settings_gives_way_to_the_token() {
    let (scene, server) = (Scene::new(), wiremock::MockServer::start().await);
    let host = server.uri().trim_start_matches("http://").to_owned();
    let mut settings = settings(scene.folder.path());
    settings.credential = Some(ForgeCredential { host, token: "ours".to_owned().into() });
    let of_the_user = format!("[http \"{}/\"]\n\textraHeader = Authorization: Basic dGhlaXJz\n", server.uri());
    std::fs::write(scene.path(".gitconfig"), of_the_user).unwrap();
    let git = Git::new(settings);
    git.clone(&sourced(format!("{}/acme/api.git", server.uri()))).await.unwrap_err();
    let asked = server.received_requests().await.unwrap();
    let sent: Vec<_> = asked[0].headers.get_all("authorization").iter().collect();
    assert_eq!(sent, ["Basic eC1hY2Nlc3MtdG9rZW46b3Vycw=="]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_for_a_password_but_a_program_that_answers() {
    let (scene, github) = (Scene::new(), github());
    github.create_repo("acme/secret", RepoOptions::default().file("a.txt", "x")).unwrap();
    let repository = sourced(address(&github, "acme/secret"));
    let (ask, asked) = (scene.path("ask"), scene.path("asked"));
    // It stands for a window that waits for somebody, or for a job's way to its secret.
    let answer = format!("#!/bin/sh\ntouch '{}'\necho '{}'\n", asked.display(), github.personal_token("dana"));
    std::fs::write(&ask, answer).unwrap();
    std::fs::set_permissions(&ask, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let with = |variables: &[&str]| {
        let mut settings = settings(scene.folder.path());
        settings.environment.extend(variables.iter().map(|name| (name.into(), ask.clone().into())));
        Git::new(settings)
    };
    let by_setting = scene.path(".gitconfig");
    std::fs::write(&by_setting, format!("[core]\n\taskPass = {}\n", ask.display())).unwrap();
    for variables in [&[][..], &["SSH_ASKPASS"], &["GIT_ASKPASS", "VSCODE_GIT_ASKPASS_MAIN"]] {
        let error = with(variables).clone(&repository).await.unwrap_err();
        assert!(matches!(error, GitError::NotLetIn { .. }), "{variables:?}: {error}");
        assert!(!asked.exists(), "{variables:?}");
    }
    with(&["GIT_ASKPASS"]).clone(&repository).await.unwrap();
    assert!(asked.exists());
}
