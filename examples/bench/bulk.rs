//! `mass-driver run` over many repositories on this machine, from the clone to the commit: beside the Python tool of the same name
//! with `--parallel`, and beside a shell that does with git what anybody would type.

use crate::Options;
use crate::process::Process;
use crate::report::{Report, Runs};
use anyhow::{Context as _, ensure};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::Command;

const FIGURE: &str = "bulk";
/// The files of each repository besides the counter.
const FILES: usize = 20;
/// How often the memory of a process is looked at; what it had at most is what is read.
const GLANCE: Duration = Duration::from_millis(5);

/// What anybody would type, for one repository after another.
const LOOP: &str = r#"set -e
mkdir work
while read -r repository; do
    name=$(basename "$repository" .git)
    git clone --quiet "$repository" "work/$name"
    cd "work/$name"
    if [ "$(cat counter.txt)" != 2 ]; then
        git checkout --quiet -b counter
        echo 2 > counter.txt
        git add --all
        git commit --quiet --message 'Bump the counter to 2'
    fi
    cd ../..
done < repositories.txt
"#;

const ACTIVITY: &str = r#"[mass-driver.migration]
commit_message = "Bump the counter to 2"
commit_author_name = "Bench"
commit_author_email = "bench@example.com"
branch_name = "counter"
driver_name = "counter"
driver_config = { target_file = "counter.txt", target_count = 2 }
"#;

/// Who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contender {
    Ours,
    Python,
    Shell,
}

/// Takes the figure.
pub async fn measure(
    folder: &Path,
    target: &Path,
    build: &Path,
    options: &Options,
    report: &mut Report,
) -> anyhow::Result<()> {
    let executable = build.join("mass-driver");
    ensure!(executable.is_file(), "{} is not there: build it as this was built", executable.display());
    let python = target.join("bench-python/bin/mass-driver");
    let mut contenders = vec![Contender::Ours, Contender::Shell];
    if python.is_file() {
        contenders.push(Contender::Python);
    } else {
        report.note("bulk: the Python tool was not measured, since `scripts/bench-peer` could not install it");
    }
    // In memory, so that a disk's mood is not measured.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() {
        memory.join(format!("mass-driver-bench-{}", std::process::id()))
    } else {
        folder.join("bulk")
    };
    for &count in &options.bulk {
        let outcome = compare(&folder, (&executable, &python), &contenders, count, options.runs, report).await;
        fs::remove_dir_all(&folder).context("the folder of the figure cannot be removed")?;
        outcome?;
    }
    Ok(())
}

