//! Repositories on the disk, and shortcuts to what is done with them.

use mass_driver::bulk::git::{BareClone, Commit, CommitContent, CommitPlan, Git, GitSettings, Person};
use mass_driver::domain::{FileChange, FileEdit, FileMode, RepoPath, Snapshot, SourcedRepository};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder with repositories and a cache, gone at the end of the test.
pub struct Scene {
    pub folder: tempfile::TempDir,
    pub git: Git,
}

impl Scene {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let git = Git::new(settings(folder.path()));
        Self { folder, git }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A checkout with some files committed on `main`.
    pub fn checkout(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let folder = self.path(name);
        std::fs::create_dir(&folder).unwrap();
        run(&folder, &["init", "--quiet", "--initial-branch=main"]);
        commit_files(&folder, files);
        folder
    }

    /// A bare repository with some files on `main`.
    pub fn bare(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let work = self.checkout(&format!("{name}.work"), files);
        let bare = self.path(name);
        run(&work, &["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()]);
        bare
    }
}

pub fn settings(folder: &Path) -> GitSettings {
    // A user without settings, whoever runs this.
    let mut environment: BTreeMap<_, _> = std::env::vars_os().filter(|(name, _)| name == "PATH").collect();
    environment.insert("HOME".into(), folder.into());
    environment.insert("GIT_CONFIG_NOSYSTEM".into(), "1".into());
    GitSettings::new(folder.join("cache"), environment)
}

/// Leaves a file as it is, at a later time.
pub fn touch(file: &Path) {
    let file = std::fs::File::open(file).unwrap();
    let later = file.metadata().unwrap().modified().unwrap() + std::time::Duration::from_secs(5);
    file.set_modified(later).unwrap();
}

/// git as a person uses it. Gives what it printed.
pub fn run(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(folder);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", folder);
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Dana").env(format!("GIT_{role}_EMAIL"), "dana@example.com");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

pub fn commit_files(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let file = folder.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    run(folder, &["add", "--all"]);
    run(folder, &["commit", "--quiet", "--message=files"]);
}

pub fn sourced(address: impl AsRef<Path>) -> SourcedRepository {
    let address = address.as_ref().to_str().unwrap().to_owned();
    SourcedRepository { id: address.clone(), clone_url: address, upstream_branch: None, patch_data: BTreeMap::new() }
}

pub fn at_branch(address: impl AsRef<Path>, branch: &str) -> SourcedRepository {
    SourcedRepository { upstream_branch: Some(branch.to_owned()), ..sourced(address) }
}

pub fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

pub fn write(name: &str, text: &str) -> FileEdit {
    FileEdit::Write(FileChange { path: path(name), mode: FileMode::Regular, text: text.to_owned() })
}

pub fn plan(edits: Vec<FileEdit>) -> CommitPlan {
    CommitPlan {
        content: CommitContent::Edits(edits),
        message: "Say it\n\nand why\n".to_owned(),
        author: Person::new("Robin \"R\" O'Neil", "robin@example.com"),
        at: "2026-01-05T08:00:00Z".parse().unwrap(),
        branch: None,
    }
}

/// Clones, and commits one edit.
pub async fn changed<'a>(
    git: &'a Git,
    repository: &SourcedRepository,
    edit: FileEdit,
) -> (BareClone<'a>, Snapshot, Commit) {
    let mut clone = git.clone(repository).await.unwrap();
    let files = clone.snapshot().await.unwrap();
    let commit = clone.commit(&plan(vec![edit]), &files).await.unwrap();
    (clone, files, commit)
}
