//! Whether the work on a manifest grows as the manifest does, or faster: managers, fed texts of one piece again and again,
//! and the same texts twice as long.
//!
//! The time that the processor spent proves little on a busy machine, and less about another one, so nothing fails for it: it
//! is told. What fails is a text that does not end. Where a limit holds the work down, a test of the manager says so.

use crate::corpus;
use crate::dice::Dice;
use crate::mutation::{any_text, mutate, repeated};
use crate::run::{Input, Target};
use mass_driver::domain::RepoPath;
use mass_driver::managers::{self, Manager};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The shorter of two texts. Unit: bytes.
const LENGTH: usize = 100_000;
/// What takes less is not compared: the clock and the processor's caches have too much of a say.
const WORTH_COMPARING: Duration = Duration::from_millis(20);
/// Twice the text may take so many times as long, caches and allocations included.
const USUAL_RATIO: f64 = 3.0;

/// What is known to be hard: a text between two that are repeated, which names or multiplies what stands before it. Of the form
/// `start`, many times `piece`, `middle`, many times `again`, `end`.
struct Pattern(&'static str, [&'static str; 5]);

#[rustfmt::skip]
const PATTERNS: [Pattern; 24] = [
    Pattern("compose", ["services: {a: {image: &a", "#", " b:1.0", "", "}}\n"]),
    Pattern("compose", ["services: {a: {image: !", "#", " b:1.0", "", "}}\n"]),
    Pattern("compose", ["x: &x ", "k", "\nservices:\n", "  *x : {image: 'a:1.0'}\n", ""]),
    Pattern("compose", ["x: &x ", "k", "\ninclude:\n", "- *x\n", ""]),
    Pattern("compose", ["x: &x ", "k", "\nservices:\n", "  *x : {image: 'a:1.0', extends: {file: *x}}\n", ""]),
    Pattern("compose", ["%TAG !e! tag:", "e", "\n---\nservices:\n- ", "!e!a b\n- ", "c\n"]),
    Pattern("compose", ["%TAG !e! tag:e", "%25", "\n---\nservices:\n- ", "!e!a b\n- ", "c\n"]),
    Pattern("compose", ["x: [", "&a b,", "]\nservices: [", "*a ,", "]\n"]),
    Pattern("compose", ["services: {a: {image: '${", "{", "", "}", "'}}\n"]),
    Pattern("github-actions", ["jobs: {j: {steps: [", "{uses: 'a/b@v1'},", "]}} # ", "v", "\n"]),
    Pattern("github-actions", ["x: &x {", "k", ": 'a:1'}\njobs:\n  a: {container: *x, services: {<<: *x}}\n", "  ? [b]\n  : {services: *x}\n", ""]),
    Pattern("pre-commit", ["x: &x v", "1", "\nrepos:\n", "- {repo: 'https://a.b/c', rev: *x}\n", ""]),
    Pattern("pre-commit", ["x: &x https://a.b/", "c", "\nrepos:\n", "- {repo: *x, rev: v1}\n", ""]),
    Pattern("pre-commit", ["x: &x v1 # ", "c", "\nrepos:\n", "- {repo: 'https://a.b/c', rev: *x}\n", ""]),
    Pattern("pre-commit", ["x: &x a", "b", "\nrepos:\n- repo: local\n  hooks:\n  - additional_dependencies:\n", "    - *x\n", ""]),
    Pattern("pnpm-workspace", ["x: &x a", "b", "\ncatalog:\n", "  *x : *x\n", ""]),
    Pattern("dockerfile", ["ARG V=1.0-", "a", "\n", "FROM a:$V\n", ""]),
    Pattern("dockerfile", ["FROM a:1.0\nRUN ", "<<A ", "\n", "A\n", ""]),
    Pattern("dockerfile", ["FROM a:1.0\nRUN ", "<< A ", "\n", "B\n", ""]),
    Pattern("dockerfile", ["FROM a:", "${A:+", "", "}", "\n"]),
    Pattern("cargo", ["[dependencies]\n", "a.", "b = 1\n", "", ""]),
    Pattern("package-json", ["{\"overrides\": ", "{\"a\": ", "\"1.0\"", "}", "}"]),
    Pattern("requirements", ["a==1.0", " \\\n", "", " --hash=sha256:1", "\n"]),
    Pattern("setup-cfg", ["[options]\ninstall_requires =", "\n  a==1.0 ; b", "\n", "; c", "\n"]),
];

