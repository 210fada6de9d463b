//! A person at a shell: a folder, a home, a GitHub on loopback that `git@github.com:` leads to, and the executable.

use crate::support::contract::Contract;
use github_sim::{FileChangeInput, GitHubSim, RepoOptions, Role};
use mass_driver::app;
use mass_driver::domain::RunId;
use mass_driver::store::Store;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

/// What a command printed and ended with.
#[derive(Debug)]
pub struct Told {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Told {
    pub fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap();
        Self { code, out: text(output.stdout), err: text(output.stderr) }
    }

    /// Its standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// How each repository ended, in order.
    pub fn ends(&self) -> Vec<String> {
        ends(&self.json())
    }

    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }

    /// The standard output has all of these.
    #[track_caller]
    pub fn shows(self, expected: &[&str]) -> Self {
        for words in expected {
            assert!(self.out.contains(words), "`{words}` is not in:\n{}\n{}", self.out, self.err);
        }
        self
    }

    /// The standard error has all of these.
    #[track_caller]
    pub fn notes(self, expected: &[&str]) -> Self {
        for words in expected {
            assert!(self.err.contains(words), "`{words}` is not in:\n{}\n{}", self.err, self.out);
        }
        self
    }
}

/// How each repository of a report ended, in order.
pub fn ends(report: &Value) -> Vec<String> {
    let all = report["repositories"].as_array().unwrap_or_else(|| panic!("{report}"));
    all.iter().map(|one| one["end"].as_str().unwrap().to_owned()).collect()
}

/// GitHub with the organisation `acme`, and `dana`, who may push to what [`World::repository`] makes.
pub struct World {
    pub github: GitHubSim,
    folder: tempfile::TempDir,
    pub token: String,
}

impl World {
    pub fn new() -> Self {
        let github = GitHubSim::start(Arc::new(app::now)).unwrap();
        github.organization("acme");
        github.person("dana");
        let token = github.personal_token("dana");
        let world = Self { github, folder: tempfile::tempdir().unwrap(), token };
        for folder in ["home", "bin", "work"] {
            std::fs::create_dir(world.folder.path().join(folder)).unwrap();
        }
        let url = world.github.url();
        // As a person's git: an address that leads elsewhere, and a helper that knows the password.
        let settings = format!(
            "[user]\n\tname = Dana\n\temail = dana@example.com\n[url \"{url}/\"]\n\tinsteadOf = git@github.com:\n\
             [credential \"{url}\"]\n\thelper = \"!f() {{ echo username=dana; echo password={}; }}; f\"\n",
            world.token
        );
        std::fs::write(world.folder.path().join("home/gitconfig"), settings).unwrap();
        world
    }

    /// Makes a private repository `acme/NAME`, which dana may push to. Returns its id.
    pub fn repository(&self, name: &str, files: &[(&str, &str)]) -> i64 {
        let name = format!("acme/{name}");
        let options = files.iter().fold(RepoOptions::default(), |options, (path, text)| options.file(path, text));
        let id = self.github.create_repo(&name, options).unwrap();
        self.github.set_role(&name, "dana", Role::Write).unwrap();
        id
    }

    /// Several that hold a `counter.txt` with a 0, and their addresses for ssh.
    pub fn counters(&self, names: &[&str]) -> Vec<String> {
        for name in names {
            self.repository(name, &[("counter.txt", "0\n"), ("README.md", "# It counts\n")]);
        }
        names.iter().map(|name| ssh(name)).collect()
    }

    /// Where commands are run.
    pub fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Where runs are kept.
    pub fn runs_file(&self) -> PathBuf {
        self.home().join(".local/state/mass-driver/runs.db")
    }

