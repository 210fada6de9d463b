//! Environment markers, as far as they tell for which versions of Python something is.
//!
//! Source: packaging specifications, "Dependency specifiers", Environment markers. pep508_rs is not used on these texts: it recurses
//! as deep as their parentheses. Whatever else a marker asks about (a platform, an extra) may be so or not.

use super::pep440::judge;
use super::python::Pythons;
use pep440_rs::Version;

/// No honest marker comes near it.
const LONGEST_BYTES: usize = 2_000;

impl Pythons {
    /// Those for which a marker may hold; `None` when it is not understood.
    pub fn of_marker(marker: &str) -> Option<Self> {
        if marker.len() > LONGEST_BYTES {
            return None;
        }
        let mut tokens = Tokens { rest: marker };
        // No recursion: parentheses may be as deep as the text is long.
        let (mut values, mut waiting): (Vec<Self>, Vec<Joint>) = (Vec::new(), Vec::new());
        loop {
            let mut token = tokens.next()?;
            while token == Token::Open {
                waiting.push(Joint::Open);
                token = tokens.next()?;
            }
            values.push(comparison(token, &mut tokens)?);
            loop {
                let joint = match tokens.next() {
                    None if tokens.rest.is_empty() => {
                        join(&mut values, &mut waiting, Joint::Or)?;
                        return (waiting.is_empty() && values.len() == 1).then(|| values.pop())?;
                    }
                    Some(Token::Close) => {
                        join(&mut values, &mut waiting, Joint::Or)?;
                        (waiting.pop()? == Joint::Open).then_some(())?;
                        continue;
                    }
                    Some(Token::Word("and")) => Joint::And,
                    Some(Token::Word("or")) => Joint::Or,
                    _ => return None,
                };
                join(&mut values, &mut waiting, joint)?;
                waiting.push(joint);
                break;
            }
        }
    }
}

/// What stands between comparisons, from the loosest to the tightest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Joint {
    Open,
    Or,
    And,
}

