//! Addresses of repositories and pages as publishers write them down: some dozen ways to say the same, and whatever else
//! a stranger may put there.

use super::RepoName;

/// Longer addresses are none. Unit: bytes.
const ADDRESS_MAX_BYTES: usize = 400;
/// As long as names of hosts are. Unit: bytes.
const HOST_MAX_BYTES: usize = 255;
/// Hosts of repositories that answer at https under every address that was ever written with http or git.
const KNOWN_HOSTS: [&str; 3] = ["github.com", "gitlab.com", "bitbucket.org"];

/// The address at which a person finds a page or a repository: `https`, a host, a path, and nothing that only a program
/// needs. `None` for what is no such address, and for everything that carries a password.
///
/// Understands what package metadata uses for repositories: `git+https://…`, `git://…`, `ssh://git@…`, `git@host:owner/name`,
/// `github:owner/name`, `owner/name`; a trailing `.git`; what is behind a `#` is left out.
pub fn web_address(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || text.len() > ADDRESS_MAX_BYTES || !text.bytes().all(is_plain) {
        return None;
    }
    let text = text.split(['#', '?']).next().unwrap_or_default();
    let text = text.strip_prefix("git+").unwrap_or(text);
    let (host, path) = match text.split_once("://") {
        Some((scheme, rest)) => of_a_scheme(&scheme.to_ascii_lowercase(), rest)?,
        None => of_no_scheme(text)?,
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let host = host.strip_prefix("www.").filter(|bare| KNOWN_HOSTS.contains(bare)).unwrap_or(&host).to_string();
    if !is_host(&host) {
        return None;
    }
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    while let Some(bare) = parts.last().and_then(|last| last.strip_suffix(".git")) {
        parts.pop();
        parts.extend(Some(bare).filter(|bare| !bare.is_empty()));
    }
    if parts.iter().any(|part| matches!(*part, "." | "..")) {
        return None;
    }
    Some(std::iter::once(host.as_str()).chain(parts).fold("https:/".to_string(), |all, part| all + "/" + part))
}

/// The repository of a forge that an address leads to, or into, such as to a folder of it. `host` is the one that people's
/// addresses of that forge begin with.
pub fn repository_at(address: &str, host: &str) -> Option<RepoName> {
    let rest = address.strip_prefix("https://")?.strip_prefix(host)?.strip_prefix('/')?;
    let mut parts = rest.splitn(3, '/');
    let (owner, name) = (parts.next()?, parts.next()?);
    let name = name.strip_suffix(".git").unwrap_or(name);
    RepoName::parse(&format!("{owner}/{name}")).ok()
}

/// What may stand in an address that is made a link without being changed.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~/%+@:,=&?!#".contains(&byte)
}

/// Host, with a port, and path. What only a program uses is dropped: the user of ssh, and its port.
fn of_a_scheme<'a>(scheme: &str, rest: &'a str) -> Option<(&'a str, &'a str)> {
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    match scheme {
        "https" if user.is_none() => Some((host, path)),
        // npm writes `git+https://git@host/…`. Any other user name may be a secret.
        "https" if user == Some("git") => Some((host, path)),
        "http" | "git" if user.is_none() && is_known(host) => Some((host, path)),
        "ssh" if user.is_none_or(|user| user == "git") => {
            // `ssh://git@host:owner/name` is written as well.
            match host.split_once(':') {
                Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => Some((name, path)),
                Some((name, owner)) => {
                    let at = rest.find(owner).filter(|_| !owner.is_empty())?;
                    Some((name, &rest[at..]))
                }
                None => Some((host, path)),
            }
        }
        _ => None,
    }
}

fn of_no_scheme(text: &str) -> Option<(&str, &str)> {
    if let Some((user, rest)) = text.split_once('@') {
        let (host, path) = rest.split_once(':')?;
        return (user == "git" && !path.is_empty()).then_some((host, path));
    }
    if let Some((short, path)) = text.split_once(':') {
        let host = match short {
            "github" => "github.com",
            "gitlab" => "gitlab.com",
            "bitbucket" => "bitbucket.org",
            _ => return None,
        };
        return RepoName::parse(path).is_ok().then_some((host, path));
    }
    match text.split_once('/')? {
        // `github.com/owner/name`
        (host, path) if is_known(host) && path.contains('/') => Some((host, path)),
        _ => RepoName::parse(text).is_ok().then_some(("github.com", text)),
    }
}

fn is_known(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    KNOWN_HOSTS.contains(&host.strip_prefix("www.").unwrap_or(&host))
}

