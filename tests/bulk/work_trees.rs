//! Work trees for commands, and what they leave.

use crate::scene::{Scene, commit_files, plan, run, sourced, touch};
use mass_driver::bulk::git::{CommitContent, CommitPlan, Lease};
use std::os::unix::fs::{PermissionsExt as _, symlink};

#[tokio::test]
async fn what_a_command_leaves_becomes_a_commit() {
    let scene = Scene::new();
    let bare = scene.bare(
        "api.git",
        &[("a.txt", "one\n"), ("gone.txt", "x\n"), ("d/run.sh", "#!/bin/sh\n"), (".gitignore", "*.o\ntarget/\n")],
    );
    let clone = scene.git.clone(&sourced(&bare)).await.unwrap();
    let work = clone.checkout(&scene.path("work")).await.unwrap();
    let at = |name: &str| work.folder().join(name);
    assert_eq!(std::fs::read_to_string(at("a.txt")).unwrap(), "one\n");
    assert_eq!(run(work.folder(), &["status", "--porcelain"]), "", "tools find a clean repository");
    assert_eq!(run(work.folder(), &["ls-files"]), ".gitignore\na.txt\nd/run.sh\ngone.txt");
    let left = clone.commit_tree_of(&work).await.unwrap();
    assert_eq!(left.changed_files, 0);

    std::fs::write(at("a.txt"), "two\n").unwrap();
    std::fs::remove_file(at("gone.txt")).unwrap();
    std::fs::write(at("new file"), "new\n").unwrap();
    std::fs::write(at("made.o"), "rubbish").unwrap();
    std::fs::create_dir(at("target")).unwrap();
    std::fs::write(at("target/out"), "rubbish").unwrap();
    symlink("/etc/passwd", at("link")).unwrap();
    std::fs::set_permissions(at("d/run.sh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let left = clone.commit_tree_of(&work).await.unwrap();
    assert_eq!(left.changed_files, 5);
    let files = mass_driver::domain::Snapshot::default();
    let plan = CommitPlan { content: CommitContent::Tree(left.tree.clone()), ..plan(Vec::new()) };
    let commit = clone.commit(&plan, &files).await.unwrap();
    assert_eq!(commit.tree, left.tree);
    clone.push(&commit, "x", &Lease::Absent).await.unwrap();
    let listed = run(&bare, &["ls-tree", "-r", "--format=%(objectmode) %(path)", "x"]);
    assert_eq!(listed, "100644 .gitignore\n100644 a.txt\n100755 d/run.sh\n120000 link\n100644 new file");
    assert_eq!(run(&bare, &["show", "x:link"]), "/etc/passwd", "a link is kept, not followed");
}

/// Where attributes want other line ends than were committed, git takes files for changed which nobody touched, or does not, as
/// its clock falls.
#[tokio::test]
async fn what_nobody_touched_is_not_changed_for_its_line_ends() {
    let scene = Scene::new();
    let names: Vec<String> = (0..50).map(|n| format!("{n}.txt")).collect();
    let mut files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "one\r\ntwo\r\n")).collect();
    let odd = ["\"b\".txt", "\"c.txt", "-größe .txt", "Icon.txt\r", "a\nb.txt"];
    files.extend(odd.map(|name| (name, "one\n")));
    let checkout = scene.checkout("api", &files);
    // Since then, and without `git add --renormalize`.
    std::fs::write(checkout.join(".gitattributes"), "*.txt text\n").unwrap();
    run(&checkout, &["add", ".gitattributes"]);
    run(&checkout, &["commit", "--quiet", "-m", "attributes"]);
    let clone = scene.git.clone(&sourced(&checkout)).await.unwrap();
    let work = clone.checkout(&scene.path("work")).await.unwrap();
    names.iter().for_each(|name| touch(&work.folder().join(name)));
    assert_eq!(clone.commit_tree_of(&work).await.unwrap().changed_files, 0);
    std::fs::write(work.folder().join("new"), "x").unwrap();
    std::fs::write(work.folder().join("0.txt"), "one\r\nthree\r\n").unwrap();
    odd.iter().for_each(|name| std::fs::write(work.folder().join(name), "two\n").unwrap());
    let left = clone.commit_tree_of(&work).await.unwrap();
    assert_eq!(left.changed_files, 2 + odd.len(), "what was touched is written as the attributes say");
}

