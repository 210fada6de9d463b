//! Where a stranger's link may lead: to the web, and to nothing on GitHub that would tell people of it.

use crate::domain::text::{cut, is_hidden};
use std::fmt::Write as _;

/// Longer addresses are shown, not linked. Unit: bytes.
const URL_MAX_BYTES: usize = 1_000;
/// What is shown of an address. Unit: characters.
const SHOWN_MAX_CHARS: usize = 60;
/// GitHub's own way to issues, pull requests and commits that leaves no trace on them.
const QUIET_HOST: &str = "redirect.github.com";

/// An `http` or `https` address.
pub struct Link {
    /// The address in the characters that Markdown leaves alone; none if nothing may lead there.
    pub url: Option<String>,
    /// What to show for it where there are no other words: `pypa/pip#12`, `example.com/news`.
    pub shown: String,
}

impl Link {
    /// Reads an address of which nothing is known. `None` if it is none of the web: relative, of another scheme, with user
    /// information, with a host that is no name.
    pub fn read(url: &str) -> Option<Self> {
        let odd = |c: char| c == '\\' || c.is_whitespace() || is_hidden(c);
        if url.len() > URL_MAX_BYTES || url.contains(odd) {
            return None;
        }
        let (scheme, rest) = url.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "http" && scheme != "https" {
            return None;
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        if host.is_empty() || !host.chars().all(is_name) || port.len() > 5 || !port.bytes().all(|b| b.is_ascii_digit())
        {
            return None;
        }
        let of_github = matches!(host.as_str(), "github.com" | "www.github.com" | QUIET_HOST);
        let reference = Reference::find(path, of_github);
        let port = if port.is_empty() { String::new() } else { format!(":{port}") };
        let url = match (&reference, of_github) {
            (None, _) => Some(format!("{scheme}://{host}{port}{}", encoded(path))),
            (Some(_), true) => Some(format!("https://{QUIET_HOST}{}", encoded(path))),
            // It may be the very GitHub Enterprise Server on which the pull request is.
            (Some(_), false) => None,
        };
        let url = url.filter(|url| url.len() <= URL_MAX_BYTES);
        let shown = match reference.and_then(|reference| reference.shown) {
            Some(shown) => shown,
            None => compared(&host, path).unwrap_or_else(|| format!("{host}{port}{}", path.trim_end_matches('/'))),
        };
        Some(Self { url, shown: cut(&shown, SHOWN_MAX_CHARS) })
    }
}

/// A path that GitHub takes for a mention of an issue, a pull request, a discussion or a commit.
struct Reference {
    shown: Option<String>,
}

impl Reference {
    /// Looks for one in a path; `anywhere` in it, or just where GitHub has them: below the repository.
    fn find(path: &str, anywhere: bool) -> Option<Self> {
        let path = decoded(path.split(['?', '#']).next().unwrap_or_default());
        let mut parts: Vec<&str> = Vec::new();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        let at = parts.windows(2).enumerate().position(|(i, pair)| (anywhere || i == 2) && names(pair[0], pair[1]))?;
        let shown = match (parts.as_slice(), at) {
            ([owner, repository, kind, id, ..], 2) if !owner.eq_ignore_ascii_case("orgs") => {
                let id: String = id.chars().take_while(char::is_ascii_alphanumeric).collect();
                let commit = kind.to_ascii_lowercase().starts_with("commit");
                Some(match commit {
                    true => format!("{owner}/{repository}@{}", &id[..id.len().min(7)]),
                    false => format!("{owner}/{repository}#{id}"),
                })
            }
            _ => None,
        };
        Some(Self { shown })
    }
}

fn names(kind: &str, id: &str) -> bool {
    match kind.to_ascii_lowercase().as_str() {
        "issues" | "issue" | "pull" | "pulls" | "discussions" => id.starts_with(|c: char| c.is_ascii_digit()),
        "commit" | "commits" => id.bytes().take_while(u8::is_ascii_hexdigit).count() >= 7,
        _ => false,
    }
}

/// `v1.0...v1.1`, for the page of GitHub that compares them.
fn compared(host: &str, path: &str) -> Option<String> {
    let mut parts = path.strip_prefix('/')?.splitn(4, '/');
    let (_, _, kind, what) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    (host == "github.com" && kind == "compare" && what.contains("..")).then(|| decoded(what))
}

/// Text with its `%41` resolved.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()).filter(|_| first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A path in which nothing is left that ends a link of Markdown, or means something in it.
fn encoded(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => text.push(char::from(byte)),
            b'-' | b'.' | b'_' | b'~' | b'/' | b'?' | b'#' | b'%' | b'=' | b'&' | b'+' | b',' | b':' | b'@' | b'!' => {
                text.push(char::from(byte));
            }
            _ => drop(write!(text, "%{byte:02X}")),
        }
    }
    text
}