/// A name with a dot in it, and a port or none.
fn is_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').unwrap_or((text, "1"));
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    name.len() <= HOST_MAX_BYTES
        && name.contains('.')
        && name.split('.').all(part)
        && !port.is_empty()
        && port.len() <= 5
        && port.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_repository_is_written_in_many_ways() {
        for text in [
            "https://github.com/encode/httpx",
            "https://github.com/encode/httpx/",
            "https://github.com/encode/httpx.git",
            "https://github.com/encode/httpx#readme",
            "https://GitHub.com/encode/httpx",
            "https://www.github.com/encode/httpx",
            "http://github.com/encode/httpx",
            "git+https://github.com/encode/httpx.git",
            "git+https://git@github.com/encode/httpx.git",
            "git://github.com/encode/httpx.git",
            "git+ssh://git@github.com/encode/httpx.git",
            "ssh://git@github.com/encode/httpx.git",
            "ssh://git@github.com:22/encode/httpx.git",
            "ssh://git@github.com:encode/httpx.git",
            "git@github.com:encode/httpx.git",
            "github:encode/httpx",
            "github:encode/httpx#main",
            "encode/httpx",
            "github.com/encode/httpx",
            "  https://github.com/encode/httpx\n",
        ] {
            assert_eq!(web_address(text).as_deref(), Some("https://github.com/encode/httpx"), "{text}");
        }
    }

    #[test]
    fn pages_and_folders_stay_what_they_are() {
        for (text, expected) in [
            ("https://babel.dev", "https://babel.dev"),
            ("https://babel.dev/docs/", "https://babel.dev/docs"),
            ("https://gitlab.com/a/b/c", "https://gitlab.com/a/b/c"),
            ("gitlab:a/b", "https://gitlab.com/a/b"),
            ("git@git.example.com:a/b.git", "https://git.example.com/a/b"),
            ("https://127.0.0.1:8080/a/b", "https://127.0.0.1:8080/a/b"),
            ("https://github.com/o/r/tree/main/packages/x", "https://github.com/o/r/tree/main/packages/x"),
        ] {
            assert_eq!(web_address(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_for_people_is_none() {
        let long = format!("https://example.com/{}", "a".repeat(500));
        for text in [
            "",
            "   ",
            "UNKNOWN",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "http://example.com/a",
            "https://user:secret@github.com/a/b",
            "https://ghp_secret@github.com/a/b",
            "https://",
            "https:///a/b",
            "https://localhost/a",
            "https://-a.example/b",
            "https://a..b/c",
            "https://a.example:port/b",
            "https://a.example:/b",
            "https://github.com/a/../../b",
            "https://github.com/a/b c",
            "https://github.com/a/b\u{202e}c",
            "https://github.com/a/b)[x](https://evil.example",
            "https://github.com/a/<b>",
            "gist:11081aaa281",
            "git@:a/b",
            "root@example.com:a/b",
            "a/b/c",
            "../a",
            "a b/c",
            "ssh://git@github.com:/a/b",
            &long,
        ] {
            let found = web_address(text);
            let harmless = text == "ssh://git@github.com:/a/b" && found.as_deref() == Some("https://github.com/a/b");
            assert!(found.is_none() || harmless, "{text}: {found:?}");
        }
    }

    #[test]
    fn the_repository_of_the_forge_is_the_beginning_of_the_path() {
        let at = |address: &str| repository_at(address, "github.com").map(|name| name.to_string());
        assert_eq!(at("https://github.com/o/r").as_deref(), Some("o/r"));
        assert_eq!(at("https://github.com/o/r/tree/main/packages/x").as_deref(), Some("o/r"));
        assert_eq!(at("https://github.com/o/r.git/tree/x").as_deref(), Some("o/r"));
        for elsewhere in [
            "https://github.com",
            "https://github.com/o",
            "https://github.com.evil.example/o/r",
            "https://gitlab.com/o/r",
            "https://github.com/o/r%2f",
        ] {
            assert_eq!(at(elsewhere), None, "{elsewhere}");
        }
        assert_eq!(repository_at("https://127.0.0.1:80/o/r", "127.0.0.1:80").unwrap().to_string(), "o/r");
    }

    proptest! {
        #[test]
        fn whatever_is_written_an_address_is_https_and_plain(text in "\\PC{0,60}|(git\\+)?(https|ssh|git|http)://[a-z@:./#?%-]{0,40}|[a-z@:/.]{0,30}") {
            if let Some(address) = web_address(&text) {
                prop_assert!(address.starts_with("https://"), "{}", address);
                prop_assert!(address[8..].bytes().all(is_plain) && !address[8..].contains("//"), "{}", address);
                let authority = address[8..].split('/').next().unwrap();
                prop_assert!(is_host(authority), "{}", address);
                prop_assert_eq!(web_address(&address), Some(address.clone()), "read again it is the same");
                let _ = repository_at(&address, "github.com");
            }
        }
    }
}
