//! How a run hears that it is to stop.

/// Ctrl-C, and on Unix what ends a job or hangs up a terminal. They are caught for as long as this lives.
#[cfg(unix)]
pub(super) struct Stops(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Stops {
    pub(super) fn caught() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
        if !hangs_up_unheard() {
            kinds.push(SignalKind::hangup());
        }
        kinds.into_iter().map(signal).collect::<Result<_, _>>().map(Self)
    }

    /// Completes at the next one.
    pub(super) async fn next(&mut self) {
        let all: Vec<_> = self.0.iter_mut().map(|signal| Box::pin(signal.recv())).collect();
        futures_util::future::select_all(all).await;
    }
}

/// Whether whoever began this wants it to outlive the terminal, as `nohup` does: such a signal is not caught. Where the system
/// does not tell, it is not either.
#[cfg(unix)]
fn hangs_up_unheard() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    // The first bit is SIGHUP (see proc_pid_status(5)).
    ignored.is_none_or(|ignored| ignored & 1 == 1)
}

#[cfg(not(unix))]
pub(super) struct Stops;

#[cfg(not(unix))]
impl Stops {
    pub(super) fn caught() -> std::io::Result<Self> {
        Ok(Self)
    }

    pub(super) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
