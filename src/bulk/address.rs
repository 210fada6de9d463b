//! Where git finds a repository: the addresses that people write, and those that are refused.

use super::words::one_line;
use crate::activity::names_secret;
use crate::domain::RepoName;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Longer addresses are none. Unit: bytes.
const LONGEST: usize = 2000;

/// An address that git may be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Place);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Folder(PathBuf),
    Remote { url: String, http: Option<HttpHost> },
}

/// The host of an address that is spoken to over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HttpHost {
    /// `https` or `http`.
    pub scheme: &'static str,
    /// In lower case, with the port where one is named.
    pub host: String,
}

/// An address that git is not given, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{shown}: {why}")]
pub struct BadAddress {
    /// The address without what may be secret in it.
    shown: String,
    why: &'static str,
}

impl Address {
    /// Reads `https://…`, `ssh://…`, `git@host:owner/name.git`, `file://…`, a path (relative to the folder of this process),
    /// and `http://…` on this machine.
    ///
    /// Errors: [`BadAddress`] for what git could take for an option, for transports that run commands or do not prove who
    /// answers, for passwords and tokens.
    pub fn parse(text: &str) -> Result<Self, BadAddress> {
        let text = text.trim();
        let bad = |why| BadAddress { shown: shown(text), why };
        if text.is_empty() || text.len() > LONGEST || text.chars().any(char::is_control) {
            return Err(bad("an address is one line of at most 2,000 bytes"));
        }
        if text.starts_with('-') {
            return Err(bad("git would take this for an option; a folder of that name is `./-…`"));
        }
        let is_ssh = |scheme: &str| ["ssh", "git+ssh", "ssh+git"].contains(&scheme);
        if names_secret(text) {
            return Err(bad(match text.split_once("://") {
                Some((scheme, _)) if is_ssh(scheme) => "passwords do not belong in an address; ssh has keys",
                _ => {
                    "a password or token does not belong in an address: it would be written to disk and logs. Set FORGE_TOKEN"
                }
            }));
        }
        match text.split_once("://") {
            Some(("file", path)) => Self::of_file(path).ok_or_else(|| bad("`file://` is followed by an absolute path")),
            Some(("https", rest)) => Self::of_http("https", rest).map_err(bad),
            Some(("http", rest)) => Self::of_http("http", rest).map_err(bad),
            Some((scheme, rest)) if is_ssh(scheme) => {
                let authority = authority(rest);
                let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
                if host.is_empty() || host.starts_with('-') || user.starts_with('-') {
                    return Err(bad("a host is missing"));
                }
                Ok(Self(Place::Remote { url: format!("ssh://{rest}"), http: None }))
            }
            Some((scheme, _)) if scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) => {
                Err(bad("only https, ssh, file and paths are cloned"))
            }
            _ => Self::of_no_scheme(text).map_err(bad),
        }
    }

    fn of_file(path: &str) -> Option<Self> {
        let path = path.strip_prefix("localhost").unwrap_or(path);
        let path = decoded(path)?;
        (path.starts_with('/') && !path.chars().any(char::is_control)).then(|| Self(Place::Folder(path.into())))
    }

    fn of_http(scheme: &'static str, rest: &str) -> Result<Self, &'static str> {
        let authority = authority(rest);
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_ascii_lowercase();
        if host.is_empty() || host.starts_with('-') || rest.len() == authority.len() {
            return Err("a host and a path are needed");
        }
        if scheme == "http" && !is_loopback(&host) {
            return Err("without encryption only this machine is spoken to; use https");
        }
        Ok(Self(Place::Remote { url: format!("{scheme}://{rest}"), http: Some(HttpHost { scheme, host }) }))
    }

    fn of_no_scheme(text: &str) -> Result<Self, &'static str> {
        let before_slash = text.split('/').next().unwrap_or(text);
        // As git does: a colon before the first slash is a host, unless there is such a folder.
        match before_slash.split_once(':') {
            Some((_, rest)) if rest.starts_with(':') => Err("transports that run helpers are not used"),
            Some((host, _)) if !Path::new(text).exists() => {
                let path = &text[host.len() + 1..];
                let (user, name) = host.rsplit_once('@').unwrap_or(("", host));
                if name.is_empty() || path.is_empty() || [name, user, path].iter().any(|part| part.starts_with('-')) {
                    return Err("`user@host:path` or a path was expected");
                }
                Ok(Self(Place::Remote { url: text.to_owned(), http: None }))
            }
            _ => match std::path::absolute(text) {
                Ok(path) => Ok(Self(Place::Folder(path))),
                Err(_) => Err("it is no path"),
            },
        }
    }

    /// The folder on this machine that it names, if it does.
    pub fn folder(&self) -> Option<&Path> {
        match &self.0 {
            Place::Folder(path) => Some(path),
            Place::Remote { .. } => None,
        }
    }

    /// What tells a repository from others, however its address is written: `HOST/OWNER/NAME` in small letters, or the
    /// folder on this machine without links.
    pub fn identity(&self) -> String {
        match &self.0 {
            Place::Folder(path) => path.canonicalize().unwrap_or_else(|_| path.clone()).display().to_string(),
            Place::Remote { url, .. } => {
                let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
                let (host, path) = rest.split_once(['/', ':']).unwrap_or((rest, ""));
                let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
                let path = path.trim_matches('/');
                format!("{host}/{}", path.strip_suffix(".git").unwrap_or(path)).to_lowercase()
            }
        }
    }

    /// What is spoken to over HTTP.
    pub(super) fn http(&self) -> Option<&HttpHost> {
        match &self.0 {
            Place::Folder(_) => None,
            Place::Remote { http, .. } => http.as_ref(),
        }
    }

    /// The repository of a forge that it names: the last two parts of its path. Which forge, a user's settings of git and ssh
    /// may decide, so the host tells nothing.
    pub fn repository(&self) -> Option<RepoName> {
        let Place::Remote { url, .. } = &self.0 else { return None };
        let path = match url.split_once("://") {
            Some((_, rest)) => rest.split_once('/')?.1,
            None => url.split_once(':')?.1,
        };
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        RepoName::parse(path).ok()
    }

    /// The last part of its path without `.git`, of plain letters: for the name of a folder.
    pub(super) fn slug(&self) -> String {
        let text = self.to_string();
        let last = text.trim_end_matches('/').rsplit(['/', ':', '\\']).next().unwrap_or_default();
        let last = last.strip_suffix(".git").unwrap_or(last);
        last.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).take(40).collect()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Folder(path) => write!(f, "{}", path.display()),
            Place::Remote { url, .. } => f.write_str(url),
        }
    }
}

