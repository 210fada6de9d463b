//! Processes that left the group of the run which started them, to live on as a service would.
//!
//! They carry the environment they were started with, and in it the mark of their run. So they are found, however they are
//! related by then, unless they meant to hide; then they are still restricted, since nothing takes that away.

/// The variable that holds the mark.
pub(super) const VARIABLE: &str = "MASS_DRIVER_RUN";

/// The mark of a run. When it is dropped, whatever carries it is ended.
#[derive(Debug)]
pub(super) struct Mark(String);

impl Mark {
    pub(super) fn new() -> Self {
        Self(uuid::Uuid::new_v4().simple().to_string())
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

#[cfg(target_os = "linux")]
impl Drop for Mark {
    fn drop(&mut self) {
        // One that is just being started is found in the next round. Whoever forks faster than this ends none of it.
        for _ in 0..20 {
            if !end_those_with(&format!("{VARIABLE}={}", self.0)) {
                return;
            }
        }
    }
}

/// Ends all processes that carry a mark. Whether there were any.
#[cfg(target_os = "linux")]
fn end_those_with(mark: &str) -> bool {
    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
    let carries = |number: i32| {
        let environment = std::fs::read(format!("/proc/{number}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    };
    let mut found = false;
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(number) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        if !carries(number) {
            continue;
        }
        // Between the look and the signal the number could become somebody else's; what is held here cannot.
        if let Some(Ok(held)) = Pid::from_raw(number).map(|pid| pidfd_open(pid, PidfdFlags::empty()))
            && carries(number)
        {
            found |= pidfd_send_signal(&held, Signal::KILL).is_ok();
        }
    }
    found
}
