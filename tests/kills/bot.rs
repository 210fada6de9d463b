//! The bot as a process of its own, and what an operator or an accident does to it.

use crate::PATIENCE;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

/// A running `mass-driver serve`. Dropping it kills it.
pub struct Bot {
    process: Child,
    id: u32,
    log: Arc<Mutex<Vec<String>>>,
    /// How many lines the log has; it closes with the log.
    lines: watch::Receiver<usize>,
}

impl Bot {
    /// Starts the executable with settings from `environment` alone.
    pub fn start(environment: &[(&str, String)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mass-driver"));
        command.arg("serve").env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
        command.env("MASS_DRIVER_LOG_FORMAT", "json").kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut said = BufReader::new(process.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (counter, lines) = watch::channel(0);
        let written = Arc::clone(&log);
        tokio::spawn(async move {
            while let Ok(Some(line)) = said.next_line().await {
                written.lock().unwrap().push(line);
                counter.send_modify(|lines| *lines += 1);
            }
        });
        let id = process.id().unwrap();
        Self { process, id, log, lines }
    }

    /// Everything it has written so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    fn line(&self, message: &str) -> Option<serde_json::Value> {
        let log = self.log.lock().unwrap();
        let mut lines = log.iter().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        lines.find(|line| line["message"] == message)
    }

    /// Waits until it writes a message, and returns that line.
    pub async fn says(&self, message: &str) -> serde_json::Value {
        let mut lines = self.lines.clone();
        let said = async {
            loop {
                lines.borrow_and_update();
                if let Some(line) = self.line(message) {
                    return line;
                }
                assert!(lines.changed().await.is_ok(), "it ended without saying `{message}`:\n{}", self.log());
            }
        };
        let said = tokio::time::timeout(PATIENCE, said).await;
        said.unwrap_or_else(|_| panic!("it never said `{message}`:\n{}", self.log()))
    }

    /// Waits until it can be reached, and returns where.
    pub async fn ready(&self) -> SocketAddr {
        self.says("ready").await["address"].as_str().unwrap().parse().unwrap()
    }

    /// SIGKILL: it has no say in it. Returns when it is gone.
    pub async fn dies(mut self) {
        self.process.start_kill().unwrap();
        tokio::time::timeout(PATIENCE, self.process.wait()).await.expect("nobody survives SIGKILL").unwrap();
    }

    /// SIGSTOP: it stands still, as on a machine that sleeps.
    pub async fn sleeps(&self) {
        self.signal("STOP").await;
    }

    /// SIGCONT: it goes on as if no time had passed.
    pub async fn wakes(&self) {
        self.signal("CONT").await;
    }

    /// SIGTERM: it is asked to end.
    pub async fn hears_sigterm(&self) {
        self.signal("TERM").await;
    }

    /// Waits for its end, which has to be in good order; returns its log.
    pub async fn ends(mut self) -> String {
        let ended = tokio::time::timeout(PATIENCE, self.process.wait()).await;
        let status = ended.unwrap_or_else(|_| panic!("it did not stop:\n{}", self.log())).unwrap();
        assert_eq!(status.code(), Some(0), "it stopped in disorder:\n{}", self.log());
        self.log()
    }

    async fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.id);
        assert!(Command::new("sh").args(["-c", &kill]).status().await.unwrap().success(), "{kill}");
    }
}
