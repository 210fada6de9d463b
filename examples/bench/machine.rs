//! What the figures were taken on: without that they say nothing.

use crate::database::Place;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// The machine, the version and the databases' settings.
pub async fn describe(place: &Place) -> anyhow::Result<Value> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let now = mass_driver::app::now();
    let version =
        format!("mass-driver {}{}, release build: {}", env!("CARGO_PKG_VERSION"), commit(), !cfg!(debug_assertions));
    let mut about = json!({
        "taken": now.to_string(),
        "version": version,
        "machine": format!("{cores} cores ({}), {} MiB of memory", processor(), memory_mib()),
        "kernel": first_line("/proc/sys/kernel/osrelease"),
        "disk": format!("{} on {}", place.folder().display(), file_system(place.folder())),
        "load": first_line("/proc/loadavg"),
    });
    for (name, settings) in place.settings().await? {
        about[name] = settings.into();
    }
    Ok(about)
}

/// The commit this was built from, where git knows.
fn commit() -> String {
    let asked = std::process::Command::new("git").args(["describe", "--always", "--dirty"]).output();
    let said = asked.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    said.map_or_else(String::new, |said| format!(" ({})", String::from_utf8_lossy(&said).trim()))
}

fn first_line(path: &str) -> String {
    fs::read_to_string(path).ok().and_then(|text| text.lines().next().map(str::to_owned)).unwrap_or_default()
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}

fn memory_mib() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse().ok());
    total.map_or(0, |kib: u64| kib / 1024)
}

/// The kind of file system a folder is on: the longest mount point that begins its path. What is in memory cannot
/// show what durability costs.
pub fn file_system(folder: &Path) -> String {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let of_folder = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (point, kind) = (words.next()?, words.next()?);
        folder.starts_with(point).then(|| (point.len(), kind.to_owned()))
    });
    of_folder.max_by_key(|(length, _)| *length).map_or_else(|| "an unknown file system".to_owned(), |(_, kind)| kind)
}
