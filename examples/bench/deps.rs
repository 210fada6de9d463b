//! `mass-driver deps` on a checkout of 2,000 files: each run is a process of its own, started as a shell would start it.

use crate::Options;
use crate::process::Process;
use crate::report::{Report, Runs};
use anyhow::{Context as _, ensure};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

const FIGURE: &str = "deps";
const ON: &str = "2,000 files";
/// The files of the checkout.
const FILES: usize = 2_000;
/// The projects in it.
const SERVICES: usize = 40;
/// A run takes some milliseconds, so there are as many more of them.
const RUNS_EACH: u32 = 10;
/// How many dependencies each manifest that lists some has.
const ENTRIES: usize = 20;

/// Takes the figure.
pub async fn measure(folder: &Path, build: &Path, options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let executable = build.join("mass-driver");
    ensure!(executable.is_file(), "{} is not there: build it as this was built", executable.display());
    let root = folder.join("checkout");
    if root.exists() {
        fs::remove_dir_all(&root)?;
    }
    let expected = fill(&root)?;
    track(&root)?;
    let mut runs = Runs::default();
    for run in 1..=options.runs {
        anstream::eprintln!("deps on {ON}: run {run} of {}", options.runs);
        for _ in 0..RUNS_EACH {
            runs.add("from start to end", "ms", Some("under 100 ms"), timed(&executable, &root)?);
        }
        let (peak, json) = watched(&executable, &root).await?;
        if let Some(peak) = peak {
            runs.add("memory, at most", "MiB", Some("under 50 MB"), peak);
        }
        let found = count(&json)?;
        for (manager, expected) in &expected {
            let found = found.get(*manager).copied().unwrap_or(0);
            report.same(FIGURE, ON, &format!("dependencies of {manager}"), found, *expected);
        }
    }
    report.take(FIGURE, ON, runs);
    fs::remove_dir_all(&root)?;
    Ok(())
}

/// The milliseconds from starting the process until it has ended. Nobody reads what it prints.
fn timed(executable: &Path, root: &Path) -> anyhow::Result<f64> {
    let mut command = std::process::Command::new(executable);
    command.arg("deps").arg(root).args(["--format", "json"]).env_clear().envs(path()).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().context("cannot start it")?;
    let took = start.elapsed();
    ensure!(status.success(), "it ended with {status}");
    Ok(took.as_secs_f64() * 1_000.0)
}

/// The most memory it had, in MiB, and what it printed. It prints more than a pipe holds, at its end: so once the first of it
/// is there, everything was read, and it waits for us while we look.
async fn watched(executable: &Path, root: &Path) -> anyhow::Result<(Option<f64>, Vec<u8>)> {
    let mut command = Command::new(executable);
    command.arg("deps").arg(root).args(["--format", "json"]).env_clear().envs(path()).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process = Process::start("deps", &mut command)?;
    let mut output = process.take_output().context("without an output")?;
    let mut text = vec![output.read_u8().await?];
    let peak = process.peak_memory_mib();
    output.read_to_end(&mut text).await?;
    process.end().await?;
    Ok((peak, text))
}

/// Where git is found, which `deps` asks. Nothing else of the machine's settings goes in.
fn path() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| name == "PATH")
}

/// Makes a repository of git of the checkout, as a clone is one.
fn track(root: &Path) -> anyhow::Result<()> {
    for arguments in [&["init", "--quiet"][..], &["add", "--all"]] {
        let status = std::process::Command::new("git").args(arguments).current_dir(root).status();
        let status = status.context("cannot start git")?;
        ensure!(status.success(), "git {} ended with {status}", arguments[0]);
    }
    Ok(())
}

/// How many dependencies each manager found.
fn count(json: &[u8]) -> anyhow::Result<BTreeMap<String, u64>> {
    let rows: Vec<serde_json::Value> = serde_json::from_slice(json)?;
    let mut counts = BTreeMap::new();
    for row in rows {
        let manager = row["manager"].as_str().context("a row without a manager")?;
        *counts.entry(manager.to_owned()).or_default() += 1;
    }
    Ok(counts)
}

