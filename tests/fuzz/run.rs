//! Feeds targets on all processors, and tells what went wrong with which input.

use crate::dice::Dice;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, Once};
use std::thread;
use std::time::{Duration, Instant};

/// Says what is wrong with what becomes of an input.
pub type Check = Box<dyn Fn(&Input) -> Result<(), String> + Sync>;

/// Something that is fed.
pub struct Target {
    /// Its name: `manager requirements`.
    pub name: String,
    /// Makes an input out of chance.
    pub input: Box<dyn Fn(&mut Dice) -> Input + Sync>,
    /// Tries an input. The error, or the panic, says what is wrong.
    pub check: Check,
}

/// What a target is fed: texts, and chance for the rest. All of it can be made smaller but the chance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    pub texts: Vec<String>,
    pub chance: u64,
}

impl Input {
    fn length(&self) -> usize {
        self.texts.iter().map(String::len).sum()
    }
}

/// How many inputs a target is fed where nobody says.
const INPUTS: u64 = 200;
/// The seed where nobody says: whoever runs the tests twice runs the same tests.
const SEED: u64 = 2_026;
/// The stack of a thread that the bot's steps run on. Deep texts have to do with as much.
const STACK_BYTES: usize = 2 * 1024 * 1024;
/// An input that takes as long is told, far above what the largest take. It proves nothing on a busy machine, so nothing
/// fails for it.
const SLOW: Duration = Duration::from_secs(3);
/// An input that takes as long does not end.
const ENDLESS: Duration = Duration::from_secs(120);
/// So many different failures of a target are enough to look at.
const FAILURES: usize = 12;

fn setting(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "a test's own knobs are no settings of the server")]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn number(name: &str, usual: u64) -> u64 {
    setting(name).map_or(usual, |value| value.parse().unwrap_or_else(|_| panic!("{name} is no number: {value}")))
}

/// Feeds each of the targets, and fails if one of them failed.
pub fn feed_all(targets: &[Target]) {
    feed_some(targets, 1, |_| {});
}

