//! In whose name a command asks GitHub: a person's token, or the key of a GitHub App.
//!
//! All that looks for either looks here. What is found is told by the name of the place it came from, never by its value.

mod identity;

pub use identity::{Asker, Identity};

use super::UsageError;
use crate::document::{Limits, Map, Node, Problems, Value, read_bounded, yaml};
use crate::forge::web_host;
use crate::settings::{Environment, GitHubAppSettings, given};
use secrecy::{ExposeSecret as _, SecretString};
use std::fs::File;
use std::path::{Path, PathBuf};

/// What GitHub is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Opening pull requests, pushing, and looking at either.
    Forge,
    /// Finding repositories, and cloning them.
    Source,
}

impl Purpose {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Forge => "FORGE_",
            Self::Source => "SOURCE_",
        }
    }
}

/// A token of a person.
#[derive(Clone, Debug)]
pub struct PersonToken {
    /// The token.
    pub token: SecretString,
    /// Where it was found, for people: a variable, or a file of `gh`.
    pub from: String,
}

/// A GitHub App that may be asked in the name of.
#[derive(Clone, Debug)]
pub struct AppKey {
    /// The App's number.
    pub app_id: i64,
    /// Its private key, PEM.
    pub private_key: SecretString,
    /// Where the key was found, for people.
    pub from: String,
}

/// The token to ask the GitHub at `api_url` with; `None` where there is none.
///
/// A variable that is set counts for whatever host is asked, as whoever set it has set the address. The file of `gh` says for
/// which host each token is. Errors: a file of `gh` that cannot be read or understood.
pub fn person(api_url: &str, environment: &Environment, purpose: Purpose) -> Result<Option<PersonToken>, UsageError> {
    let own = match purpose {
        Purpose::Forge => &["FORGE_TOKEN"][..],
        Purpose::Source => &["SOURCE_TOKEN", "FORGE_TOKEN"],
    };
    for name in own.iter().chain(&["GITHUB_TOKEN", "GH_TOKEN"]) {
        if let Some(token) = environment.text(name) {
            return Ok(Some(PersonToken { token: token.into(), from: (*name).to_owned() }));
        }
    }
    let (Some(host), Some(path)) = (web_host(api_url), hosts_file(environment)) else { return Ok(None) };
    let Some(hosts) = read_hosts(&path)? else { return Ok(None) };
    let token = token_of(&hosts, &host);
    Ok(token.map(|token| PersonToken { token, from: format!("{} (`gh`'s token for {host})", path.display()) }))
}

/// That there is no token, and how to come by one.
pub fn no_token(api_url: &str, purpose: Purpose) -> UsageError {
    let host = web_host(api_url).unwrap_or_else(|| "GitHub".into());
    let login = if host == "github.com" { String::new() } else { format!(" --hostname {host}") };
    let own = purpose.prefix();
    UsageError(format!(
        "there is no token for {host}: set {own}TOKEN, GITHUB_TOKEN or GH_TOKEN, or log in with `gh auth login{login}`. Where gh keeps \
         tokens in the system's keyring, set GH_TOKEN to what `gh auth token{login}` prints"
    ))
}

/// The App to ask in the name of: its number as given, or else that of the environment; its key as the environment has it.
///
/// Errors: what is missing, or cannot be used.
pub fn app(
    settings: &GitHubAppSettings,
    environment: &Environment,
    purpose: Purpose,
    app_id: Option<i64>,
) -> Result<AppKey, UsageError> {
    let prefix = purpose.prefix();
    let own = format!("{prefix}APP_ID");
    let written = environment.text(&own).map(|id| (own.as_str(), id));
    let written = written.or_else(|| Some(("GITHUB_APP_ID", settings.github_app_id.as_deref()?.trim())));
    let app_id = match (app_id, written) {
        (Some(id), _) => id,
        (None, Some((name, id))) if !id.is_empty() => number(name, id, "App")?,
        (None, _) => {
            let what = "no App is named: set GITHUB_APP_ID";
            return Err(UsageError(format!("{what} or {own} to the number on the settings page of the GitHub App")));
        }
    };
    let (private_key, from) = private_key(settings, environment, prefix)?;
    Ok(AppKey { app_id, private_key, from })
}

