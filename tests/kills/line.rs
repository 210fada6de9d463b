//! A line between two parties that a test can cut: GitHub and the bot, or the bot and its database.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What happens to what is said on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Everything passes.
    Passes,
    /// What is asked passes; the first answer is lost, and nothing is said any more on that connection.
    LosesAnAnswer,
    /// The n-th commit to a Postgres, counted from 1, does not get there.
    LosesCommit(usize),
    /// The n-th commit to a Postgres gets there, and its answer is lost.
    LosesCommitsAnswer(usize),
}

/// How the database's protocol says it: a simple query.
const COMMIT: &[u8] = b"COMMIT\0";

struct Shared {
    /// Whom calls are put through to; nobody answers when it is `None`.
    target: Mutex<Option<SocketAddr>>,
    rule: Mutex<Rule>,
    commits: AtomicUsize,
    answers: AtomicU64,
    struck: watch::Sender<bool>,
}

/// One end of the line; the other may change while it is in use.
pub struct Line {
    /// Where to call.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    listening: tokio::task::JoinHandle<()>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Line {
    pub async fn open(rule: Rule) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            target: Mutex::new(None),
            rule: Mutex::new(rule),
            commits: AtomicUsize::new(0),
            answers: AtomicU64::new(0),
            struck: watch::Sender::new(false),
        });
        let called = Arc::clone(&shared);
        let listening = tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                let shared = Arc::clone(&called);
                tokio::spawn(async move {
                    // Whoever hangs up has said what he had to say.
                    drop(put_through(caller, &shared).await);
                });
            }
        });
        Self { address, shared, listening }
    }

    /// From now on calls are put through to this address, or to nobody.
    pub fn leads_to(&self, target: Option<SocketAddr>) {
        *self.shared.target.lock().unwrap() = target;
    }

    pub fn rule(&self, rule: Rule) {
        *self.shared.rule.lock().unwrap() = rule;
        self.shared.struck.send_replace(false);
    }

    /// Whether the rule has done its harm.
    pub fn has_struck(&self) -> bool {
        *self.shared.struck.borrow()
    }

    /// How many commits were sent to the database.
    pub fn commits(&self) -> usize {
        self.shared.commits.load(Ordering::SeqCst)
    }

    /// How often something was answered.
    pub fn answers(&self) -> u64 {
        self.shared.answers.load(Ordering::SeqCst)
    }

    /// Waits until the rule has done its harm.
    pub async fn strikes(&self) {
        let mut struck = self.shared.struck.subscribe();
        let struck = struck.wait_for(|struck| *struck);
        tokio::time::timeout(crate::PATIENCE, struck).await.expect("the line was never cut").unwrap();
    }
}

async fn put_through(caller: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let Some(target) = *shared.target.lock().unwrap() else { return Ok(()) };
    let called = TcpStream::connect(target).await?;
    caller.set_nodelay(true)?;
    called.set_nodelay(true)?;
    let (from_caller, to_caller) = caller.into_split();
    let (from_called, to_called) = called.into_split();
    let silent = watch::Sender::new(false);
    // When one side hangs up, so does the other.
    tokio::select! {
        ended = asks(from_caller, to_called, shared, &silent) => ended,
        ended = answers(from_called, to_caller, shared, silent.subscribe()) => ended,
    }
}

async fn asks(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shared: &Shared,
    silent: &watch::Sender<bool>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        let commits = buffer[..read].windows(COMMIT.len()).any(|window| window == COMMIT);
        let number = if commits { shared.commits.fetch_add(1, Ordering::SeqCst) + 1 } else { 0 };
        let rule = *shared.rule.lock().unwrap();
        let lost = commits && matches!(rule, Rule::LosesCommit(n) | Rule::LosesCommitsAnswer(n) if n == number);
        if lost {
            silent.send_replace(true);
        }
        if !(lost && matches!(rule, Rule::LosesCommit(_))) {
            to.write_all(&buffer[..read]).await?;
        }
        if lost {
            shared.struck.send_replace(true);
        }
    }
}

async fn answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shared: &Shared,
    silent: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let mut lost = false;
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        shared.answers.fetch_add(1, Ordering::SeqCst);
        if *shared.rule.lock().unwrap() == Rule::LosesAnAnswer {
            lost = true;
            shared.struck.send_replace(true);
        }
        if !lost && !*silent.borrow() {
            to.write_all(&buffer[..read]).await?;
        }
    }
}
