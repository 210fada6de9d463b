//! Git LFS as git's own attributes have it.

use crate::scene::{Scene, path, run, settings, sourced, write};
use mass_driver::bulk::git::{Git, GitError};
use mass_driver::domain::{FileEdit, Reading};

/// Which files of a change are refused.
async fn refused(git: &Git, at: &std::path::Path, edits: &[FileEdit]) -> Vec<String> {
    let mut clone = git.clone(&sourced(at)).await.unwrap();
    clone.snapshot().await.unwrap();
    match clone.spare_large_files(edits).await {
        Ok(()) => Vec::new(),
        Err(GitError::LargeFiles { paths }) => paths,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn what_is_kept_in_git_lfs_is_what_git_says() {
    let scene = Scene::new();
    let work = scene.checkout(
        "api",
        &[
            (".gitattributes", "[attr]large filter=lfs -text\n*.bin large\n/top filter=lfs\n"),
            ("a/.gitattributes", "*.png large\nplain.bin !filter\n"),
            ("b/.gitattributes", "*.bin -filter\n"),
            ("c/x", "x"),
        ],
    );
    let names =
        ["x.bin", "top", "a/top", "a/x.png", "b/x.png", "a/b/x.png", "a/plain.bin", "b/x.bin", "c/d/ü \"x\".bin"];
    let edits = names.map(|name| write(name, "real\n"));
    assert_eq!(refused(&scene.git, &work, &edits).await, ["x.bin", "top", "a/x.png", "a/b/x.png", "c/d/ü \"x\".bin"]);
    // Attributes that the change itself writes or deletes.
    let change = [write("c/x.png", "real\n"), write("c/.gitattributes", "*.png large\n")];
    assert_eq!(refused(&scene.git, &work, &change).await, ["c/x.png"]);
    let change = [write("a/x.png", "real\n"), FileEdit::Delete(path("a/.gitattributes"))];
    assert_eq!(refused(&scene.git, &work, &change).await, [""; 0]);
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 5\n", "0a".repeat(32));
    assert_eq!(refused(&scene.git, &work, &[write("x.bin", &pointer), write("y.bin", "")]).await, [""; 0]);
}

#[tokio::test]
async fn attributes_that_a_clone_left_out_are_fetched() {
    let scene = Scene::new();
    let bare = scene.bare("api.git", &[(".gitattributes", "*.bin filter=lfs\n"), ("a.txt", "one\n")]);
    run(&bare, &["config", "uploadpack.allowFilter", "true"]);
    run(&bare, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let git = crate::local::with_ssh(&scene);
    let address = format!("ssh://git.example.com{}", bare.display());
    assert_eq!(refused(&git, address.as_ref(), &[write("x.bin", "real\n")]).await, ["x.bin"]);
}

#[tokio::test]
async fn where_nothing_is_kept_in_git_lfs_git_is_not_asked() {
    let scene = Scene::new();
    let work = scene.checkout("api", &[(".gitattributes", "*.sh eol=lf\n"), ("a.txt", "one\n")]);
    let (program, log) = (scene.path("noting-git"), scene.path("log"));
    std::fs::write(&program, format!("#!/bin/sh\necho \"$@\" >> '{}'\nexec git \"$@\"\n", log.display())).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut settings = settings(scene.folder.path());
    settings.program = program.into();
    let git = Git::new(settings);
    assert_eq!(refused(&git, &work, &[write("x.bin", "real\n")]).await, [""; 0]);
    let clone = git.clone(&sourced(&work)).await.unwrap();
    let tree = clone.checkout(&scene.path("work")).await.unwrap();
    std::fs::write(tree.folder().join("x.bin"), "real\n").unwrap();
    clone.commit_tree_of(&tree).await.unwrap();
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("cat-file") && !log.contains("check-attr"), "{log}");
}

#[tokio::test]
async fn pointers_are_read_as_such() {
    let scene = Scene::new();
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 5\n", "0a".repeat(32));
    let long = format!("{pointer}{}\n", "x".repeat(1024));
    let work = scene.checkout("api", &[("logo.bin", &pointer), ("long", &long), ("a.md", &format!("> {pointer}"))]);
    let mut clone = scene.git.clone(&sourced(&work)).await.unwrap();
    let mut files = clone.snapshot().await.unwrap();
    clone.read(&mut files, &["logo.bin", "long", "a.md"].map(path)).await.unwrap();
    assert_eq!(files.reading(&path("logo.bin")), Some(&Reading::LfsPointer));
    assert_eq!(files.text(&path("logo.bin")), None);
    assert!(files.text(&path("long")).is_some() && files.text(&path("a.md")).is_some());
}
