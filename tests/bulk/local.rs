//! Repositories on this machine: cloned, read, and left as they were.

use crate::scene::{Scene, at_branch, commit_files, path, run, settings, sourced, touch};
use mass_driver::bulk::git::{Git, GitError};
use mass_driver::domain::{EntryKind, FileMode, Reading, SourcedRepository};

#[tokio::test]
async fn a_repository_is_read_from_its_head_and_not_touched() {
    let scene = Scene::new();
    let work = scene.checkout("api", &[("a.txt", "one\n"), ("src/größe \"x\".txt", "two\n")]);
    std::fs::write(work.join("run.sh"), "#!/bin/sh\n").unwrap();
    std::os::unix::fs::symlink("a.txt", work.join("link")).unwrap();
    run(&work, &["add", "--all"]);
    run(&work, &["update-index", "--chmod=+x", "run.sh"]);
    run(&work, &["commit", "--quiet", "-m", "more"]);
    std::fs::write(work.join("a.txt"), "not committed").unwrap();
    std::fs::write(work.join("untracked"), "x").unwrap();
    let before = (run(&work, &["for-each-ref"]), run(&work, &["status", "--porcelain"]));

    let mut clone = scene.git.clone(&sourced(&work)).await.unwrap();
    let mut files = clone.snapshot().await.unwrap();
    assert_eq!(clone.branch(), Some("main"));
    assert_eq!(clone.base().as_str(), run(&work, &["rev-parse", "HEAD"]));
    assert!(clone.leaves_out_uncommitted());
    assert_eq!(files.kind(&path("link")), Some(EntryKind::Symlink));
    assert_eq!(files.mode(&path("run.sh")), Some(FileMode::Executable));
    assert_eq!(files.kind(&path("untracked")), None);
    clone.read(&mut files, &[path("a.txt"), path("src/größe \"x\".txt"), path("link"), path("absent")]).await.unwrap();
    assert_eq!(files.text(&path("a.txt")), Some("one\n"));
    assert_eq!(files.text(&path("src/größe \"x\".txt")), Some("two\n"));
    assert_eq!(files.reading(&path("link")), None);
    assert_eq!((run(&work, &["for-each-ref"]), run(&work, &["status", "--porcelain"])), before);
}

/// As git-lfs does: what is in the work tree is not what is committed, and git is clean.
#[tokio::test]
async fn a_checkout_with_a_filter_is_as_clean_as_its_owner_sees_it() {
    let scene = Scene::new();
    let checkout = scene.checkout("api", &[("a.txt", "one\n")]);
    run(&checkout, &["config", "filter.lfs.clean", "sed s/real/pointer/"]);
    run(&checkout, &["config", "filter.lfs.smudge", "sed s/pointer/real/"]);
    commit_files(&checkout, &[(".gitattributes", "*.bin filter=lfs\n"), ("a.bin", "real\n")]);
    assert_eq!(run(&checkout, &["show", "HEAD:a.bin"]), "pointer");
    touch(&checkout.join("a.bin"));
    let clone = scene.git.clone(&sourced(&checkout)).await.unwrap();
    assert!(!clone.leaves_out_uncommitted());
}

#[tokio::test]
async fn addresses_of_files_and_other_branches() {
    let scene = Scene::new();
    let bare = scene.bare("a b.git", &[("a.txt", "main\n")]);
    let work = scene.path("a b.git.work");
    run(&work, &["checkout", "--quiet", "-b", "release/1.x"]);
    commit_files(&work, &[("a.txt", "release\n")]);
    run(&work, &["push", "--quiet", bare.to_str().unwrap(), "release/1.x"]);

    let address = format!("file://{}", bare.to_str().unwrap().replace(' ', "%20"));
    let clone = scene.git.clone(&sourced(&address)).await.unwrap();
    assert_eq!((clone.branch(), clone.leaves_out_uncommitted()), (Some("main"), false));
    let mut other = scene.git.clone(&at_branch(&address, "release/1.x")).await.unwrap();
    assert_eq!(other.branch(), Some("release/1.x"));
    assert_ne!(clone.folder(), other.folder(), "both are in use");
    let mut files = other.snapshot().await.unwrap();
    other.read(&mut files, &[path("a.txt")]).await.unwrap();
    assert_eq!(files.text(&path("a.txt")), Some("release\n"));
    let missing = scene.git.clone(&at_branch(&bare, "absent")).await.unwrap_err();
    let expected = format!("cloning {}: it has no branch absent (it has: main, release/1.x)", bare.display());
    assert_eq!(missing.to_string(), expected);
}

