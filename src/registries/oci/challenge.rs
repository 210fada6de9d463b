//! What a registry asks for when it says 401: the `WWW-Authenticate` header.
//!
//! Source: RFC 9110, section 11.6.1.

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

const MAX_HEADER_BYTES: usize = 4096;

/// One way to authenticate that a registry offers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Challenge {
    /// `bearer`, `basic`, …, in lower case.
    pub(super) scheme: String,
    /// Where a token is given out.
    pub(super) realm: Option<String>,
    /// Who the token is for.
    pub(super) service: Option<String>,
}

/// The challenges of an answer, in order.
pub(super) fn parse(headers: &HeaderMap) -> Vec<Challenge> {
    let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    values.filter(|value| value.len() <= MAX_HEADER_BYTES).flat_map(challenges).collect()
}

/// A word followed by `=` belongs to the challenge before it; any other word begins a new one.
fn challenges(mut text: &str) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = Vec::new();
    loop {
        text = text.trim_start_matches([' ', '\t', ',']);
        let end = text.find([' ', '\t', ',', '=', '"']).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        if word.is_empty() {
            return found;
        }
        let Some(value) = rest.trim_start().strip_prefix('=') else {
            found.push(Challenge { scheme: word.to_ascii_lowercase(), ..Challenge::default() });
            text = rest;
            continue;
        };
        let (value, rest) = value_of(value.trim_start());
        text = rest;
        match (found.last_mut(), word.to_ascii_lowercase().as_str()) {
            (Some(challenge), "realm") => challenge.realm = Some(value),
            (Some(challenge), "service") => challenge.service = Some(value),
            _ => {}
        }
    }
}

/// A bare or quoted value, and what follows it.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '\t', ',']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            c => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>) -> Challenge {
        Challenge { scheme: "bearer".into(), realm: Some(realm.into()), service: service.map(Into::into) }
    }

    #[test]
    fn challenges_are_read_in_all_their_forms() {
        assert_eq!(
            challenges(r#"Bearer realm="https://a.example/token",service="r",scope="repository:x:pull,push""#),
            [bearer("https://a.example/token", Some("r"))]
        );
        let two = challenges(r#"Basic realm="say \"hi\", please", BEARER service=r , realm = "t""#);
        assert_eq!(two[0].realm.as_deref(), Some(r#"say "hi", please"#));
        assert_eq!(two[1], bearer("t", Some("r")));
        assert_eq!(challenges("Basic"), [Challenge { scheme: "basic".into(), ..Challenge::default() }]);
        assert_eq!(challenges(r#"Bearer realm="open"#), [bearer("open", None)]);
        assert_eq!(challenges("realm=x"), []);
        assert_eq!(challenges(""), []);
        assert_eq!(challenges(r#"""""#), []);
    }

    proptest::proptest! {
        #[test]
        fn no_header_breaks_the_reader(text in "[ -~]{0,80}") {
            assert!(challenges(&text).len() <= text.len());
        }
    }
}