/// The installation of an App that the environment names; `None` for the one that each repository belongs to.
///
/// Errors: what is no number.
pub fn installation(environment: &Environment, purpose: Purpose) -> Result<Option<i64>, UsageError> {
    let name = format!("{}APP_INSTALLATION_ID", purpose.prefix());
    environment.text(&name).map(|id| number(&name, id, "installation")).transpose()
}

fn number(name: &str, text: &str, of: &str) -> Result<i64, UsageError> {
    text.parse().ok().filter(|id| *id > 0).ok_or_else(|| {
        let text: String = text.chars().take(40).collect();
        UsageError(format!("{name} is `{text}`, which is not the number of an {of}"))
    })
}

fn private_key(
    settings: &GitHubAppSettings,
    environment: &Environment,
    prefix: &str,
) -> Result<(SecretString, String), UsageError> {
    // Variables often cannot hold a line break.
    let key = |text: &str| SecretString::from(text.replace("\\n", "\n"));
    let own = format!("{prefix}APP_PRIVATE_KEY");
    if let Some(text) = environment.text(&own) {
        return Ok((key(text), own));
    }
    let file = settings.github_app_private_key_file.as_ref().filter(|file| !file.as_os_str().is_empty());
    match (given(&settings.github_app_private_key), file) {
        (Some(_), Some(_)) => {
            let what = "both GITHUB_APP_PRIVATE_KEY and GITHUB_APP_PRIVATE_KEY_FILE are set; keep one of them";
            Err(UsageError(what.into()))
        }
        (Some(text), None) => Ok((key(text.expose_secret()), "GITHUB_APP_PRIVATE_KEY".into())),
        (None, Some(file)) => {
            let name = "GITHUB_APP_PRIVATE_KEY_FILE";
            let text = read(file).map_err(|why| UsageError(format!("{name}: {} {why}", file.display())))?;
            let missing = || UsageError(format!("{name}: there is no file {}", file.display()));
            Ok((key(&text.ok_or_else(missing)?), name.into()))
        }
        (None, None) => Err(UsageError(format!(
            "the App's private key is missing: set {own}, GITHUB_APP_PRIVATE_KEY or GITHUB_APP_PRIVATE_KEY_FILE; a key is generated on \
             the settings page of the GitHub App"
        ))),
    }
}

/// Where `gh` keeps its hosts: the first of these folders that is named, as `gh` itself does it.
fn hosts_file(environment: &Environment) -> Option<PathBuf> {
    let folder = (environment.path("GH_CONFIG_DIR"))
        .or_else(|| Some(environment.path("XDG_CONFIG_HOME")?.join("gh")))
        .or_else(|| Some(environment.path("APPDATA").filter(|_| cfg!(windows))?.join("GitHub CLI")))
        .or_else(|| Some(environment.path("HOME")?.join(".config/gh")))?;
    Some(folder.join("hosts.yml"))
}

const HOSTS: Limits = Limits { bytes: FILE_MAX, nodes: 5_000, shorter: "log out of hosts that are not used" };

/// What the file says; `None` where there is none. What is wrong with it is never quoted: it is made of tokens.
fn read_hosts(path: &Path) -> Result<Option<Node>, UsageError> {
    let refuse = |why: &str| {
        let fix = "log in anew with `gh auth login`, or set GH_TOKEN";
        UsageError(format!("the tokens of `gh` are not to be had: {} {why}; {fix}", path.display()))
    };
    let Some(text) = read(path).map_err(|why| refuse(&why))? else { return Ok(None) };
    if text.trim().is_empty() {
        return Ok(None);
    }
    let mut problems = Problems::default();
    let node = yaml::read(text.as_bytes(), HOSTS, "", &mut problems);
    match (problems.sorted().first(), node) {
        (None, Some(node @ Node { value: Value::Map(_), .. })) => Ok(Some(node)),
        (None, _) => Err(refuse("is not a mapping of hosts")),
        (Some(problem), _) => Err(refuse(&format!("is not understood at line {}", problem.line))),
    }
}