/// As `git init --bare` leaves it behind where other names are usual than were pushed.
#[tokio::test]
async fn a_default_branch_that_is_not_there_is_told_from_an_empty_repository() {
    let scene = Scene::new();
    let bare = scene.bare("api.git", &[("a.txt", "one\n")]);
    for branch in ["b", "c", "d", "e", "f"] {
        run(&bare, &["branch", branch, "main"]);
    }
    let git = with_ssh(&scene);
    let (here, there) = (sourced(&bare), sourced(format!("git.example.com:{}", bare.display())));
    // One of the two is known before.
    assert!(git.clone(&there).await.is_ok());
    run(&bare, &["symbolic-ref", "HEAD", "refs/heads/master"]);
    let other = sourced(format!("ssh://git.example.com{}", bare.display()));
    for (repository, what, name) in
        [(&here, "cloning", " `master`"), (&there, "fetching", ""), (&other, "cloning", " `master`")]
    {
        let refused = git.clone(repository).await.unwrap_err().to_string();
        let has = "name `upstream_branch` (it has: b, c, d, e, f and others)";
        let expected = format!("{what} {}: its default branch{name} is not there; {has}", repository.clone_url);
        assert_eq!(refused, expected);
    }
    let named = |repository: &SourcedRepository| at_branch(&repository.clone_url, "main");
    for repository in [&here, &there, &other] {
        assert_eq!(git.clone(&named(repository)).await.unwrap().branch(), Some("main"));
    }
}

#[tokio::test]
async fn what_is_no_repository_is_told_from_what_is_empty() {
    let scene = Scene::new();
    std::fs::create_dir(scene.path("folder")).unwrap();
    let work = scene.checkout("whole", &[("sub/a.txt", "x")]);
    run(scene.folder.path(), &["init", "--quiet", "empty"]);
    let in_one = format!(", but a folder in one: name {}", work.display());
    for (missing, hint) in [(scene.path("folder"), " (name its top folder)"), (work.join("sub"), in_one.as_str())] {
        let told = scene.git.clone(&sourced(&missing)).await.unwrap_err().to_string();
        assert_eq!(told, format!("cloning {}: it is no git repository{hint}", missing.display()));
    }
    assert!(matches!(scene.git.clone(&sourced(scene.path("empty"))).await.unwrap_err(), GitError::Empty));
}

#[tokio::test]
async fn a_second_clone_sees_what_came_meanwhile_and_nothing_of_the_first() {
    let scene = Scene::new();
    let work = scene.checkout("api", &[("a.txt", "one\n")]);
    let first = scene.git.clone(&sourced(&work)).await.unwrap();
    let folder = first.folder().to_owned();
    std::fs::write(folder.join("refs/heads/stray"), "x").unwrap();
    drop(first);
    commit_files(&work, &[("a.txt", "two\n")]);
    let mut second = scene.git.clone(&sourced(&work)).await.unwrap();
    assert_eq!(second.folder(), folder, "it is the same place");
    assert!(!folder.join("refs/heads/stray").exists());
    let mut files = second.snapshot().await.unwrap();
    second.read(&mut files, &[path("a.txt")]).await.unwrap();
    assert_eq!(files.text(&path("a.txt")), Some("two\n"));
}

#[tokio::test]
async fn repositories_of_one_name_never_meet() {
    let scene = Scene::new();
    for owner in ["acme", "other"] {
        std::fs::create_dir(scene.path(owner)).unwrap();
        scene.checkout(&format!("{owner}/api"), &[("a.txt", owner)]);
    }
    for owner in ["acme", "other", "acme"] {
        let mut clone = scene.git.clone(&sourced(scene.path(&format!("{owner}/api")))).await.unwrap();
        let mut files = clone.snapshot().await.unwrap();
        clone.read(&mut files, &[path("a.txt")]).await.unwrap();
        assert_eq!(files.text(&path("a.txt")), Some(owner));
    }
}

#[tokio::test]
async fn many_tasks_and_several_runs_share_a_cache() {
    let scene = Scene::new();
    let work = scene.checkout("api", &[("a.txt", "one\n")]);
    let other = Git::new(settings(scene.folder.path()));
    let clones = (0..24).map(|n| {
        let (git, repository) = (if n % 2 == 0 { &scene.git } else { &other }, sourced(&work));
        async move {
            let mut clone = git.clone(&repository).await.unwrap();
            let mut files = clone.snapshot().await.unwrap();
            clone.read(&mut files, &[path("a.txt")]).await.unwrap();
            files.text(&path("a.txt")).unwrap().to_owned()
        }
    });
    let read = futures_util::future::join_all(clones).await;
    assert!(read.iter().all(|text| text == "one\n"), "{read:?}");
}

