//! Logs: set up once, by the process. Lines carry identifiers as fields, never a secret or a payload.

use crate::settings::{LogFormat, LogSettings, Unusable};
use tracing_subscriber::EnvFilter;

/// Starts writing logs to standard error.
///
/// Errors: if the filter cannot be read, or logs were started before.
pub fn start(settings: &LogSettings) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&settings.log).map_err(|error| {
        let what = "which is not understood; try `info` or `mass_driver=debug,info`";
        Unusable(format!("MASS_DRIVER_LOG is `{}`, {what}: {error}", settings.log))
    })?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match settings.log_format {
        LogFormat::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).try_init(),
    };
    started.map_err(|e| anyhow::anyhow!("logs could not be started: {e}"))
}
