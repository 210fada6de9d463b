//! The words of a command.

use crate::domain::{Command, IgnoreScope, Snooze, Unclear};
use crate::subscription::parse_span;
use jiff::civil::Date;

/// Each command with what it does, for whoever asks.
pub const USAGE: [(&str, &str); 10] = [
    ("rebase", "brings the branch up to date with its base"),
    ("recreate", "makes the change anew, whatever was done to it on the branch"),
    ("ignore this version", "closes this and does not propose this version again"),
    ("ignore this minor", "the same for every version with the same first two numbers"),
    ("ignore this major", "the same for every version with the same first number"),
    ("ignore this dependency", "the same for all of it; `of NAME` after it picks one of several"),
    ("unignore", "takes back what was ignored or snoozed here; or `unignore NAME`"),
    ("snooze 2w", "closes this and proposes it again after that time; or `snooze until 2027-01-31`"),
    ("why", "says how everything in this pull request stands"),
    ("help", "lists these commands"),
];
/// The first words of commands.
const VERBS: [&str; 7] = ["rebase", "recreate", "ignore", "unignore", "snooze", "why", "help"];
/// Unit: characters.
const SAID_MAX_CHARS: usize = 60;
/// No package has a longer name. Unit: bytes.
const NAME_MAX_BYTES: usize = 214;

/// Reads what follows the prefix.
pub fn command(said: &str) -> Result<Command, Unclear> {
    let said = said.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '.' | '!' | ';' | ','));
    let words: Vec<&str> = said.split_whitespace().collect();
    let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let result = match lower.as_slice() {
        ["rebase"] => Ok(Command::Rebase),
        ["recreate"] => Ok(Command::Recreate),
        ["why"] => Ok(Command::Why),
        [] | ["help"] => Ok(Command::Help),
        ["ignore", rest @ ..] => ignore(rest, &words[1..]),
        ["unignore"] => Ok(Command::Unignore { of: None }),
        ["unignore", "of" | "for", _] => name(words[2]).map(|of| Command::Unignore { of: Some(of) }),
        ["unignore", _] => name(words[1]).map(|of| Command::Unignore { of: Some(of) }),
        ["snooze", "until", day] => until(day),
        ["snooze", ..] => for_a_while(&lower[1..].join(" ")),
        [verb, ..] if VERBS.contains(verb) => Err(format!("`{verb}` stands alone")),
        [verb, ..] => Err(match nearest(verb) {
            Some(meant) => format!("there is no such command, did you mean `{meant}`"),
            None => "there is no such command".into(),
        }),
    };
    result.map_err(|why| Unclear { said: said.chars().take(SAID_MAX_CHARS).collect(), why })
}

/// `this major`, `this minor version`, `dependency of NAME`.
fn ignore(lower: &[&str], words: &[&str]) -> Result<Command, String> {
    const WHAT: &str =
        "write `ignore this version`, `ignore this minor`, `ignore this major` or `ignore this dependency`";
    let skip = usize::from(lower.first() == Some(&"this"));
    let (lower, words) = (&lower[skip..], &words[skip..]);
    let scope = match lower.first().copied() {
        Some("patch") => Some(IgnoreScope::Version),
        Some("package") => Some(IgnoreScope::Dependency),
        Some(word) => IgnoreScope::from_word(word),
        None => None,
    };
    let scope = scope.ok_or(WHAT)?;
    let skip = match (scope, lower.get(1).copied()) {
        (IgnoreScope::Minor | IgnoreScope::Major, Some("version")) => 2,
        (IgnoreScope::Version, Some("version")) if lower[0] == "patch" => 2,
        _ => 1,
    };
    match &lower[skip..] {
        [] => Ok(Command::Ignore { scope, of: None }),
        ["of" | "for", _] => name(words[skip + 1]).map(|of| Command::Ignore { scope, of: Some(of) }),
        _ => Err(format!("{WHAT}, and after it `of NAME` to pick one of several")),
    }
}

fn name(written: &str) -> Result<String, String> {
    let name = written.trim_matches('`');
    if name.is_empty() || name.len() > NAME_MAX_BYTES || name.chars().any(char::is_control) {
        return Err("that is no package's name".into());
    }
    Ok(name.to_string())
}

