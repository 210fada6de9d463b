//! Processes that are measured: started, spoken to by lines of JSON, and looked at from outside.

use anyhow::{Context as _, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Far longer than anything takes; it only ends what hangs.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// A process of its own. It is killed when this is dropped.
pub struct Process {
    child: Child,
    name: &'static str,
}

impl Process {
    /// Starts one; its standard output and error are the caller's to set.
    pub fn start(name: &'static str, command: &mut Command) -> anyhow::Result<Self> {
        let child = command.kill_on_drop(true).spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Self { child, name })
    }

    /// Its standard error, where that is piped and was not taken yet.
    pub fn take_log(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Its standard output, likewise.
    pub fn take_output(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// How much of its memory was in RAM at most, in MiB; `None` where there is no `/proc`.
    pub fn peak_memory_mib(&self) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(peak.trim().strip_suffix(" kB")?.parse::<f64>().ok()? / 1024.0)
    }

    /// The processor time it used so far; `None` where there is no `/proc`.
    pub fn processor_time(&self) -> Option<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()?)).ok()?;
        // The name before it may hold anything, the closing bracket ends it. Linux counts in hundredths of a second.
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
        let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
        Some(Duration::from_millis(ticks * 10))
    }

    /// Ends it at once, with SIGKILL.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().await.with_context(|| format!("cannot end {}", self.name))
    }

    /// Waits until it has ended by itself.
    ///
    /// Errors: with anything but 0.
    pub async fn end(&mut self) -> anyhow::Result<()> {
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.context("it does not end")??;
        if status.success() { Ok(()) } else { bail!("{} ended with {status}", self.name) }
    }
}

/// This executable again, as one of its parts: it takes lines of JSON, and answers with such lines.
pub struct Part {
    /// The process.
    pub process: Process,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Part {
    /// Starts a part.
    pub fn start(name: &'static str) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(name).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut process = Process::start(name, &mut command)?;
        let input = process.child.stdin.take().context("a part without an input")?;
        let output = process.child.stdout.take().context("a part without an output")?;
        Ok(Self { process, input, output: BufReader::new(output).lines() })
    }

    /// Says something to it.
    pub async fn say(&mut self, message: &impl Serialize) -> anyhow::Result<()> {
        let line = serde_json::to_string(message)? + "\n";
        let sent = self.input.write_all(line.as_bytes()).await;
        sent.with_context(|| format!("the part {} has gone", self.process.name))
    }

    /// What it says next.
    pub async fn hear<T: DeserializeOwned>(&mut self) -> anyhow::Result<T> {
        next_line(&mut self.output, self.process.name).await.and_then(|line| Ok(serde_json::from_str(&line)?))
    }

    /// Closes its input, which is how a part is told to end, and waits for that.
    pub async fn end(self) -> anyhow::Result<()> {
        let Self { mut process, input, output } = self;
        drop(input);
        let ended = process.end().await;
        drop(output);
        ended
    }
}

/// The lines of our own input, for a part; none any more when it is closed.
pub fn orders() -> UnboundedReceiver<String> {
    let (sender, receiver) = unbounded_channel();
    // A thread, because reading what may never come cannot be given up.
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The next line of a process.
pub async fn next_line<R: AsyncRead + Unpin>(lines: &mut Lines<BufReader<R>>, name: &str) -> anyhow::Result<String> {
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
    let line = line.with_context(|| format!("{name} says nothing"))??;
    line.with_context(|| format!("{name} has ended"))
}
