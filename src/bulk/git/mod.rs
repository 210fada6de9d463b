//! git, as the executable that people have: it knows their keys, their helpers and their proxies.
//!
//! A repository is cloned bare, into a cache, and never into or onto a folder of somebody's. What changes texts needs no work
//! tree: one process reads trees and blobs (`cat-file --batch-command`), one writes blobs, trees and the commit
//! (`fast-import`). A repository on this machine is not copied at all: the clone borrows its objects.
//!
//! The repositories are untrusted. No hook of theirs runs, nothing they hold is a setting, names are given as ids or behind
//! `--`, and each process has its limits.

mod branches;
mod cache;
mod checkout;
mod clone;
mod commit;
mod environment;
mod error;
mod large_files;
mod objects;
mod push;
mod room;
mod snapshot;
mod unused;

pub(super) use cache::make_folder;
pub use checkout::{WorkTree, WorkTreeChanges};
pub use clone::BareClone;
pub use commit::{Commit, CommitContent, CommitPlan, Person};
pub use error::GitError;
pub use large_files::is_attributes;
pub use push::{CommitObject, Lease};
pub use unused::remove_unused;

use super::address::Address;
use super::process::{self, Bounds, Ended, Failure, Input};
use super::words::last_words;
use base64::Engine as _;
use cache::Slot;
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;
use tokio::sync::OnceCell;

/// The most that is taken from git where nothing else is said. Unit: bytes.
const ANSWER_BYTES: usize = 64 << 20;

/// How git is used.
#[derive(Clone, Debug)]
pub struct GitSettings {
    /// The executable: a path, or a name that is looked for on the `PATH`.
    pub program: OsString,
    /// The environment of whoever started us, in which git finds the user's settings, keys and proxies.
    pub environment: BTreeMap<OsString, OsString>,
    /// Where clones are kept; made if it is not there. Several processes may use it at a time.
    pub cache_folder: PathBuf,
    /// How long a step that speaks to another machine may take: a clone, a fetch, a push.
    pub remote_time: Duration,
    /// How long a step on this machine may take.
    pub local_time: Duration,
    /// Files that are larger are not read. Unit: bytes.
    pub file_bytes: u64,
    /// Who a forge takes us for, where git's own helpers are not to be asked.
    pub credential: Option<ForgeCredential>,
}

impl GitSettings {
    /// The git of the `PATH`, with ten minutes for what is remote and two for what is not, and files of up to 4 MiB.
    pub fn new(cache_folder: impl Into<PathBuf>, environment: BTreeMap<OsString, OsString>) -> Self {
        Self {
            program: "git".into(),
            environment,
            cache_folder: cache_folder.into(),
            remote_time: Duration::from_secs(600),
            local_time: Duration::from_secs(120),
            file_bytes: 4 << 20,
            credential: None,
        }
    }
}

/// A token for one forge. It is sent over https, or within this machine, to that host and to no other.
#[derive(Clone, Debug)]
pub struct ForgeCredential {
    /// The host that repositories' addresses name, with a port where they name one: `github.com`.
    pub host: String,
    /// The token.
    pub token: SecretString,
}

/// git, ready to be used by many tasks at a time.
#[derive(Debug)]
pub struct Git {
    settings: GitSettings,
    /// Never to be seen: the token, and what it is in a header.
    secrets: Vec<String>,
    /// What the user's settings say of who writes commits; they are asked once.
    person: OnceCell<Person>,
    /// The user's command for ssh; asked once.
    ssh: OnceCell<String>,
}

impl Git {
    /// Takes the settings. Nothing runs yet.
    pub fn new(settings: GitSettings) -> Self {
        let secrets = settings.credential.iter().flat_map(|credential| {
            let token = credential.token.expose_secret().to_owned();
            [basic(&token), token]
        });
        Self { secrets: secrets.collect(), settings, person: OnceCell::new(), ssh: OnceCell::new() }
    }

    /// Who writes the commits of somebody who is not named: as the user's settings of git say.
    ///
    /// Errors: [`GitError::NoAuthor`] where they do not.
    pub async fn person(&self) -> Result<&Person, GitError> {
        let asked = self.person.get_or_try_init(async || {
            let folder = cache::make_folder(&self.settings.cache_folder)?;
            // What stands in the repository around the cache, if there is one, is about that one.
            let mut command = self.command(&folder, ["var", "GIT_AUTHOR_IDENT"]);
            command.env("GIT_CEILING_DIRECTORIES", folder.parent().unwrap_or(&folder));
            let ended = self.end(command, b"", self.local()).await?;
            let said = String::from_utf8_lossy(&ended.out);
            // `Name <address> 1700000000 +0000`
            let name =
                ended.is_success().then(|| said.rsplit_once('>')).flatten().and_then(|(who, _)| who.split_once(" <"));
            name.and_then(|(name, email)| Person::new(name, email))
                .ok_or_else(|| GitError::NoAuthor { said: last_words(&ended.complaint, &self.secrets) })
        });
        asked.await
    }