fn authority(rest: &str) -> &str {
    &rest[..rest.find('/').unwrap_or(rest.len())]
}

/// Whether a host, with a port or none, is this machine by its very name.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// `%20` and the like, as git reads them in addresses.
fn decoded(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            let digits = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok())?;
            plain.push(u8::from_str_radix(digits, 16).ok()?);
            at += 3;
        } else {
            plain.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(plain).ok()
}

/// An address in a message: whoever it signs in as is left out, and all of it where a secret stands elsewhere.
fn shown(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
    let before = &text[..text.len() - rest.len()];
    let text = match authority(rest).rfind('@') {
        Some(at) if !scheme.is_empty() || names_secret(text) => format!("{before}***{}", &rest[at..]),
        _ => text.to_owned(),
    };
    if names_secret(&text) { "***".to_owned() } else { one_line(&text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_what_people_write() {
        for (text, expected) in [
            ("https://github.com/acme/api", "https://github.com/acme/api"),
            ("https://git@github.com/acme/api.git", "https://git@github.com/acme/api.git"),
            ("http://127.0.0.1:80/acme/api", "http://127.0.0.1:80/acme/api"),
            ("http://[::1]:80/acme/api", "http://[::1]:80/acme/api"),
            ("ssh://git@host:22/a/b", "ssh://git@host:22/a/b"),
            ("git@github.com:acme/api.git", "git@github.com:acme/api.git"),
            ("host:acme/api", "host:acme/api"),
            ("file:///srv/a%20b", "/srv/a b"),
            ("/srv/api", "/srv/api"),
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), expected, "{text}");
        }
        assert!(Address::parse("./-odd").unwrap().folder().unwrap().is_absolute());
        assert!(Address::parse("a/b:c").unwrap().folder().is_some());
    }

    #[test]
    fn what_git_must_not_be_given_is_refused() {
        for text in [
            "",
            "-oProxyCommand=x",
            "--upload-pack=x",
            "ext::sh -c id",
            "ext::sh -c id://x",
            "fd::3",
            "git://host/a",
            "http://example.com/a",
            "http://127.0.0.1.example.com/a",
            "ftp://host/a",
            "https://",
            "https:///a",
            "https://host",
            "https://me:hunter2@host/a",
            "https://ghp_hunter2@github.com/a",
            "ssh://-oProxyCommand=x/a",
            "HTTPS://me:hunter2@host/a",
            "https://host/a?token=ghp_hunter2hunter2hunter2hunter2",
            "me:hunter2@host:a",
            "x://me:hunter2@host/a",
            "ssh://a:hunter2@host/a",
            "-x@host:a",
            "git@-x:a",
            "host:-x",
            "file://host/a",
            "file://relative",
            "a\nb",
        ] {
            let refused = Address::parse(text).expect_err(text);
            assert!(!refused.to_string().contains("hunter2"), "{refused}");
        }
    }

    #[test]
    fn secrets_are_refused_with_what_to_do_instead() {
        let refused = |text: &str| Address::parse(text).unwrap_err().to_string();
        let advice =
            "a password or token does not belong in an address: it would be written to disk and logs. Set FORGE_TOKEN";
        assert_eq!(refused("https://me:hunter2@host/a"), format!("https://***@host/a: {advice}"));
        assert_eq!(refused("https://x-access-token@host/a"), format!("https://***@host/a: {advice}"));
        assert_eq!(refused("me:hunter2@host:a"), format!("***@host:a: {advice}"));
        assert_eq!(refused("https://host/ghp_hunter2hunter2hunter2hunter2"), format!("***: {advice}"));
        assert_eq!(
            refused("ssh://me:hunter2@host/a"),
            "ssh://***@host/a: passwords do not belong in an address; ssh has keys"
        );
    }

    #[test]
    fn folders_of_the_cache_have_plain_names() {
        let slug = |text: &str| Address::parse(text).unwrap().slug();
        assert_eq!(slug("git@github.com:acme/api.git"), "api");
        assert_eq!(slug("/srv/a b/"), "ab");
        assert_eq!(slug("https://host/../.."), "");
    }
}