async fn compare(
    folder: &Path,
    (executable, python): (&Path, &Path),
    contenders: &[Contender],
    count: usize,
    times: u32,
    report: &mut Report,
) -> anyhow::Result<()> {
    let repositories = make(folder, count)?;
    let mut runs: Vec<Runs> = contenders.iter().map(|_| Runs::default()).collect();
    for run in 1..=times {
        anstream::eprintln!("bulk over {count} repositories: run {run} of {times}");
        for (contender, runs) in contenders.iter().zip(&mut runs) {
            let place = folder.join("place");
            fs::create_dir(&place)?;
            prepare(&place, *contender, &repositories)?;
            let mut command = match contender {
                Contender::Ours => {
                    let mut command = Command::new(executable);
                    command.args(["run", "counter.toml", "--repo-filelist", "repositories.txt", "--no-pause"]);
                    command.args(["--cache-folder", "clones", "--json-outfile", "result.json"]);
                    command.args(["--database-url", "sqlite://runs.db"]);
                    command
                }
                Contender::Python => {
                    let mut command = Command::new(python);
                    command.args(["run", "counter.toml", "--repo-filelist", "repositories.txt", "--no-pause"]);
                    command.args(["--parallel", "--json-outfile", "result.json"]);
                    command
                }
                Contender::Shell => {
                    let mut command = Command::new("sh");
                    command.args(["-c", LOOP]);
                    command
                }
            };
            command.current_dir(&place).env_clear().envs(std::env::vars_os().filter(|(name, _)| name == "PATH"));
            command.env("HOME", folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let begun = Instant::now();
            let mut process = Process::start("a bulk run", &mut command)?;
            let peak = watched(&mut process).await?;
            runs.add("from start to end", "s", None, begun.elapsed().as_secs_f64());
            if let Some(peak) = peak {
                runs.add("memory of its own process, at most", "MiB", None, peak);
            }
            report.same(
                FIGURE,
                &on(*contender, count),
                "repositories with the commit",
                committed(&place, *contender)?,
                count as u64,
            );
            fs::remove_dir_all(&place)?;
        }
    }
    for (contender, runs) in contenders.iter().zip(runs) {
        report.take(FIGURE, &on(*contender, count), runs);
    }
    Ok(())
}

fn on(contender: Contender, count: usize) -> String {
    let who = match contender {
        Contender::Ours => "mass-driver run",
        Contender::Python => "mass-driver 0.20 (Python), --parallel",
        Contender::Shell => "a shell loop of git",
    };
    format!("{count} repositories, {who}")
}

/// Waits for a process, and looks at its memory meanwhile. Unit: MiB.
async fn watched(process: &mut Process) -> anyhow::Result<Option<f64>> {
    let mut peak = None;
    loop {
        match tokio::time::timeout(GLANCE, process.end()).await {
            Ok(ended) => return ended.map(|()| peak),
            Err(_) => peak = process.peak_memory_mib().or(peak),
        }
    }
}

/// Bare repositories, all with the same files.
fn make(folder: &Path, count: usize) -> anyhow::Result<Vec<PathBuf>> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let seed = folder.join("seed");
    for number in 0..FILES {
        let below = seed.join(format!("folder-{number}"));
        fs::create_dir_all(&below)?;
        fs::write(below.join("file.txt"), format!("This is file {number}.\n"))?;
    }
    fs::write(seed.join("counter.txt"), "1\n")?;
    let who = ["-c", "user.name=Bench", "-c", "user.email=bench@example.com"];
    git(&seed, &["init", "--quiet", "--initial-branch=main"])?;
    git(&seed, &["add", "--all"])?;
    git(&seed, &[&who[..], &["commit", "--quiet", "--message=Begin"]].concat())?;
    fs::create_dir(folder.join("repositories"))?;
    let mut made = Vec::with_capacity(count);
    for number in 1..=count {
        let bare = folder.join(format!("repositories/r{number}.git"));
        git(folder, &["clone", "--quiet", "--bare", "--no-hardlinks", "seed", &bare.display().to_string()])?;
        made.push(bare);
    }
    // The Python tool clones what looks like an address, and works in place on what is a path: so it is given addresses that
    // git leads to the same folders.
    let settings = format!(
        "[user]\n\tname = Bench\n\temail = bench@example.com\n[url \"{}/\"]\n\tinsteadOf = bench:all/\n",
        folder.join("repositories").display()
    );
    fs::write(folder.join(".gitconfig"), settings)?;
    Ok(made)
}

fn prepare(place: &Path, contender: Contender, repositories: &[PathBuf]) -> anyhow::Result<()> {
    let mut list = String::new();
    for path in repositories {
        match contender {
            Contender::Ours | Contender::Shell => writeln!(list, "{}", path.display())?,
            Contender::Python => {
                let name = path.file_name().context("a repository without a name")?.to_string_lossy();
                writeln!(list, "bench:all/{name}")?;
            }
        }
    }
    fs::write(place.join("repositories.txt"), list)?;
    fs::write(place.join("counter.toml"), ACTIVITY)?;
    Ok(())
}

/// In how many repositories the change was committed.
fn committed(place: &Path, contender: Contender) -> anyhow::Result<u64> {
    let clones = match contender {
        Contender::Ours => return counted(&place.join("result.json"), "\"outcome\": \"patched\""),
        Contender::Python => return counted(&place.join("result.json"), "PATCHED_OK"),
        Contender::Shell => fs::read_dir(place.join("work"))?,
    };
    let mut count = 0;
    for clone in clones {
        let head = fs::read_to_string(clone?.path().join(".git/HEAD"))?;
        count += u64::from(head.trim() == "ref: refs/heads/counter");
    }
    Ok(count)
}

fn counted(file: &Path, what: &str) -> anyhow::Result<u64> {
    Ok(fs::read_to_string(file)?.matches(what).count() as u64)
}

fn git(folder: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let status = std::process::Command::new("git").args(arguments).current_dir(folder).status();
    ensure!(status.context("cannot start git")?.success(), "git {} failed", arguments.join(" "));
    Ok(())
}