#[tokio::test]
async fn files_that_are_large_or_no_text_are_said_to_be() {
    let scene = Scene::new();
    let work = scene.checkout("api", &[("large", &"x".repeat(2000)), ("copy", &"x".repeat(2000)), ("zero", "a\0b")]);
    let mut settings = settings(scene.folder.path());
    settings.file_bytes = 1000;
    let git = Git::new(settings);
    let mut clone = git.clone(&sourced(&work)).await.unwrap();
    let mut files = clone.snapshot().await.unwrap();
    clone.read(&mut files, &["large", "copy", "zero"].map(path)).await.unwrap();
    assert_eq!(files.reading(&path("large")), Some(&Reading::TooLarge { bytes: 2000 }));
    assert_eq!(files.reading(&path("copy")), Some(&Reading::TooLarge { bytes: 2000 }));
    assert_eq!(files.reading(&path("zero")), Some(&Reading::Binary));
}

#[tokio::test]
async fn thousands_of_files_are_read_without_a_deadlock() {
    let scene = Scene::new();
    let files: Vec<(String, String)> =
        (0..3000).map(|n| (format!("d{}/f{n}", n % 50), format!("{n}\n").repeat(200))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let work = scene.checkout("api", &files);
    let mut clone = scene.git.clone(&sourced(&work)).await.unwrap();
    let mut seen = clone.snapshot().await.unwrap();
    let paths: Vec<_> = seen.files().map(|(path, _)| path.clone()).collect();
    assert_eq!(paths.len(), 3000);
    clone.read(&mut seen, &paths).await.unwrap();
    for (name, text) in files {
        assert_eq!(seen.text(&path(name)), Some(text));
    }
}

#[tokio::test]
async fn names_that_are_no_paths_of_ours_are_left_out() {
    let scene = Scene::new();
    let work = scene.checkout("api", &[("a.txt", "x")]);
    let blob = run(&work, &["rev-parse", "HEAD:a.txt"]);
    let mut tree = format!("100644 blob {blob}\tback\\slash\0100644 blob {blob}\tgood\0").into_bytes();
    tree.extend(format!("100644 blob {blob}\t").bytes());
    tree.extend(b"\xff\xfe\0");
    let file = scene.path("tree");
    std::fs::write(&file, tree).unwrap();
    let mut mktree = std::process::Command::new("git");
    let made =
        mktree.args(["mktree", "-z"]).current_dir(&work).stdin(std::fs::File::open(file).unwrap()).output().unwrap();
    let tree = String::from_utf8(made.stdout).unwrap();
    let commit = run(&work, &["commit-tree", "-m", "odd", tree.trim()]);
    run(&work, &["update-ref", "refs/heads/odd", &commit]);
    let mut clone = scene.git.clone(&at_branch(&work, "odd")).await.unwrap();
    let seen = clone.snapshot().await.unwrap();
    assert_eq!(seen.files().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["good"]);
}

#[tokio::test]
async fn git_that_is_not_there_and_git_that_hangs() {
    let scene = Scene::new();
    let work = scene.checkout("api", &[("a.txt", "x")]);
    let mut settings = settings(scene.folder.path());
    settings.program = scene.path("no-git").into();
    let error = Git::new(settings.clone()).clone(&sourced(&work)).await.unwrap_err();
    assert!(matches!(error, GitError::NoGit { .. }), "{error}");

    let program = scene.path("slow-git");
    std::fs::write(&program, "#!/bin/sh\necho remote: password hunter2 >&2\nsleep 1000\n").unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    settings.program = program.into();
    settings.local_time = std::time::Duration::from_millis(300);
    let error = Git::new(settings).clone(&sourced(&work)).await.unwrap_err();
    assert!(matches!(error, GitError::TimedOut { .. }), "{error}");
}

/// An ssh that stays on this machine, and notes what it was given.
pub fn with_ssh(scene: &Scene) -> Git {
    let (ssh, log) = (scene.path("ssh"), scene.path("ssh.log"));
    // Its arguments: options, the host, the command line.
    let script = format!("#!/bin/sh\necho \"$@\" >> '{}'\nfor last; do :; done\nexec sh -c \"$last\"\n", log.display());
    std::fs::write(&ssh, script).unwrap();
    std::fs::set_permissions(&ssh, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut settings = settings(scene.folder.path());
    settings.environment.insert("GIT_SSH_COMMAND".into(), ssh.into());
    Git::new(settings)
}

/// Whoever has set `insteadOf` must not be asked by an ssh of ours either.
#[tokio::test]
async fn an_address_of_http_that_becomes_one_of_ssh_asks_nothing() {
    let scene = Scene::new();
    let bare = scene.bare("api.git", &[("a.txt", "one\n")]);
    let (ssh, log) = (scene.path("ssh"), scene.path("ssh.log"));
    let script = format!("#!/bin/sh\necho \"$@\" >> '{}'\nfor last; do :; done\nexec sh -c \"$last\"\n", log.display());
    std::fs::write(&ssh, script).unwrap();
    std::fs::set_permissions(&ssh, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let instead = format!(
        "[url \"git@git.example.com:{}/\"]\n\tinsteadOf = https://git.example.com/acme/\n",
        scene.folder.path().display()
    );
    std::fs::write(scene.path(".gitconfig"), format!("[core]\n\tsshCommand = {}\n{instead}", ssh.display())).unwrap();
    assert!(bare.exists());
    let clone = scene.git.clone(&sourced("https://git.example.com/acme/api.git")).await.unwrap();
    drop(clone);
    let called = std::fs::read_to_string(log).unwrap();
    assert!(!called.is_empty() && called.lines().all(|line| line.contains("-oBatchMode=yes")), "{called}");
}

#[tokio::test]
async fn over_ssh_in_both_ways_to_write_it() {
    let scene = Scene::new();
    let bare = scene.bare("api.git", &[("a.txt", "one\n"), ("b.txt", "two\n")]);
    run(&bare, &["config", "uploadpack.allowFilter", "true"]);
    run(&bare, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let git = with_ssh(&scene);
    for address in
        [format!("dana@git.example.com:{}", bare.display()), format!("ssh://git.example.com{}", bare.display())]
    {
        let mut clone = git.clone(&sourced(&address)).await.unwrap();
        let mut files = clone.snapshot().await.unwrap();
        clone.read(&mut files, &[path("a.txt"), path("b.txt")]).await.unwrap();
        assert_eq!((files.text(&path("a.txt")), files.text(&path("b.txt"))), (Some("one\n"), Some("two\n")));
        let missing = git.clone(&sourced(format!("git.example.com:{}x", bare.display()))).await.unwrap_err();
        assert!(matches!(missing, GitError::NotFound { .. }), "{missing}");
    }
    let log = std::fs::read_to_string(scene.path("ssh.log")).unwrap();
    assert!(log.lines().all(|line| line.contains("BatchMode=yes")), "nobody is asked for a password: {log}");
}

#[tokio::test]
async fn dropping_the_future_ends_git_and_what_it_started() {
    let scene = Scene::new();
    let work = scene.checkout("api", &[("a.txt", "x")]);
    let (program, lock, held) = (scene.path("slow-git"), scene.path("lock"), scene.path("held"));
    // The lock is held by a child of the process for as long as it lives.
    let script = format!("#!/bin/sh\nflock '{}' sh -c 'touch \"{}\"; sleep 1000'\n:\n", lock.display(), held.display());
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut settings = settings(scene.folder.path());
    settings.program = program.into();
    let git = Git::new(settings);
    let repository = sourced(&work);
    let is_held = async {
        while !held.exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        clone = git.clone(&repository) => panic!("{clone:?}"),
        () = is_held => {}
    }
    std::fs::File::open(lock).unwrap().lock().unwrap();
}

#[tokio::test]
async fn a_path_at_which_there_is_nothing_is_told_with_what_may_be_meant() {
    let scene = Scene::new();
    let told = async |address: &str| scene.git.clone(&sourced(address)).await.unwrap_err().to_string();
    let here = std::env::current_dir().unwrap();
    let nothing = |address: &str| format!("cloning {}: there is no such folder", here.join(address).display());
    assert_eq!(
        told("acme/api").await,
        nothing("acme/api")
            + ". A repository on GitHub is written `git@github.com:acme/api.git` or `https://github.com/acme/api`"
    );
    assert_eq!(told("~/api").await, nothing("~/api") + ". `~` is for a shell to fill in: write the whole path");
    assert_eq!(told("/absent/api").await, "cloning /absent/api: there is no such folder");
    assert_eq!(told("a/b/c").await, nothing("a/b/c"));
}