/// Each manager, and what is to be told of it when it was fed.
pub fn targets() -> Vec<(Target, Arc<Mutex<Growth>>)> {
    let others = Arc::new(corpus::all_texts());
    managers::TABLE.iter().map(|manager| target(*manager, Arc::clone(&others))).collect()
}

/// An input's first text is the path, the others the parts of a pattern.
fn target(manager: &'static dyn Manager, others: Arc<Vec<String>>) -> (Target, Arc<Mutex<Growth>>) {
    let seeds = corpus::seeds(manager.name());
    let patterns: Vec<&Pattern> = PATTERNS.iter().filter(|pattern| pattern.0 == manager.name()).collect();
    let input = move |dice: &mut Dice| {
        let seed = &seeds[usize::try_from(dice.roll(seeds.len() as u64)).unwrap()];
        let parts = match dice.roll(4) {
            0 if !patterns.is_empty() => dice.one_of(&patterns).1.map(str::to_owned),
            1 => {
                let text = mutate(dice, &seed.text, &others);
                repeated(dice, &text)
            }
            2 => {
                let text = any_text(dice, &others);
                repeated(dice, &text)
            }
            _ => repeated(dice, &seed.text),
        };
        Input { texts: std::iter::once(seed.path.to_string()).chain(parts).collect(), chance: 0 }
    };
    let growth = Arc::new(Mutex::new(Growth::default()));
    let worst = Arc::clone(&growth);
    let check = move |input: &Input| {
        let ([path, parts @ ..], true) = (input.texts.as_slice(), input.texts.len() == 6) else { return Ok(()) };
        let Ok(path) = RepoPath::parse(path) else { return Ok(()) };
        let seen = compared(manager, &path, parts);
        let mut worst = worst.lock().unwrap();
        if seen.ratio > worst.ratio {
            *worst = seen;
        }
        Ok(())
    };
    let target =
        Target { name: format!("growth of {}", manager.name()), input: Box::new(input), check: Box::new(check) };
    (target, growth)
}

/// The time of this thread on a processor, where the system tells it (Linux), and else the time that passed.
struct Clock {
    passed: Instant,
    worked: Option<Duration>,
}

impl Clock {
    fn now() -> Self {
        Self { passed: Instant::now(), worked: worked() }
    }

    fn elapsed(&self) -> Duration {
        let worked = worked().zip(self.worked).map(|(now, then)| now.saturating_sub(then));
        worked.unwrap_or_else(|| self.passed.elapsed())
    }
}

/// Source: Linux's documentation, "Scheduler Statistics", /proc/<pid>/schedstat: nanoseconds on the processor come first.
fn worked() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split(' ').next()?.parse().ok()?))
}

/// How much longer twice the text takes.
#[derive(Default)]
pub struct Growth {
    ratio: f64,
    took: Duration,
    text: String,
}

impl std::fmt::Display for Growth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.text.is_empty() {
            return write!(f, "  no text took {} ms of the processor", WORTH_COMPARING.as_millis());
        }
        let verdict = if self.ratio > USUAL_RATIO { "GROWS FASTER" } else { "grows" };
        let took_ms = self.took.as_secs_f64() * 1_000.0;
        write!(f, "  {verdict}: twice the text took {:.1} times as long, {took_ms:.1} ms, as {}", self.ratio, self.text)
    }
}

/// The text of so many bytes, more or less.
fn text_of(parts: &[String], length: usize) -> String {
    let [start, piece, middle, again, end] = parts else { return String::new() };
    let share = if piece.is_empty() || again.is_empty() { length } else { length / 2 };
    let many = |piece: &str| piece.repeat(share / piece.len().max(1));
    [start, many(piece).as_str(), middle, many(again).as_str(), end].concat()
}

fn compared(manager: &dyn Manager, path: &RepoPath, parts: &[String]) -> Growth {
    let took = |length: usize| {
        let text = text_of(parts, length);
        let began = Clock::now();
        let _ = manager.extract(path, &text);
        began.elapsed()
    };
    let (mut short, mut long) = (took(LENGTH), took(2 * LENGTH));
    for _ in 0..4 {
        if long < WORTH_COMPARING || long.as_secs_f64() < USUAL_RATIO * short.as_secs_f64() {
            break;
        }
        // Somebody else may have had the processor.
        (short, long) = (short.min(took(LENGTH)), long.min(took(2 * LENGTH)));
    }
    let compared = if long < WORTH_COMPARING { 0.0 } else { long.as_secs_f64() / short.as_secs_f64().max(1e-6) };
    let shown: Vec<String> = parts.iter().map(|part| part.chars().take(60).collect()).collect();
    Growth { ratio: compared, took: long, text: format!("{shown:?}") }
}
