//! Commits without a work tree, and pushing them.

use crate::scene::{Scene, changed, commit_files, path, plan, run, settings, sourced, write};
use mass_driver::bulk::git::{CommitPlan, Git, GitError, Lease};
use mass_driver::domain::{FileChange, FileEdit, FileMode};

#[tokio::test]
async fn a_commit_holds_the_edits_and_everything_else_of_the_base() {
    let scene = Scene::new();
    let bare = scene.bare("api.git", &[("a.txt", "one\n"), ("d/b.txt", "two\n"), ("d/c \"q\".txt", "three\n")]);
    let mut clone = scene.git.clone(&sourced(&bare)).await.unwrap();
    let files = clone.snapshot().await.unwrap();
    let script = FileChange { path: path("bin/run"), mode: FileMode::Executable, text: "#!/bin/sh\n".to_owned() };
    let edits = vec![
        write("a.txt", "no line end"),
        FileEdit::Delete(path("d/b.txt")),
        write("d/c \"q\".txt", "größe\n"),
        FileEdit::Write(script),
    ];
    let commit = clone.commit(&plan(edits.clone()), &files).await.unwrap();
    assert!(commit.changes);
    let again = clone.commit(&plan(edits), &files).await.unwrap();
    assert_eq!(again, commit, "the same plan makes the same commit");

    clone.push(&commit, "mass-driver/x", &Lease::Absent).await.unwrap();
    let show = |what: &str| run(&bare, &["show", what]);
    assert_eq!(show("mass-driver/x:a.txt"), "no line end");
    assert_eq!(show("mass-driver/x:d/c \"q\".txt"), "größe");
    let listed =
        run(&bare, &["-c", "core.quotePath=false", "ls-tree", "-r", "--format=%(objectmode) %(path)", "mass-driver/x"]);
    assert_eq!(listed, "100644 a.txt\n100755 bin/run\n100644 \"d/c \\\"q\\\".txt\"");
    let told = run(&bare, &["log", "-1", "--format=%an|%ae|%cn|%ad|%cI|%P|%B", "mass-driver/x"]);
    let base = run(&bare, &["rev-parse", "main"]);
    let who = "Robin \"R\" O'Neil|robin@example.com|Robin \"R\" O'Neil";
    assert_eq!(told, format!("{who}|Mon Jan 5 08:00:00 2026 +0000|2026-01-05T08:00:00Z|{base}|Say it\n\nand why"));
    assert_eq!(run(&bare, &["fsck", "--strict", "--no-dangling"]), "");
}

#[tokio::test]
async fn a_commit_without_a_change_says_so() {
    let scene = Scene::new();
    let bare = scene.bare("api.git", &[("a.txt", "one\n")]);
    let (_, _, commit) = changed(&scene.git, &sourced(&bare), write("a.txt", "one\n")).await;
    assert!(!commit.changes);
}

#[tokio::test]
async fn a_diff_is_unified_text_and_is_cut_where_it_is_long() {
    let scene = Scene::new();
    let bare = scene.bare("api.git", &[("a.txt", "one\n")]);
    let (clone, _, commit) = changed(&scene.git, &sourced(&bare), write("a.txt", "two\n")).await;
    let (text, whole) = clone.diff(&commit, 10_000).await.unwrap();
    assert!(whole && text.contains("--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+two\n"), "{text}");
    let (text, whole) = clone.diff(&commit, 20).await.unwrap();
    assert_eq!((text.len(), whole), (20, false));
}

