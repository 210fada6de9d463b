//! Prints the story, and keeps it honest: a line that tells what the bot did is printed only with the checks it rests on.

use anstyle::{AnsiColor, Style};
use jiff::{Timestamp, tz::TimeZone};
use std::cell::RefCell;
use std::fmt::Debug;
use std::io::{self, Write as _};
use std::time::Duration;

/// Lines are wrapped here, colours not counted.
const WIDTH: usize = 100;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const ADDED: Style = AnsiColor::Green.on_default();
const REMOVED: Style = AnsiColor::Red.on_default();
const HEADING: Style = AnsiColor::Cyan.on_default().bold();

/// Something that was looked at: true, or the words for what is wrong.
pub struct Check(Result<(), Mismatch>);

struct Mismatch {
    what: String,
    expected: String,
    found: String,
}

/// What was found is what has to be.
pub fn same<F: PartialEq<E> + Debug, E: Debug>(what: &str, found: F, expected: E) -> Check {
    Check(if found == expected {
        Ok(())
    } else {
        Err(Mismatch { what: what.into(), expected: format!("{expected:?}"), found: format!("{found:?}") })
    })
}

/// A text that was found has another one in it.
pub fn contains(what: &str, found: &str, expected: &str) -> Check {
    Check(if found.contains(expected) {
        Ok(())
    } else {
        Err(Mismatch {
            what: what.into(),
            expected: format!("a text with {expected:?} in it"),
            found: format!("{found:?}"),
        })
    })
}

/// A line of the story was not true. It was told on the spot.
#[derive(Debug, thiserror::Error)]
#[error("the story stops here: what it was about to tell is not what happened")]
pub struct Untrue;

/// Prints to standard output, with colours on a terminal.
#[derive(Default)]
pub struct Narrator {
    chapters: u32,
    checks: u32,
    unwritten: RefCell<Option<io::Error>>,
}

impl Narrator {
    /// Whoever reads may stop reading, as `head` does: the story goes on, for the sake of its exit code. What cannot be written for
    /// another reason is remembered.
    fn line(&self, text: &str) {
        match writeln!(anstream::stdout().lock(), "{text}") {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                self.unwritten.borrow_mut().get_or_insert(error);
            }
            _ => {}
        }
    }

    /// Why a part of the story could not be written, where that is so.
    pub fn unwritten(&self) -> Option<io::Error> {
        self.unwritten.take()
    }

    /// What this is about to be.
    pub fn title(&self, title: &str, text: &str) {
        self.line(&format!("\n{BOLD}{title}{BOLD:#}"));
        self.say(text);
    }

    /// A new step of the story.
    pub fn chapter(&mut self, now: Timestamp, title: &str) {
        self.chapters += 1;
        let when = now.to_zoned(TimeZone::UTC).strftime("%A %-d %B %Y, %H:%M:%S UTC");
        self.line(&format!("\n{HEADING}{}. {title}{HEADING:#}  {DIM}{when}{DIM:#}", self.chapters));
    }

    /// What people do, and what the story's clock does: the demo does it itself.
    pub fn say(&self, text: &str) {
        for part in wrapped(text, WIDTH - 2) {
            self.line(&format!("  {part}"));
        }
    }

    /// What was observed, with everything it rests on.
    ///
    /// Errors: [`Untrue`] if a check fails, after telling what was expected and what was found.
    pub fn saw<const N: usize>(&mut self, text: &str, checks: [Check; N]) -> Result<(), Untrue> {
        const { assert!(N > 0, "a line without a check is only talk") };
        let wrong: Vec<Mismatch> = checks.into_iter().filter_map(|check| check.0.err()).collect();
        let (mark, style) = if wrong.is_empty() { ("✓", GOOD) } else { ("✗", BAD) };
        let parts = text.lines().flat_map(|text| wrapped(text, WIDTH - 4));
        for (n, part) in parts.enumerate() {
            let mark = if n == 0 { mark } else { " " };
            self.line(&format!("  {style}{mark}{style:#} {part}"));
        }
        for Mismatch { what, expected, found } in &wrong {
            self.line(&format!("      {BAD}{what}{BAD:#}\n        expected  {expected}\n        found     {found}"));
        }
        self.checks += u32::try_from(N).unwrap_or(u32::MAX);
        if wrong.is_empty() { Ok(()) } else { Err(Untrue) }
    }

    /// Lines of a file, or of something else that is quoted.
    pub fn quote(&self, text: &str) {
        for quoted in text.lines() {
            for part in wrapped(quoted, WIDTH - 6) {
                self.line(&format!("    {DIM}│{DIM:#} {part}"));
            }
        }
    }

    /// A diff, without the lines that only git reads.
    pub fn diff(&self, text: &str) {
        for quoted in text.lines().filter(|text| !text.starts_with("index ") && !text.starts_with("diff ")) {
            let style = match quoted.as_bytes().first() {
                Some(b'+') if !quoted.starts_with("+++") => ADDED,
                Some(b'-') if !quoted.starts_with("---") => REMOVED,
                Some(b' ') => Style::new(),
                _ => DIM,
            };
            self.line(&format!("    {DIM}│{DIM:#} {style}{quoted}{style:#}"));
        }
    }

    /// The last words of the story.
    pub fn the_end(&self, took: Duration) {
        self.line("");
        self.say(&format!(
            "{} checks stand behind the lines with a tick; all of them held. The story took {:.1} seconds.",
            self.checks,
            took.as_secs_f64()
        ));
    }

    /// That the world is still there to be looked at, and where.
    pub fn stays_up(&self, page: &str, github: &str) {
        self.line("");
        self.line(&format!("  The bot's page               {BOLD}{page}/{BOLD:#}"));
        self.line(&format!("  Repositories, pull requests  {github}/"));
        self.say("Both stay up for a look, and the clock stands still. Ctrl-C ends them.");
    }
}

/// The text in lines of at most `width` characters, later ones indented as the first. Words are not broken.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let indent: String = text.chars().take_while(|c| *c == ' ').collect();
    if text.chars().count() <= width {
        return vec![text.to_owned()];
    }
    let mut lines = vec![indent.clone()];
    for word in text.split_whitespace() {
        let last = lines.last().map_or(0, |last| last.chars().count());
        if last + 1 + word.chars().count() > width && last > indent.len() {
            lines.push(indent.clone());
        }
        if let Some(last) = lines.last_mut() {
            if last.len() > indent.len() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}