    /// Writes a file where commands are run.
    pub fn write(&self, name: &str, text: &str) {
        let file = self.work().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.work().join(name)).unwrap()
    }

    /// Puts a program onto the PATH.
    pub fn install(&self, name: &str, script: &str) {
        let program = self.folder.path().join("bin").join(name);
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// The command, with nothing of whoever runs the tests but their programs.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mass-driver"));
        self.settle(&mut command);
        command.args(arguments);
        command
    }

    /// A shell that finds the command on its PATH.
    pub fn shell(&self, script: &str) -> Command {
        let link = self.folder.path().join("bin/mass-driver");
        if !link.exists() {
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_mass-driver"), link).unwrap();
        }
        let mut command = Command::new("/bin/sh");
        self.settle(&mut command);
        command.args(["-e", "-c", script]);
        command
    }

    fn settle(&self, command: &mut Command) {
        let bin = self.folder.path().join("bin");
        #[expect(clippy::disallowed_methods, reason = "a person's shell has the PATH of whoever tests")]
        let path = std::env::var_os("PATH").unwrap();
        let path = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&path))).unwrap();
        command.current_dir(self.work()).env_clear().stdin(Stdio::null());
        command.env("PATH", path).env("HOME", self.home());
        command.env("GIT_CONFIG_GLOBAL", self.home().join("gitconfig")).env("GIT_CONFIG_NOSYSTEM", "1");
        command.env("GITHUB_API_URL", self.github.url()).env("FORGE_TOKEN", &self.token);
        command.env("MASS_DRIVER_WRITE_SPACING_MS", "0");
    }

    pub fn run(&self, arguments: &[&str]) -> Told {
        Told::of(self.command(arguments).output().unwrap())
    }

    /// Runs an Activity over some repositories, and prints the result as JSON.
    pub fn drive(&self, activity: &str, repositories: &[&str], more: &[&str]) -> Told {
        let mut arguments = vec!["run", activity, "--format", "json"];
        arguments.extend(more);
        if !repositories.is_empty() {
            arguments.push("--repo-path");
            arguments.extend(repositories);
        }
        self.run(&arguments)
    }

    /// A minute passes without a word from whoever works on a run. Then another process takes it up, and is killed at once.
    pub async fn a_minute_after(&self, run: i64) {
        let database = format!("sqlite://{}", self.runs_file().display());
        let store = Store::connect(&database).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let (until, late) = ("2026-01-01T00:00:00Z".parse().unwrap(), "2100-01-01T00:00:00Z".parse().unwrap());
        assert!(tx.take_up_run(RunId(run), until, late).await.unwrap().is_some());
        tx.commit().await.unwrap();
        store.close().await;
    }

    /// Waits until the store knows the pull request of a run's first repository.
    pub async fn knows_of_pull(&self, run: i64) {
        let store = Store::connect(&format!("sqlite://{}", self.runs_file().display())).await.unwrap();
        while store.run_repositories(RunId(run)).await.unwrap()[0].pull.is_none() {
            tokio::task::yield_now().await;
        }
        store.close().await;
    }

    /// Somebody commits a file to a branch. Returns the commit.
    pub fn commit(&self, name: &str, branch: &str, (path, text): (&str, &str), message: &str) -> String {
        let change = [FileChangeInput::put(path, text)];
        self.github.push_as("dana", &format!("acme/{name}"), branch, &change, message).unwrap()
    }

    /// Commits of a branch that are not on `main`, newest first.
    pub fn commits(&self, name: &str, branch: &str) -> Vec<github_sim::CommitView> {
        let repo = format!("acme/{name}");
        let base = self.github.head(&repo, "main").unwrap().unwrap();
        self.github.commits(&repo, branch).unwrap().into_iter().take_while(|commit| commit.sha != base).collect()
    }

    /// A file on a branch, as a text.
    pub fn file(&self, name: &str, branch: &str, path: &str) -> Option<String> {
        let bytes = self.github.file(&format!("acme/{name}"), branch, path).unwrap()?;
        Some(String::from_utf8(bytes).unwrap())
    }

    pub fn pulls(&self, name: &str) -> Vec<github_sim::PullRequestView> {
        self.github.pull_requests(&format!("acme/{name}")).unwrap()
    }
}

/// Whatever a story is about: what was said to GitHub keeps to its own description, and no token lies about.
impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let violations = Contract::load().all_violations(self.github.exchanges());
        assert!(violations.is_empty(), "against GitHub's API description:\n{}", violations.join("\n"));
        for folder in [self.work(), self.home().join(".cache"), self.home().join(".local")] {
            assert!(!is_written(&folder, &self.token), "the token lies below {}", folder.display());
        }
    }
}

/// Whether a text stands in any file below a folder.
fn is_written(folder: &Path, text: &str) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.into_iter().any(|entry| {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        match (kind.is_dir(), kind.is_file()) {
            (true, _) => is_written(&entry.path(), text),
            (_, true) => String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).contains(text),
            _ => false,
        }
    })
}

/// The address by which a person with keys clones `acme/NAME`.
pub fn ssh(name: &str) -> String {
    format!("git@github.com:acme/{name}.git")
}

pub fn refs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// git as a person uses it. Gives what it printed.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", folder);
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Robin").env(format!("GIT_{role}_EMAIL"), "robin@example.com");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A checkout with some files committed on `main`.
pub fn checkout(folder: &Path, files: &[(&str, &str)]) {
    std::fs::create_dir_all(folder).unwrap();
    git(folder, &["init", "--quiet", "--initial-branch=main"]);
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--message=files"]);
}

/// An Activity that sets the counter, and opens pull requests for it.
pub fn count_to(count: i64) -> String {
    format!("{}{FORGE}", migration(count))
}

/// An Activity that sets the counter in the clones alone.
pub fn migration(count: i64) -> String {
    format!(
        "migration:\n  commit_message: |\n    Count to {count}\n\n    As it was agreed.\n  branch_name: count\n  \
         driver_name: counter\n  driver_config: {{ target_file: counter.txt, target_count: {count} }}\n"
    )
}

/// An Activity whose change a command line makes in the clones alone. `more` are further keys of the migration.
#[cfg(target_os = "linux")]
pub fn shell(command: &str, more: &str) -> String {
    format!(
        "migration:\n  commit_message: By a command\n  branch_name: shell\n  driver_name: shell\n  driver_config:\n    command: |\n      {command}\n{more}"
    )
}

pub const FORGE: &str = "forge:\n  forge_name: github\n";