fn until(day: &str) -> Result<Command, String> {
    let day: Date = day.parse().map_err(|_| "write the day as in `snooze until 2027-01-31`".to_string())?;
    Ok(Command::Snooze(Snooze::Until(day)))
}

fn for_a_while(length: &str) -> Result<Command, String> {
    const EXAMPLE: &str = "write `snooze 3d`, `snooze 2w` or `snooze until 2027-01-31`";
    match parse_span(length) {
        Ok(length) if length.is_zero() => Err(format!("that is no time at all: {EXAMPLE}")),
        Ok(length) => Ok(Command::Snooze(Snooze::For(length))),
        Err(why) if length.is_empty() => Err(format!("{EXAMPLE}, since {why}")),
        Err(why) => Err(format!("{why}: {EXAMPLE}")),
    }
}

/// The first word of a command that somebody may have meant.
fn nearest(verb: &str) -> Option<&'static str> {
    // A long word is nobody's slip, and comparing it would cost.
    let short = verb.len() <= 16;
    let near = |known: &&str| short && strsim::damerau_levenshtein(known, verb) <= 2;
    VERBS.into_iter().filter(near).min_by_key(|known| strsim::damerau_levenshtein(known, verb))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;
    use rstest::rstest;

    fn ignored(scope: IgnoreScope, of: Option<&str>) -> Command {
        Command::Ignore { scope, of: of.map(Into::into) }
    }

    #[rstest]
    #[case("rebase", Command::Rebase)]
    #[case("Recreate!", Command::Recreate)]
    #[case("", Command::Help)]
    #[case("why", Command::Why)]
    #[case("ignore this version", ignored(IgnoreScope::Version, None))]
    #[case("ignore this minor", ignored(IgnoreScope::Minor, None))]
    #[case("ignore this minor version", ignored(IgnoreScope::Minor, None))]
    #[case("ignore major", ignored(IgnoreScope::Major, None))]
    #[case("ignore this patch version", ignored(IgnoreScope::Version, None))]
    #[case("ignore this dependency of Django", ignored(IgnoreScope::Dependency, Some("Django")))]
    #[case("ignore this major version for `a/b`", ignored(IgnoreScope::Major, Some("a/b")))]
    #[case("unignore", Command::Unignore { of: None })]
    #[case("unignore django", Command::Unignore { of: Some("django".into()) })]
    #[case("unignore of django", Command::Unignore { of: Some("django".into()) })]
    #[case("snooze 2w", Command::Snooze(Snooze::For(SignedDuration::from_hours(336))))]
    #[case("snooze 1d 12h", Command::Snooze(Snooze::For(SignedDuration::from_hours(36))))]
    #[case("snooze until 2027-01-31", Command::Snooze(Snooze::Until(jiff::civil::date(2027, 1, 31))))]
    fn understood(#[case] said: &str, #[case] expected: Command) {
        assert_eq!(command(said), Ok(expected));
    }

    #[rstest]
    #[case("rebsae", "did you mean `rebase`")]
    #[case("fly", "there is no such command")]
    #[case("rebase now", "`rebase` stands alone")]
    #[case("ignore", "write `ignore this version`")]
    #[case("ignore this everything", "write `ignore this version`")]
    #[case("ignore this major django", "`of NAME`")]
    #[case("snooze", "write `snooze 3d`")]
    #[case("snooze 0d", "no time at all")]
    #[case("snooze 3 moons", "write `snooze 3d`")]
    #[case("snooze until tomorrow", "write the day as in")]
    #[case("snooze 9999999999999999999w", "too large")]
    fn misunderstood(#[case] said: &str, #[case] expected: &str) {
        let answer = command(said).unwrap_err();
        assert!(answer.why.contains(expected), "{}", answer.why);
        assert_eq!(answer.said, said);
    }

    #[test]
    fn every_command_of_the_usage_is_one() {
        for (said, _) in USAGE {
            assert!(command(said).is_ok(), "{said}");
        }
    }

    #[test]
    fn what_is_repeated_is_short() {
        let answer = command(&"é".repeat(60_000)).unwrap_err();
        assert_eq!(answer.said.chars().count(), SAID_MAX_CHARS);
    }
}
