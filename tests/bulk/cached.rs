//! What a run finds in the cache when a former one was killed, or lost its power, in the middle of its work.

use crate::local::with_ssh;
use crate::scene::{Scene, commit_files, path, plan, run, sourced, write};
use mass_driver::bulk::git::{BareClone, CommitPlan, Git, Lease};
use mass_driver::domain::{ObjectId, SourcedRepository};
use std::path::{Path, PathBuf};

/// A repository that is reached over ssh, as it lies on the disk and as it is sourced.
fn remote(scene: &Scene) -> (PathBuf, SourcedRepository) {
    let bare = scene.bare("api.git", &[("a.txt", "one\n"), ("d/b.txt", "two\n")]);
    run(&bare, &["config", "uploadpack.allowFilter", "true"]);
    run(&bare, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let address = format!("dana@git.example.com:{}", bare.display());
    (bare, sourced(&address))
}

async fn text_of(clone: &mut BareClone<'_>, name: &str) -> String {
    let mut files = clone.snapshot().await.unwrap();
    clone.read(&mut files, &[path(name)]).await.unwrap();
    files.text(&path(name)).unwrap().to_owned()
}

/// Clones, and lets go of it again.
async fn cached(git: &Git, repository: &SourcedRepository) -> PathBuf {
    git.clone(repository).await.unwrap().folder().to_owned()
}

fn packs(clone: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(clone.join("objects/pack")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn locks_of_a_git_that_was_killed_are_removed() {
    let scene = Scene::new();
    let (bare, repository) = remote(&scene);
    let git = with_ssh(&scene);
    let folder = cached(&git, &repository).await;
    run(&scene.path("api.git.work"), &["push", "--quiet", bare.to_str().unwrap(), "main:theirs"]);
    commit_files(&scene.path("api.git.work"), &[("a.txt", "three\n")]);
    run(&scene.path("api.git.work"), &["push", "--quiet", "--force", bare.to_str().unwrap(), "main:theirs"]);
    std::fs::create_dir_all(folder.join("refs/heads/fix")).unwrap();
    std::fs::create_dir_all(folder.join("refs/mass-driver")).unwrap();
    let names = "index HEAD shallow config packed-refs refs/heads/main refs/heads/fix/deps refs/mass-driver/made";
    let locks: Vec<PathBuf> = names.split(' ').map(|name| folder.join(format!("{name}.lock"))).collect();
    for lock in &locks {
        std::fs::write(lock, "").unwrap();
    }
    let kept = folder.join("objects/pack/kept.lock");
    std::fs::write(&kept, "").unwrap();

    let mut clone = git.clone(&repository).await.unwrap();
    assert_eq!(clone.folder(), folder);
    assert!(kept.exists(), "it is the clone that was there, not one made anew");
    assert_eq!(locks.iter().find(|lock| lock.exists()), None);
    clone.checkout(&scene.path("work")).await.unwrap();
    assert!(clone.commit_at("theirs").await.unwrap().is_some());
    let files = clone.snapshot().await.unwrap();
    let plan = CommitPlan { branch: Some("fix/deps".to_owned()), ..plan(vec![write("a.txt", "new\n")]) };
    let commit = clone.commit(&plan, &files).await.unwrap();
    clone.push(&commit, "fix/deps", &Lease::Absent).await.unwrap();

    // One that was killed while this run goes on.
    std::fs::write(folder.join("index.lock"), "").unwrap();
    clone.checkout(&scene.path("again")).await.unwrap();
}

#[tokio::test]
async fn a_clone_that_lost_its_objects_is_made_anew() {
    let scene = Scene::new();
    let (_, repository) = remote(&scene);
    let git = with_ssh(&scene);
    let folder = cached(&git, &repository).await;
    let base = ObjectId::parse(&run(&folder, &["rev-parse", "HEAD"])).unwrap();
    let began = (Some("main"), &base);
    assert!(git.reopen(&repository, &folder, began).await.unwrap().is_some());
    for pack in packs(&folder) {
        std::fs::remove_file(pack).unwrap();
    }
    let again = git.reopen(&repository, &folder, began).await.unwrap();
    assert!(again.is_none(), "there is nothing to go on with");
    let mut clone = git.clone(&repository).await.unwrap();
    assert_eq!(clone.folder(), folder);
    assert_eq!(text_of(&mut clone, "d/b.txt").await, "two\n");
    drop(clone);

    for pack in packs(&folder) {
        let length = pack.metadata().unwrap().len();
        std::fs::remove_file(&pack).unwrap();
        std::fs::write(&pack, vec![0; usize::try_from(length).unwrap()]).unwrap();
    }
    assert!(git.reopen(&repository, &folder, began).await.unwrap().is_none());
    assert_eq!(text_of(&mut git.clone(&repository).await.unwrap(), "d/b.txt").await, "two\n");
}

#[tokio::test]
async fn a_clone_whose_files_are_empty_is_made_anew() {
    let scene = Scene::new();
    let (bare, repository) = remote(&scene);
    let git = with_ssh(&scene);
    for (round, name) in ["HEAD", "config", "packed-refs", "shallow"].into_iter().enumerate() {
        let folder = cached(&git, &repository).await;
        std::fs::write(folder.join(name), "").unwrap();
        let text = format!("{round}\n");
        commit_files(&scene.path("api.git.work"), &[("a.txt", &text)]);
        run(&scene.path("api.git.work"), &["push", "--quiet", bare.to_str().unwrap(), "main"]);
        assert_eq!(text_of(&mut git.clone(&repository).await.unwrap(), "a.txt").await, text, "{name}");
    }
}

#[tokio::test]
async fn a_clone_that_lost_some_of_its_trees_is_made_anew_by_the_next_run() {
    let scene = Scene::new();
    let (bare, repository) = remote(&scene);
    let git = with_ssh(&scene);
    let folder = cached(&git, &repository).await;
    let first = packs(&folder);
    commit_files(&scene.path("api.git.work"), &[("a.txt", "three\n")]);
    run(&scene.path("api.git.work"), &["push", "--quiet", bare.to_str().unwrap(), "main"]);
    assert_eq!(cached(&git, &repository).await, folder);
    for pack in first {
        std::fs::remove_file(pack).unwrap();
    }
    let mut clone = git.clone(&repository).await.unwrap();
    let error = clone.snapshot().await.unwrap_err();
    assert!(error.to_string().contains("the next run clones anew"), "{error}");
    drop(clone);
    assert_eq!(text_of(&mut git.clone(&repository).await.unwrap(), "d/b.txt").await, "two\n");
}

#[tokio::test]
async fn branches_of_former_runs_make_room() {
    let scene = Scene::new();
    let (bare, repository) = remote(&scene);
    run(&bare, &["branch", "--quiet", "release/1", "main"]);
    let git = with_ssh(&scene);
    let on =
        |branch: Option<&str>| SourcedRepository { upstream_branch: branch.map(str::to_owned), ..repository.clone() };
    let folder = cached(&git, &repository).await;
    // What a former run began from, and what people pack.
    let _ = cached(&git, &on(Some("release/1"))).await;
    for (base, branch, left) in [
        (None, "fix", "fix main release/1"),
        (None, "fix/deps/a", "fix/deps/a main release/1"),
        (None, "fix/deps/b", "fix/deps/a fix/deps/b main release/1"),
        (None, "fix", "fix main release/1"),
        (None, "fixed", "fix fixed main release/1"),
        (None, "release", "fix fixed main release"),
        // What is fetched finds no room there: it is cloned anew.
        (Some("release/1"), "main", "main release/1"),
        // Nothing becomes of these but their commits: the branch that was cloned stays.
        (Some("release/1"), "release", "main release/1"),
        (Some("release/1"), "release/1/x", "main release/1"),
        (None, "main", "main release/1"),
    ] {
        let mut clone = git.clone(&on(base)).await.unwrap();
        let base_before = clone.base().clone();
        let files = clone.snapshot().await.unwrap();
        let plan = CommitPlan { branch: Some(branch.to_owned()), ..plan(vec![write("a.txt", branch)]) };
        let commit = clone.commit(&plan, &files).await.unwrap();
        let heads = run(&folder, &["for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads"]);
        assert_eq!((clone.folder(), heads.replace('\n', " ").as_str()), (folder.as_path(), left), "{branch}");
        assert_eq!(run(&folder, &["rev-parse", "HEAD"]), base_before.as_str());
        assert_eq!(run(&folder, &["show", &format!("{}:a.txt", commit.id)]), branch);
        if left.split(' ').any(|name| name == branch) && base.unwrap_or("main") != branch {
            assert_eq!(run(&folder, &["rev-parse", &format!("refs/heads/{branch}")]), commit.id.as_str());
        }
        run(&folder, &["pack-refs", if branch == "fix/deps/b" { "--all" } else { "--no-all" }]);
    }
}