#[tokio::test]
async fn a_repository_within_is_refused_and_nothing_of_it_runs() {
    let scene = Scene::new();
    let inner = scene.checkout("inner", &[("i.txt", "x")]);
    let work = scene.checkout("outer", &[("a.txt", "one\n")]);
    let id = run(&inner, &["rev-parse", "HEAD"]);
    run(&work, &["update-index", "--add", "--cacheinfo", &format!("160000,{id},sub")]);
    run(&work, &["commit", "--quiet", "-m", "submodule"]);
    let clone = scene.git.clone(&sourced(&work)).await.unwrap();

    // Where the submodule belongs, a command leaves a repository whose settings name a command.
    let tree = clone.checkout(&scene.path("work")).await.unwrap();
    let (sub, witness) = (tree.folder().join("sub"), scene.path("witness"));
    let _ = std::fs::create_dir(&sub);
    run(&sub, &["init", "--quiet"]);
    // At the commit that the submodule stands for: then git wants to know whether its files are changed.
    run(&sub, &["fetch", "--quiet", inner.to_str().unwrap(), "main"]);
    run(&sub, &["reset", "--quiet", "--hard", &id]);
    run(&sub, &["config", "core.fsmonitor", &format!("touch {}", witness.display())]);
    run(&sub, &["config", "filter.f.clean", &format!("touch {}", witness.display())]);
    std::fs::write(sub.join(".gitattributes"), "* filter=f\n").unwrap();
    // And in its own `.git` as well.
    run(tree.folder(), &["config", "core.fsmonitor", &format!("touch {}", witness.display())]);
    let _ = clone.commit_tree_of(&tree).await;
    assert!(!witness.exists());
    drop(clone);

    let clone = scene.git.clone(&sourced(&work)).await.unwrap();
    let tree = clone.checkout(&scene.path("second")).await.unwrap();
    std::fs::create_dir(tree.folder().join("nested")).unwrap();
    run(&tree.folder().join("nested"), &["init", "--quiet"]);
    commit_files(&tree.folder().join("nested"), &[("x", "x")]);
    let error = clone.commit_tree_of(&tree).await.unwrap_err();
    assert!(error.to_string().contains("a repository of its own in nested"), "{error}");
}

#[tokio::test]
async fn a_folder_in_use_is_not_written_into() {
    let scene = Scene::new();
    let work = scene.checkout("api", &[("a.txt", "one\n")]);
    let clone = scene.git.clone(&sourced(&work)).await.unwrap();
    let error = clone.checkout(&work).await.unwrap_err();
    assert!(error.to_string().contains("is not empty"), "{error}");
}

/// Otherwise the same run makes another commit for everybody.
#[tokio::test]
async fn what_is_ignored_the_repository_says_and_not_the_user() {
    let scene = Scene::new();
    let checkout = scene.checkout("api", &[(".gitignore", "*.o\n")]);
    std::fs::write(scene.path("ignore"), ".idea/\n").unwrap();
    let own = format!("[core]\n\texcludesFile = {}\n", scene.path("ignore").display());
    std::fs::write(scene.path(".gitconfig"), own).unwrap();
    let clone = scene.git.clone(&sourced(&checkout)).await.unwrap();
    let work = clone.checkout(&scene.path("work")).await.unwrap();
    std::fs::create_dir(work.folder().join(".idea")).unwrap();
    for name in [".idea/a", "b.o"] {
        std::fs::write(work.folder().join(name), "x").unwrap();
    }
    let left = clone.commit_tree_of(&work).await.unwrap();
    let listed = run(clone.folder(), &["ls-tree", "-r", "--name-only", left.tree.as_str()]);
    assert_eq!(listed, ".gitignore\n.idea/a");
}