/// Of a host, the token of whoever is active there.
fn token_of(hosts: &Node, host: &str) -> Option<SecretString> {
    let map = |node: &Node| if let Value::Map(map) = &node.value { Some(map.clone()) } else { None };
    let of_host = at(&map(hosts)?, host).and_then(map)?;
    let own = at(&of_host, "oauth_token").and_then(word);
    let active = || {
        let users = map(at(&of_host, "users")?)?;
        let active = map(at(&users, &word(at(&of_host, "user")?)?)?)?;
        word(at(&active, "oauth_token")?)
    };
    own.or_else(active).map(SecretString::from)
}

fn at<'a>(map: &'a Map, name: &str) -> Option<&'a Node> {
    map.entries.iter().find(|(key, _)| key.name.eq_ignore_ascii_case(name)).map(|(_, node)| node)
}

fn word(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) | Value::Number(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        _ => None,
    }
}

/// No file of keys or tokens is longer. Unit: bytes.
const FILE_MAX: usize = 1 << 20;

/// The text of a file; `None` where there is none. Errors: why it cannot be read, to stand behind its name.
fn read(path: &Path) -> Result<Option<String>, String> {
    let cannot = |error: std::io::Error| format!("cannot be read: {error}");
    match path.metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot(error)),
        // A pipe would be waited for.
        Ok(about) if !about.is_file() => return Err("is no file".into()),
        Ok(_) => {}
    }
    let file = File::open(path).map_err(cannot)?;
    read_bounded(file, FILE_MAX as u64).map(Some).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::PUBLIC_GITHUB_API;

    const ENTERPRISE: &str = "https://GHES.example.com:8443/api/v3";

    fn found(api_url: &str, variables: &[(&str, &str)]) -> Option<(String, String)> {
        let environment = Environment::of(variables.iter().copied());
        let found = person(api_url, &environment, Purpose::Forge).unwrap()?;
        Some((found.token.expose_secret().to_owned(), found.from))
    }

    fn hosts(text: &str) -> (tempfile::TempDir, String) {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join(".config/gh")).unwrap();
        std::fs::write(home.path().join(".config/gh/hosts.yml"), text).unwrap();
        let path = home.path().to_str().unwrap().to_owned();
        (home, path)
    }

    #[test]
    fn variables_are_looked_at_in_their_order_and_empty_ones_are_none() {
        let all = [("FORGE_TOKEN", "f"), ("GITHUB_TOKEN", "g"), ("GH_TOKEN", "h"), ("SOURCE_TOKEN", "s")];
        let first = |variables: &[(&str, &str)]| found(PUBLIC_GITHUB_API, variables).map(|(token, from)| token + &from);
        assert_eq!(first(&all).unwrap(), "fFORGE_TOKEN");
        assert_eq!(first(&all[1..]).unwrap(), "gGITHUB_TOKEN");
        assert_eq!(first(&[("GITHUB_TOKEN", " "), ("GH_TOKEN", " h\n")]).unwrap(), "hGH_TOKEN");
        assert_eq!(first(&all[3..]), None, "what finds repositories opens no pull request");
        let source = |variables: &[(&str, &str)]| {
            let environment = Environment::of(variables.iter().copied());
            person(PUBLIC_GITHUB_API, &environment, Purpose::Source).unwrap().unwrap().from
        };
        assert_eq!(source(&all), "SOURCE_TOKEN");
        assert_eq!(source(&all[..3]), "FORGE_TOKEN");
    }

    #[test]
    fn gh_says_for_which_host_a_token_is() {
        let text = "github.com:\n    users:\n        jo:\n            oauth_token: gho_jo\n    oauth_token: gho_active\n    user: jo\n\
                    ghes.example.com:8443:\n    user: jo\n    users:\n        al: { oauth_token: no }\n        jo: { oauth_token: yes }\n\
                    keyring.example.com:\n    user: jo\n    users: { jo: }\n";
        let (_kept, home) = hosts(text);
        let at = |url: &str| found(url, &[("HOME", &home)]);
        let (token, from) = at(PUBLIC_GITHUB_API).unwrap();
        assert_eq!(token, "gho_active");
        assert!(from.ends_with(".config/gh/hosts.yml (`gh`'s token for github.com)"), "{from}");
        assert_eq!(at(ENTERPRISE).unwrap().0, "yes", "that of whoever is active there");
        assert_eq!(at("https://keyring.example.com/api/v3"), None);
        assert_eq!(at("https://other.example.com/api/v3"), None, "no host gets another one's token");
        let elsewhere = format!("{home}/.config/gh");
        assert_eq!(found(PUBLIC_GITHUB_API, &[("GH_CONFIG_DIR", &elsewhere)]).unwrap().0, "gho_active");
        let elsewhere = format!("{home}/.config");
        assert_eq!(found(PUBLIC_GITHUB_API, &[("XDG_CONFIG_HOME", &elsewhere)]).unwrap().0, "gho_active");
        assert_eq!(found(PUBLIC_GITHUB_API, &[("HOME", &home), ("XDG_CONFIG_HOME", "/nowhere")]), None);
    }

    #[test]
    fn a_file_of_gh_that_is_broken_is_told_and_not_quoted() {
        for text in ["github.com:\n  oauth_token: [gho_secret\n", "- gho_secret\n", "a: &a\n  b: *gho_secret\n"] {
            let (_kept, home) = hosts(text);
            let told = person(PUBLIC_GITHUB_API, &Environment::of([("HOME", &home)]), Purpose::Forge).unwrap_err();
            let told = told.to_string();
            assert!(told.contains("hosts.yml") && told.contains("gh auth login"), "{told}");
            assert!(!told.contains("secret"), "{told}");
        }
        let (_kept, home) = hosts("");
        assert_eq!(found(PUBLIC_GITHUB_API, &[("HOME", &home)]), None);
    }

    fn settings() -> GitHubAppSettings {
        GitHubAppSettings {
            github_api_url: PUBLIC_GITHUB_API.into(),
            github_app_id: None,
            github_app_private_key: None,
            github_app_private_key_file: None,
        }
    }

    #[test]
    fn an_app_has_its_number_and_key_from_the_nearest_place() {
        let told = |settings: &GitHubAppSettings, variables: &[(&str, &str)], id| {
            let environment = Environment::of(variables.iter().copied());
            app(settings, &environment, Purpose::Forge, id).map(|app| {
                let key = app.private_key.expose_secret().to_owned();
                format!("{} {key} {}", app.app_id, app.from)
            })
        };
        let own = [("FORGE_APP_ID", "7"), ("FORGE_APP_PRIVATE_KEY", "a\\nb")];
        assert_eq!(told(&settings(), &own, None).unwrap(), "7 a\nb FORGE_APP_PRIVATE_KEY");
        assert_eq!(told(&settings(), &own, Some(9)).unwrap(), "9 a\nb FORGE_APP_PRIVATE_KEY");
        let general = GitHubAppSettings {
            github_app_id: Some("8".into()),
            github_app_private_key: Some("c".to_owned().into()),
            ..settings()
        };
        assert_eq!(told(&general, &[], None).unwrap(), "8 c GITHUB_APP_PRIVATE_KEY");
        assert_eq!(told(&general, &own[..1], None).unwrap(), "7 c GITHUB_APP_PRIVATE_KEY");
        let no_file = GitHubAppSettings { github_app_private_key_file: Some("/nowhere.pem".into()), ..settings() };
        for (settings, variables, words) in [
            (&settings(), &own[..0], "no App is named: set GITHUB_APP_ID or FORGE_APP_ID"),
            (
                &settings(),
                &own[..1],
                "the App's private key is missing: set FORGE_APP_PRIVATE_KEY, GITHUB_APP_PRIVATE_KEY or",
            ),
            (&settings(), &[("FORGE_APP_ID", "many")], "FORGE_APP_ID is `many`, which is not the number of an App"),
            (&no_file, &own[..1], "GITHUB_APP_PRIVATE_KEY_FILE: there is no file /nowhere.pem"),
        ] {
            let error = told(settings, variables, None).unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
        }
    }

    #[test]
    fn an_installation_is_a_number_or_none() {
        let of = |id: &str| installation(&Environment::of([("FORGE_APP_INSTALLATION_ID", id)]), Purpose::Forge);
        assert_eq!(of("12").unwrap(), Some(12));
        assert_eq!(of("").unwrap(), None);
        assert!(of("-1").is_err());
    }
}
