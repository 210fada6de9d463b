//! Servers that live as long as the test that started them, however it ends.

use mass_driver::domain::{Ecosystem, PackageId};
use mass_driver::registries::{Answer, FoundRelease, Listing, RegistryError};
use reqwest::Client;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

/// For a server to say that it is ready; a broken one says nothing, and somebody waits.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs a command until standard input ends, which it does even when the test is killed, and then ends the command. All that
/// the server keeps is thrown away, so it need not be asked kindly.
const UNTIL_END_OF_INPUT: &str = r#"exec 2>&1; "$@" & server=$!; read -r _; kill -KILL "$server"; wait"#;

/// A file of this repository.
pub fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// What `scripts/indexes` installed.
pub fn installed(path: &str) -> PathBuf {
    let found = here("target/indexes").join(path);
    assert!(found.exists(), "{} is not there: `make indexes` installs it", found.display());
    found
}

/// The Python that has the Python indexes.
pub fn python() -> PathBuf {
    installed("python/bin/python")
}

/// A server, its folder and what it has printed.
pub struct Server {
    /// `127.0.0.1:port`.
    pub address: SocketAddr,
    /// Where it keeps everything.
    pub folder: TempDir,
    printed: Arc<Mutex<Vec<String>>>,
    process: Child,
}

impl Server {
    /// Starts a program in a folder. It listens where the line says that has `announcement`, an address after it.
    pub fn start<A: Into<OsString>>(
        folder: TempDir,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
        announcement: &str,
    ) -> Self {
        let mut process = Command::new("bash")
            .args(["-c", UNTIL_END_OF_INPUT, "bash"])
            .arg(program)
            .args(arguments.into_iter().map(Into::into))
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let printed = Arc::new(Mutex::new(Vec::new()));
        let (announce, announced) = mpsc::channel();
        // Read to the end: a server whose output nobody takes stands still.
        let (keeping, marker) = (Arc::clone(&printed), announcement.to_owned());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let address = line.split_once(&marker).and_then(|(_, rest)| address_in(rest));
                keeping.lock().unwrap().push(line);
                if let Some(address) = address {
                    let _ = announce.send(address);
                }
            }
        });
        let address = announced.recv_timeout(PATIENCE);
        // From here on a panic ends the process: its input is closed with it.
        let address = address.unwrap_or_else(|error| {
            let said = printed.lock().unwrap().join("\n");
            let why = match error {
                RecvTimeoutError::Timeout => "did not say that it is ready",
                RecvTimeoutError::Disconnected => "ended before it was ready",
            };
            drop(process.stdin.take());
            panic!("{} {why}:\n{said}", program.display())
        });
        Self { address, folder, printed, process }
    }

    /// The root, with a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// What it has printed so far.
    pub fn printed(&self) -> String {
        self.printed.lock().unwrap().join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// `127.0.0.1:4711`, whatever comes after it.
fn address_in(text: &str) -> Option<SocketAddr> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':').unwrap_or(text.len());
    text[..end].parse().ok().filter(|address: &SocketAddr| address.port() != 0)
}

/// A static file server over a folder: express, with ETags and conditional requests.
pub fn files(folder: TempDir) -> Server {
    let script = here("tests/indexes/servers/files.cjs");
    let arguments = [script.into(), installed("node_modules").into_os_string(), folder.path().into()];
    Server::start(folder, Path::new("node"), arguments, "Serving on http://")
}

/// What a command prints, given some input. It must succeed.
pub fn output(command: &mut Command, input: &[u8]) -> String {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{command:?} {}\n{said}\n{}", done.status, String::from_utf8_lossy(&done.stderr));
    said
}

/// A client for what tests do behind the adapters' back.
pub fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

pub fn package(ecosystem: Ecosystem, name: &str) -> PackageId {
    PackageId { ecosystem, name: name.into() }
}

/// The listing of an answer that must have one.
pub fn listing(answer: Result<Answer, RegistryError>) -> Listing {
    match answer {
        Ok(Answer::Found(listing)) => listing,
        other => panic!("expected a listing, got {other:?}"),
    }
}

/// The versions of some releases, in the order of their texts.
pub fn versions(releases: &[FoundRelease]) -> Vec<&str> {
    let mut versions: Vec<&str> = releases.iter().map(|release| release.version.as_str()).collect();
    versions.sort_unstable();
    versions
}

/// The release of a version.
pub fn release<'a>(releases: &'a [FoundRelease], version: &str) -> &'a FoundRelease {
    releases.iter().find(|release| release.version == version).unwrap_or_else(|| panic!("{version} in {releases:?}"))
}