    fn local(&self) -> Bounds {
        Bounds { time: self.settings.local_time, output_bytes: ANSWER_BYTES, cut: false, grace: None }
    }

    fn remote(&self) -> Bounds {
        Bounds { time: self.settings.remote_time, ..self.local() }
    }

    /// git in a folder, with nothing that could make it ask, run or look elsewhere.
    fn command<S: AsRef<OsStr>>(&self, folder: &Path, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(&self.settings.program);
        command.args(arguments).current_dir(folder);
        environment::prepare(&mut command, &self.settings.environment);
        command
    }

    /// git that may speak to the host of an address.
    async fn command_to<S: AsRef<OsStr>>(
        &self,
        address: &Address,
        folder: &Path,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Command, GitError> {
        let mut command = self.command(folder, arguments);
        if let (Some(http), Some(credential)) = (address.http(), &self.settings.credential)
            && http.host == credential.host.to_ascii_lowercase()
        {
            let key = format!("http.{}://{}/.extraHeader", http.scheme, http.host);
            let value = format!("Authorization: Basic {}", basic(credential.token.expose_secret()));
            // The setting is a list, and two of such a header are refused: what stood in it goes first.
            environment::set(&mut command, &[(&key, ""), (&key, &value)]);
        }
        // An address of http may become one of ssh, by `insteadOf` of the user's settings.
        if address.folder().is_none() && !self.settings.environment.contains_key(OsStr::new("GIT_SSH")) {
            let ssh = self.ssh.get_or_try_init(async || self.ask_for_ssh(folder).await).await?;
            command.env("GIT_SSH_COMMAND", ssh);
        }
        Ok(command)
    }

    /// The user's ssh, told not to ask anything.
    async fn ask_for_ssh(&self, folder: &Path) -> Result<String, GitError> {
        let set = match self.settings.environment.get(OsStr::new("GIT_SSH_COMMAND")) {
            Some(set) => set.to_string_lossy().into_owned(),
            None => {
                let command = self.command(folder, ["config", "--get", "core.sshCommand"]);
                String::from_utf8_lossy(&self.end(command, b"", self.local()).await?.out).trim().to_owned()
            }
        };
        let program = set.split_whitespace().next().unwrap_or("ssh");
        let is_openssh = program.rsplit('/').next() == Some("ssh");
        Ok(match (set.as_str(), is_openssh) {
            ("", _) => "ssh -oBatchMode=yes".to_owned(),
            (_, true) => format!("{set} -oBatchMode=yes"),
            (_, false) => set,
        })
    }

    /// Runs git until it ends, well or not.
    async fn end(&self, command: Command, input: &[u8], bounds: Bounds) -> Result<Ended, GitError> {
        self.end_with(command, Input::Bytes(input), bounds).await
    }

    async fn end_with(&self, mut command: Command, input: Input<'_>, bounds: Bounds) -> Result<Ended, GitError> {
        process::run(&mut command, input, bounds).await.map_err(|failure| self.failed(failure))
    }

    /// Runs git, and takes what it answers.
    async fn answer(&self, what: &str, command: Command, input: &[u8], bounds: Bounds) -> Result<Vec<u8>, GitError> {
        let ended = self.end(command, input, bounds).await?;
        if ended.is_success() { Ok(ended.out) } else { Err(self.refused(what, &ended.complaint)) }
    }

    /// The same of a git that writes into a clone. It holds the clone's place for as long as it lives: if this process is killed,
    /// nobody works in the folder before git has ended as well.
    async fn answer_in(&self, slot: &Slot, what: &str, command: Command, bounds: Bounds) -> Result<Vec<u8>, GitError> {
        let held = slot.lent().map_err(|error| GitError::disk(what, &error))?;
        let ended = self.end_with(command, Input::Held(held), bounds).await?;
        if ended.is_success() { Ok(ended.out) } else { Err(self.refused(what, &ended.complaint)) }
    }

    /// What a complaint of git's means for whoever asked `what`.
    fn refused(&self, what: &str, complaint: &[u8]) -> GitError {
        GitError::of(what, last_words(complaint, &self.secrets))
    }

    fn failed(&self, failure: Failure) -> GitError {
        match failure {
            Failure::Start(error) if error.kind() == std::io::ErrorKind::NotFound => {
                GitError::NoGit { program: self.settings.program.to_string_lossy().into_owned() }
            }
            Failure::TimedOut { after, complaint } => {
                GitError::TimedOut { after, said: last_words(&complaint, &self.secrets) }
            }
            other => GitError::Other { what: "running git".to_owned(), said: other.to_string() },
        }
    }
}

/// A token as GitHub takes it from git: the password of whatever name.
fn basic(token: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(format!("x-access-token:{token}"))
}