/// Makes the checkout, and says how many dependencies each manager has to find in it.
///
/// The shape of a large repository of several languages: 40 services, each a Python, JavaScript or Rust project with its image and
/// its compose file, 30 workflows, and source code for the rest of the files.
fn fill(root: &Path) -> anyhow::Result<BTreeMap<&'static str, u64>> {
    let mut checkout = Checkout { root, written: 0, expected: BTreeMap::new() };
    checkout.write(".gitignore", "node_modules\n")?;
    checkout.write(".pre-commit-config.yaml", &hooks())?;
    for n in 0..30 {
        checkout.write(&format!(".github/workflows/job-{n}.yml"), &workflow())?;
    }
    for service in 0..SERVICES {
        let folder = folder_of(service);
        checkout.manifest("dockerfile", &format!("{folder}/Dockerfile"), &dockerfile(service), 3)?;
        match service % 4 {
            0 => checkout.manifest("pyproject", &format!("{folder}/pyproject.toml"), &pyproject(), 2 * ENTRIES)?,
            1 => checkout.manifest("requirements", &format!("{folder}/requirements.txt"), &requirements(), ENTRIES)?,
            2 => checkout.manifest("package-json", &format!("{folder}/package.json"), &package_json(), 2 * ENTRIES)?,
            _ => checkout.manifest("cargo", &format!("{folder}/Cargo.toml"), &cargo_toml(), 2 * ENTRIES)?,
        }
        if service % 2 == 0 {
            checkout.write(&format!("{folder}/compose.yaml"), &compose())?;
        }
    }
    let source = "// A line of code, as long as lines of code tend to be.\n".repeat(80);
    let endings = ["ts", "py", "rs", "md", "yml", "json", "toml", "txt"];
    for n in 0..FILES - checkout.written {
        let (folder, part) = (folder_of(n % SERVICES), n / SERVICES % 6);
        checkout.write(&format!("{folder}/src/part-{part}/file-{n}.{}", endings[n % endings.len()]), &source)?;
    }
    ensure!(checkout.written == FILES, "{} files", checkout.written);
    Ok(checkout.expected)
}

/// A checkout that is being made.
struct Checkout<'a> {
    root: &'a Path,
    written: usize,
    expected: BTreeMap<&'static str, u64>,
}

impl Checkout<'_> {
    fn write(&mut self, path: &str, text: &str) -> anyhow::Result<()> {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
        fs::write(&path, text)?;
        self.written += 1;
        Ok(())
    }

    fn manifest(&mut self, manager: &'static str, path: &str, text: &str, found: usize) -> anyhow::Result<()> {
        *self.expected.entry(manager).or_default() += found as u64;
        self.write(path, text)
    }
}

fn folder_of(service: usize) -> String {
    format!("services/team-{}/service-{service}", service % 8)
}

fn entries(entry: impl Fn(usize) -> String) -> String {
    (0..ENTRIES).map(entry).collect()
}

fn requirements() -> String {
    entries(|n| format!("package-{n}[extra]==1.{n}.0  # pinned\n"))
}

fn pyproject() -> String {
    let list = entries(|n| format!("  \"package-{n}>=1.{n},<2 ; python_version >= '3.9'\",\n"));
    format!("[project]\nname = \"service\"\ndependencies = [\n{list}]\n\n[dependency-groups]\ndev = [\n{list}]\n")
}

fn package_json() -> String {
    let list = entries(|n| format!("    \"@scope/package-{n}\": \"^1.{n}.0\",\n"));
    let list = list.trim_end().trim_end_matches(',');
    format!(
        "{{\n  \"name\": \"service\",\n  \"dependencies\": {{\n{list}\n  }},\n  \"devDependencies\": {{\n{list}\n  }}\n}}\n"
    )
}

fn cargo_toml() -> String {
    let list = entries(|n| format!("package-{n} = {{ version = \"1.{n}.0\", features = [\"derive\"] }}\n"));
    format!("[package]\nname = \"service\"\nversion = \"0.1.0\"\n\n[dependencies]\n{list}\n[dev-dependencies]\n{list}")
}

fn dockerfile(n: usize) -> String {
    let digest = format!("{n:064x}");
    format!(
        "# syntax=docker/dockerfile:1.7\nARG VERSION=3.12\nFROM python:${{VERSION}}-slim@sha256:{digest} AS build\n\
         RUN pip install .\nFROM debian:12.5-slim\nCOPY --from=build /app /app\n"
    )
}

fn compose() -> String {
    let mut text = "services:\n".to_owned();
    for n in 0..5 {
        let _ = writeln!(text, "  service-{n}:\n    image: postgres:16.{n}\n    restart: always");
    }
    text
}

fn workflow() -> String {
    let steps: String =
        (0..10).map(|n| format!("      - uses: acme/action-{n}@v{n}\n      - run: make part-{n}\n")).collect();
    format!("on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n{steps}")
}

fn hooks() -> String {
    let repos = entries(|n| {
        format!("  - repo: https://github.com/acme/hook-{n}\n    rev: v1.{n}.0\n    hooks:\n      - id: hook-{n}\n")
    });
    format!("repos:\n{repos}")
}