/// Feeds each of the targets one input where others are fed `for_each`, and says what there is to be said of it then.
pub fn feed_some(targets: &[Target], for_each: u64, and_say: impl Fn(usize)) {
    record_panics();
    let (first, inputs, seed) = (number("FUZZ_FROM", 0), number("FUZZ_INPUTS", INPUTS), number("FUZZ_SEED", SEED));
    let inputs = inputs.div_ceil(for_each);
    let only = setting("FUZZ_ONLY").unwrap_or_default();
    let mut failed = String::new();
    for (at, target) in targets.iter().enumerate().filter(|(_, target)| target.name.contains(&only)) {
        let fed = Fed::new(target, seed, first);
        let began = Instant::now();
        fed.feed(first + inputs);
        println!("{}", fed.account(inputs, began.elapsed()));
        and_say(at);
        for failure in fed.failures.lock().unwrap().values() {
            let _ = write!(failed, "\n{}, seed {seed}, input {}: {failure}", target.name, failure.number);
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

/// What was wrong with an input.
struct Failure {
    number: u64,
    what: String,
    smallest: Input,
    file: PathBuf,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown: String = format!("{:?}", self.smallest.texts).chars().take(1_500).collect();
        write!(f, "{}\n  with {shown}\n  kept in {}\n", self.what, self.file.display())
    }
}

/// A target while it is fed.
struct Fed<'t> {
    target: &'t Target,
    seed: u64,
    next: AtomicU64,
    /// By what was wrong, without its numbers: the same failure is kept once.
    failures: Mutex<BTreeMap<String, Failure>>,
    /// The slowest input and its time.
    slowest: Mutex<(Duration, u64)>,
    trace: bool,
}

/// What a worker is at: the number of its input plus one, 0 for none, and since when.
#[derive(Default)]
struct Busy {
    number: AtomicU64,
    since_ms: AtomicU64,
}

impl<'t> Fed<'t> {
    fn new(target: &'t Target, seed: u64, first: u64) -> Self {
        let trace = setting("FUZZ_TRACE").is_some();
        let slowest = Mutex::new((Duration::ZERO, 0));
        Self { target, seed, next: AtomicU64::new(first), failures: Mutex::default(), slowest, trace }
    }

    /// The input of a number, whoever asks.
    fn input(&self, number: u64) -> Input {
        let mut hasher = DefaultHasher::new();
        (&self.target.name, self.seed, number).hash(&mut hasher);
        (self.target.input)(&mut Dice(hasher.finish()))
    }

    fn feed(&self, end: u64) {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let busy: Vec<Busy> = (0..workers).map(|_| Busy::default()).collect();
        let over = AtomicBool::new(false);
        let began = Instant::now();
        thread::scope(|scope| {
            let working: Vec<_> = busy
                .iter()
                .map(|busy| {
                    let work = || self.work(end, busy, began);
                    thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work).unwrap()
                })
                .collect();
            scope.spawn(|| self.watch(&busy, began, &over));
            working.into_iter().for_each(|worker| worker.join().unwrap());
            over.store(true, Ordering::Release);
        });
    }

    fn work(&self, end: u64, busy: &Busy, began: Instant) {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= end || self.failures.lock().unwrap().len() >= FAILURES {
                return;
            }
            let input = self.input(number);
            if self.trace {
                self.keep(&format!("last-{:?}", thread::current().id()), &input);
            }
            busy.since_ms.store(u64::try_from(began.elapsed().as_millis()).unwrap(), Ordering::Relaxed);
            busy.number.store(number + 1, Ordering::Release);
            let started = Instant::now();
            let verdict = tried(self.target, &input);
            let took = started.elapsed();
            busy.number.store(0, Ordering::Release);
            let mut slowest = self.slowest.lock().unwrap();
            *slowest = (*slowest).max((took, number));
            drop(slowest);
            if let Err(what) = verdict {
                self.note(number, &input, what);
            }
        }
    }

    /// Ends the process when an input does not end: nobody else can.
    fn watch(&self, busy: &[Busy], began: Instant, over: &AtomicBool) {
        while !over.load(Ordering::Acquire) {
            thread::park_timeout(Duration::from_millis(50));
            for one in busy {
                let number = one.number.load(Ordering::Acquire);
                let since = Duration::from_millis(one.since_ms.load(Ordering::Relaxed));
                if number > 0 && began.elapsed().saturating_sub(since) > ENDLESS {
                    let file = self.keep(&format!("endless-{}", number - 1), &self.input(number - 1));
                    eprintln!("{} does not end with {}, input {}", self.target.name, file.display(), number - 1);
                    std::process::exit(1);
                }
            }
        }
    }

    fn note(&self, number: u64, input: &Input, what: String) {
        let kind: String = what.chars().filter(|c| !c.is_ascii_digit()).take(60).collect();
        if self.failures.lock().unwrap().contains_key(&kind) {
            return;
        }
        let smallest = smaller(self.target, input, &kind);
        let what = tried(self.target, &smallest).err().unwrap_or(what);
        let file = self.keep(&format!("{}-{number}", self.seed), &smallest);
        // At once: who stops a long run should know what it found.
        eprintln!("{}, input {number}: {what}, kept in {}", self.target.name, file.display());
        self.failures.lock().unwrap().entry(kind).or_insert(Failure { number, what, smallest, file });
    }

    /// Writes an input down, each of its texts on its own.
    fn keep(&self, name: &str, input: &Input) -> PathBuf {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/fuzz");
        std::fs::create_dir_all(&folder).unwrap();
        let stem = format!("{}-{name}", self.target.name.replace(' ', "-"));
        for (n, text) in input.texts.iter().enumerate() {
            std::fs::write(folder.join(format!("{stem}.{n}")), text).unwrap();
        }
        folder.join(format!("{stem}.0"))
    }

    fn account(&self, inputs: u64, took: Duration) -> String {
        let name = &self.target.name;
        let (longest, number) = *self.slowest.lock().unwrap();
        let input = self.input(number);
        let mut text = format!(
            "{name}: {inputs} inputs with FUZZ_SEED={} in {:.1} s, the slowest (number {number}, {} bytes) in {:.1} ms",
            self.seed,
            took.as_secs_f64(),
            input.length(),
            longest.as_secs_f64() * 1_000.0
        );
        if longest > SLOW {
            let file = self.keep(&format!("slow-{number}"), &input);
            let _ = write!(text, ": SLOW, kept in {}", file.display());
        }
        text
    }
}

thread_local! {
    /// Whether panics of this thread are what a target made of an input.
    static TRYING: Cell<bool> = const { Cell::new(false) };
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps the panics of inputs quiet, and where they were.
fn record_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if TRYING.get() {
                PANIC.with_borrow_mut(|text| *text = format!("a panic: {info}").replace('\n', " "));
            } else {
                usual(info);
            }
        }));
    });
}

fn tried(target: &Target, input: &Input) -> Result<(), String> {
    TRYING.set(true);
    let verdict = panic::catch_unwind(AssertUnwindSafe(|| (target.check)(input)));
    TRYING.set(false);
    verdict.unwrap_or_else(|_| Err(PANIC.with_borrow(Clone::clone)))
}

/// The input with as much left out as it stays wrong in the same way without.
fn smaller(target: &Target, input: &Input, kind: &str) -> Input {
    let wrong = |input: &Input| {
        tried(target, input).is_err_and(|what| what.chars().filter(|c| !c.is_ascii_digit()).take(60).eq(kind.chars()))
    };
    let mut best = input.clone();
    let until = Instant::now() + Duration::from_secs(5);
    for which in 0..best.texts.len() {
        let mut size = best.texts[which].len().div_ceil(2);
        while size > 0 && Instant::now() < until {
            let mut start = 0;
            let mut shrunk = false;
            while start < best.texts[which].len() && Instant::now() < until {
                let text = &best.texts[which];
                let end = (start + size).min(text.len());
                let (Some(before), Some(after)) = (text.get(..start), text.get(end..)) else {
                    start += 1;
                    continue;
                };
                let mut less = best.clone();
                less.texts[which] = format!("{before}{after}");
                if wrong(&less) {
                    best = less;
                    shrunk = true;
                } else {
                    start += size;
                }
            }
            if !shrunk || size > 1 {
                size /= 2;
            }
        }
    }
    best
}