/// Joins what is to be joined before something is that binds as tight as `next`.
fn join(values: &mut Vec<Pythons>, waiting: &mut Vec<Joint>, next: Joint) -> Option<()> {
    while let Some(joint) = waiting.pop_if(|joint| *joint >= next) {
        let (second, first) = (values.pop()?, values.pop()?);
        values.push(if joint == Joint::And { first.and(second) } else { first.or(second) });
    }
    Some(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'t> {
    Open,
    Close,
    Text(&'t str),
    Word(&'t str),
    Sign(&'t str),
}

struct Tokens<'t> {
    rest: &'t str,
}

impl<'t> Iterator for Tokens<'t> {
    type Item = Token<'t>;

    /// The next one; `None` at the end, and where there is none.
    fn next(&mut self) -> Option<Token<'t>> {
        self.rest = self.rest.trim_start();
        let text = self.rest;
        let take = |accepted: fn(char) -> bool| text.find(|c| !accepted(c)).unwrap_or(text.len());
        let (token, length) = match text.chars().next()? {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            quote @ ('"' | '\'') => {
                let inner = text[1..].split_once(quote)?.0;
                (Token::Text(inner), inner.len() + 2)
            }
            c if is_sign(c) => {
                let length = take(is_sign);
                (Token::Sign(&text[..length]), length)
            }
            c if is_word(c) => {
                let length = take(is_word);
                (Token::Word(&text[..length]), length)
            }
            _ => return None,
        };
        self.rest = &text[length..];
        Some(token)
    }
}

fn is_sign(c: char) -> bool {
    matches!(c, '<' | '>' | '=' | '!' | '~')
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.')
}

/// One comparison, of which the first token is read already.
fn comparison<'t>(first: Token<'t>, tokens: &mut Tokens<'t>) -> Option<Pythons> {
    let operator = match tokens.next()? {
        Token::Sign(sign) => sign,
        Token::Word("in") => "in",
        Token::Word("not") => (tokens.next()? == Token::Word("in")).then_some("not in")?,
        _ => return None,
    };
    match (first, tokens.next()?) {
        (Token::Word(name), Token::Text(value)) => compare(name, operator, value),
        (Token::Text(value), Token::Word(name)) => match operator {
            // A part of the version's text is no version.
            "in" | "not in" => (!is_python(name)).then_some(Pythons::ALL),
            operator => compare(name, mirrored(operator), value),
        },
        (Token::Text(_), Token::Text(_)) => Some(Pythons::ALL),
        _ => None,
    }
}

fn is_python(name: &str) -> bool {
    matches!(name, "python_version" | "python_full_version")
}

fn mirrored(operator: &str) -> &str {
    match operator {
        "<" => ">",
        ">" => "<",
        "<=" => ">=",
        ">=" => "<=",
        other => other,
    }
}

fn compare(name: &str, operator: &str, value: &str) -> Option<Pythons> {
    match (name, operator) {
        ("python_version", "in" | "not in") => {
            let versions: Vec<&str> = value.split(|c: char| !c.is_ascii_digit() && c != '.').collect();
            let listed = Pythons::those(|(major, minor)| versions.contains(&format!("{major}.{minor}").as_str()));
            Some(if operator == "in" { listed } else { listed.not() })
        }
        // A comma would part two comparisons, where there is one.
        ("python_version" | "python_full_version", _) if value.contains([',', '|']) => None,
        ("python_version", operator) => {
            let holds = judge(&format!("{operator}{value}"))?;
            Some(Pythons::those(|(major, minor)| holds(&Version::new([major, minor]))))
        }
        // A list of full versions leaves some of a minor one out.
        ("python_full_version", "in" | "not in") => None,
        ("python_full_version", operator) => Pythons::of_range(&format!("{operator}{value}")),
        _ => Some(Pythons::ALL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_tell_for_which_pythons_they_may_hold() {
        for (marker, shown) in [
            ("python_version < '3.12'", "<3.12"),
            ("python_version<\"3.12\"", "<3.12"),
            ("python_version <= '3.8'", "<3.9"),
            ("python_version > '3.8'", ">=3.9"),
            ("python_version == '3.8'", "==3.8.*"),
            ("python_version == '3.*'", ">=3"),
            ("python_version != '3.8'", "<3.8 || >=3.9"),
            ("python_version ~= '3.8'", ">=3.8"),
            ("'3.9' <= python_version", ">=3.9"),
            ("python_version in '2.7, 3.4,3.5'", "==2.7.* || >=3.4,<3.6"),
            ("python_version not in '2.7 3.4'", "<2.7 || >=3,<3.4 || >=3.5"),
            ("python_full_version < '3.9.1'", "<3.10"),
            ("python_full_version >= '3.7.1'", ">=3.7"),
            ("python_full_version == '3.8.10'", "==3.8.*"),
            ("sys_platform == 'win32'", ""),
            ("extra == 'test' and python_version < '3.9'", "<3.9"),
            ("sys_platform == 'win32' or python_version < '3.9'", ""),
            ("python_version >= '3.8' and python_version < '3.12'", ">=3.8,<3.12"),
            ("python_version < '3' or python_version >= '3.6' and python_version < '3.9'", "<3 || >=3.6,<3.9"),
            ("(python_version < '3' or python_version >= '3.6') and python_version < '3.9'", "<3 || >=3.6,<3.9"),
            ("((python_version < '3.9'))", "<3.9"),
            ("'linux' in sys_platform", ""),
            ("platform == '${PLATFORM}' and python_version < '3.8'", "<3.8"),
        ] {
            assert_eq!(Pythons::of_marker(marker).map(|set| set.to_string()).as_deref(), Some(shown), "{marker}");
        }
        for wrong in [
            "",
            "python_version",
            "python_version <",
            "python_version < 3.9",
            "python_version < '3.9",
            "(python_version < '3.9'",
            "python_version < '3.9')",
            "python_version < '3.9' and",
            "python_version < '3.9' sys_platform == 'x'",
            "python_version < '${PYTHON}'",
            "'3' in python_version",
            "python_version >= '3.8,<3.9'",
            "python_full_version >= '3.8 || <3'",
            "python_version not '3'",
            "a, b",
        ] {
            assert_eq!(Pythons::of_marker(wrong), None, "{wrong}");
        }
        let deep = format!("{}python_version < '3'{}", "(".repeat(900), ")".repeat(900));
        assert_eq!(Pythons::of_marker(&deep).map(|set| set.to_string()).as_deref(), Some("<3"));
        assert_eq!(Pythons::of_marker(&"(".repeat(1_000_000)), None);
    }

    proptest::proptest! {
        #[test]
        fn every_text_is_read_or_left(
            text in "(\\(|\\)| and | or |python_version|python_full_version|os_name|<|>=|==|~=| in | not in |'3.9'|\"2.7\"| |\\PC){0,20}",
        ) {
            let _ = Pythons::of_marker(&text);
        }
    }
}
