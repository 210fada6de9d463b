//! The executable as a process: its settings, its log, its end.

use github_sim::GitHubSim;
use jiff::Timestamp;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

/// Far more than a loaded machine needs; it only ends a test that hangs.
pub const PATIENCE: Duration = Duration::from_secs(50);

pub fn mass_driver() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mass-driver"));
    command.env_clear().stdin(Stdio::null()).kill_on_drop(true);
    command
}

pub struct Server {
    pub process: Child,
    log: Lines<BufReader<ChildStderr>>,
    /// Every line so far.
    seen: String,
}

impl Server {
    pub fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(process.stderr.take().unwrap()).lines();
        Self { process, log, seen: String::new() }
    }

    /// Reads the log up to a message, and returns its line.
    pub async fn says(&mut self, message: &str) -> serde_json::Value {
        loop {
            let line = tokio::time::timeout(PATIENCE, self.log.next_line()).await;
            let line = line.unwrap_or_else(|_| panic!("never said `{message}`:\n{}", self.seen)).unwrap();
            let line = line.unwrap_or_else(|| panic!("ended without `{message}`:\n{}", self.seen));
            self.seen += &(line.clone() + "\n");
            let json: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            if json["message"] == message {
                return json;
            }
        }
    }

    pub async fn stops_on_sigterm(mut self) -> String {
        let kill = format!("kill -TERM {}", self.process.id().unwrap());
        assert!(Command::new("sh").args(["-c", &kill]).status().await.unwrap().success());
        while let Some(line) = tokio::time::timeout(PATIENCE, self.log.next_line()).await.unwrap().unwrap() {
            self.seen += &(line + "\n");
        }
        let status = tokio::time::timeout(PATIENCE, self.process.wait()).await.unwrap().unwrap();
        assert_eq!(status.code(), Some(0), "{}", self.seen);
        self.seen
    }
}

#[expect(clippy::disallowed_methods, reason = "the executable under test lives in real time, so its world does too")]
pub fn real_time() -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
    Arc::new(Timestamp::now)
}

/// The server's settings for a stand-in, in a folder of its own.
pub fn serving(github: &GitHubSim, folder: &std::path::Path) -> Command {
    let credentials = github.app();
    let mut command = mass_driver();
    command
        .arg("serve")
        .env("DATABASE_URL", format!("sqlite://{}", folder.join("bot.db").display()))
        .env("MASS_DRIVER_LISTEN", "127.0.0.1:0")
        .env("MASS_DRIVER_LOG_FORMAT", "json")
        .env("GITHUB_API_URL", github.url())
        .env("GITHUB_APP_ID", credentials.app_id.to_string())
        .env("GITHUB_APP_PRIVATE_KEY", credentials.private_key_pem.replace('\n', "\\n"))
        .env("GITHUB_WEBHOOK_SECRET", credentials.webhook_secret);
    command
}