#[tokio::test]
async fn edits_never_take_away_what_nobody_named() {
    let scene = Scene::new();
    let work = scene.checkout("api", &[("file", "x"), ("folder/a", "x")]);
    std::os::unix::fs::symlink("folder", work.join("link")).unwrap();
    commit_files(&work, &[("other", "x")]);
    let mut clone = scene.git.clone(&sourced(&work)).await.unwrap();
    let files = clone.snapshot().await.unwrap();
    for (edit, why) in [
        (write("link", "x"), "link is a symbolic link"),
        (FileEdit::Delete(path("link")), "link is a symbolic link"),
        (write("link/a", "x"), "link is no folder"),
        (write("file/a", "x"), "file is no folder"),
        (write("folder", "x"), "folder is a folder"),
        (FileEdit::Delete(path("absent")), "absent is to be deleted"),
    ] {
        let refused = clone.commit(&plan(vec![edit]), &files).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
    let moved = vec![write("file/a", "x"), FileEdit::Delete(path("file"))];
    assert!(clone.commit(&plan(moved), &files).await.unwrap().changes);
}

#[tokio::test]
async fn a_branch_is_moved_only_from_where_it_was_seen() {
    let scene = Scene::new();
    let bare = scene.bare("api.git", &[("a.txt", "one\n")]);
    let (mut clone, files, first) = changed(&scene.git, &sourced(&bare), write("a.txt", "two\n")).await;
    let second = clone.commit(&plan(vec![write("a.txt", "three\n")]), &files).await.unwrap();
    assert_eq!(clone.commit_at("x").await.unwrap(), None);
    clone.push(&first, "x", &Lease::Absent).await.unwrap();
    clone.push(&first, "x", &Lease::At(first.id.clone())).await.unwrap();
    let seen = clone.commit_at("x").await.unwrap().unwrap();
    assert_eq!((&seen.id, &seen.tree, seen.parents.as_slice()), (&first.id, &first.tree, &[clone.base().clone()][..]));
    assert_eq!(seen.message, "Say it\n\nand why\n");

    for lease in [Lease::Absent, Lease::At(second.id.clone())] {
        let error = clone.push(&second, "x", &lease).await.unwrap_err();
        assert!(matches!(error, GitError::LeaseLost { .. }), "{lease:?}: {error}");
    }
    let gone = clone.push(&second, "y", &Lease::At(first.id.clone())).await.unwrap_err();
    assert!(matches!(gone, GitError::LeaseLost { .. }), "{gone}");
    clone.push(&second, "x", &Lease::At(first.id)).await.unwrap();
    assert_eq!(run(&bare, &["rev-parse", "x"]), second.id.as_str());
    assert_eq!(run(&bare, &["rev-list", "--count", "main..x"]), "1", "it was not stacked");
}

/// What an Activity takes must not be refused after the cloning.
#[tokio::test]
async fn whatever_an_activity_takes_for_a_branch_is_pushed() {
    let scene = Scene::new();
    let bare = scene.bare("api.git", &[("a.txt", "one\n")]);
    let (clone, _, commit) = changed(&scene.git, &sourced(&bare), write("a.txt", "two\n")).await;
    for name in ["a./b", "größe", "x/HEAD", "a@b", "+a", "a\"b'c$d"] {
        assert_eq!(mass_driver::domain::branch_complaint(name), None, "{name}");
        clone.push(&commit, name, &Lease::Absent).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    for name in ["refs/heads/c", "-d", "e..f"] {
        let why = mass_driver::domain::branch_complaint(name).unwrap();
        let refused = clone.push(&commit, name, &Lease::Absent).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
        let from = mass_driver::domain::SourcedRepository { upstream_branch: Some(name.to_owned()), ..sourced(&bare) };
        let refused = scene.git.clone(&from).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
}

#[tokio::test]
async fn a_push_that_is_rejected_is_an_error_with_the_words_of_who_rejected_it() {
    let scene = Scene::new();
    let bare = scene.bare("api.git", &[("a.txt", "one\n")]);
    let hook = bare.join("hooks/pre-receive");
    std::fs::create_dir_all(bare.join("hooks")).unwrap();
    std::fs::write(&hook, "#!/bin/sh\nprintf 'names begin \\033[31mwith a ticket\\n' >&2\nexit 1\n").unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let (clone, _, commit) = changed(&scene.git, &sourced(&bare), write("a.txt", "two\n")).await;
    let error = clone.push(&commit, "x", &Lease::Absent).await.unwrap_err();
    let said = error.to_string();
    assert!(matches!(error, GitError::Rejected { .. }) && said.contains("with a ticket"), "{said}");
    assert!(!said.contains('\u{1b}'), "{said:?}");
    assert_eq!(clone.head_of("x").await.unwrap(), None);
}

/// Waiting and pushing again would change nothing about it.
#[tokio::test]
async fn a_branch_that_is_in_the_way_of_another_is_named() {
    let scene = Scene::new();
    let bare = scene.bare("api.git", &[("a.txt", "one\n")]);
    for taken in ["feat", "fix/deep/x"] {
        run(&bare, &["branch", taken, "main"]);
    }
    let there = format!("git.example.com:{}", bare.display());
    let git = crate::local::with_ssh(&scene);
    for repository in [sourced(&bare), sourced(there)] {
        let (clone, _, commit) = changed(&git, &repository, write("a.txt", "two\n")).await;
        for (branch, other) in
            [("feat/x", "feat"), ("feat/x/y", "feat"), ("fix", "fix/deep/x"), ("fix/deep", "fix/deep/x")]
        {
            let error = clone.push(&commit, branch, &Lease::Absent).await.unwrap_err();
            let words = format!("its branch `{other}` is in the way of `{branch}`");
            assert!(matches!(error, GitError::Rejected { .. }) && error.to_string().contains(&words), "{error}");
            assert!(error.to_string().ends_with("name another `head_branch`"), "{error}");
        }
        clone.push(&commit, "feature/x", &Lease::Absent).await.unwrap();
        run(&bare, &["branch", "-D", "feature/x"]);
    }
}

/// What the other side says of a branch that somebody has moved while the push was under way.
#[tokio::test]
async fn a_branch_that_cannot_be_written_for_no_other_branch_was_moved_meanwhile() {
    let scene = Scene::new();
    let bare = scene.bare("api.git", &[("a.txt", "one\n")]);
    let (clone, _, commit) = changed(&scene.git, &sourced(&bare), write("a.txt", "two\n")).await;
    std::fs::create_dir_all(bare.join("refs/heads")).unwrap();
    std::fs::write(bare.join("refs/heads/x.lock"), "").unwrap();
    let error = clone.push(&commit, "x", &Lease::Absent).await.unwrap_err();
    assert!(matches!(error, GitError::LeaseLost { .. }), "{error}");
}

#[tokio::test]
async fn sha256_and_no_author() {
    let scene = Scene::new();
    let folder = scene.path("modern");
    std::fs::create_dir(&folder).unwrap();
    run(&folder, &["init", "--quiet", "--object-format=sha256", "--initial-branch=main"]);
    commit_files(&folder, &[("a.txt", "one\n")]);
    let (clone, _, commit) = changed(&scene.git, &sourced(&folder), write("a.txt", "two\n")).await;
    assert_eq!(commit.id.as_str().len(), 64);
    clone.push(&commit, "x", &Lease::Absent).await.unwrap();
    assert_eq!(run(&folder, &["show", "x:a.txt"]), "two");

    let error = scene.git.person().await.unwrap_err();
    assert!(matches!(error, GitError::NoAuthor { .. }) && error.to_string().contains("user.email"), "{error}");
    std::fs::write(scene.path(".gitconfig"), "[user]\n\tname = Kim\n\temail = kim@example.com\n").unwrap();
    let known = Git::new(settings(scene.folder.path()));
    let mut clone = known.clone(&sourced(&folder)).await.unwrap();
    let files = clone.snapshot().await.unwrap();
    let of_the_user = CommitPlan { author: None, ..plan(vec![write("a.txt", "three\n")]) };
    let commit = clone.commit(&of_the_user, &files).await.unwrap();
    clone.push(&commit, "y", &Lease::Absent).await.unwrap();
    assert_eq!(run(&folder, &["log", "-1", "--format=%an %ae %cn", "y"]), "Kim kim@example.com Kim");
}
