//! The environment for commands that work in somebody's name: the variables of tokens, of `gh`, of Activity files.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

/// The variables of a process. They are read once and handed on as values, so that a test has an environment of its own; nobody
/// sees their values by printing it.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// Those of this process.
    pub fn of_this_process() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// These and no others.
    pub fn of<K: Into<OsString>, V: Into<OsString>>(variables: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// The value of a variable without white space around it. One that is empty, or no text, is as if unset.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(OsStr::new(name))?.to_str().map(str::trim).filter(|value| !value.is_empty())
    }

    /// The path that a variable names, unless it is empty.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.0.get(OsStr::new(name)).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    /// Where executables are looked for, as `PATH` says it.
    pub fn search_path(&self) -> &OsStr {
        self.0.get(OsStr::new("PATH")).map_or(OsStr::new(""), OsString::as_os_str)
    }

    /// All of it, for processes that need what whoever started us has.
    pub fn variables(&self) -> &BTreeMap<OsString, OsString> {
        &self.0
    }

    /// The variables whose names begin with one of these, without those that hold a token or a private key.
    pub fn beginning_with(&self, beginnings: &[&str]) -> BTreeMap<String, String> {
        let texts = self.0.iter().filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)));
        let wanted = |name: &str| beginnings.iter().any(|beginning| name.starts_with(beginning));
        let secret = |name: &str| name.ends_with("TOKEN") || name.contains("PRIVATE_KEY");
        let kept = texts.filter(|(name, _)| wanted(name) && !secret(name));
        kept.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_is_none_and_no_secret_is_handed_on() {
        let environment = Environment::of([
            ("GH_TOKEN", " "),
            ("FORGE_TOKEN", "a secret\n"),
            ("FORGE_APP_PRIVATE_KEY", "a secret"),
            ("FORGE_APP_ID", "7"),
            ("SOURCE_REPOS", "[]"),
            ("PATH", "/bin"),
        ]);
        assert_eq!(environment.text("GH_TOKEN"), None);
        assert_eq!(environment.text("FORGE_TOKEN"), Some("a secret"));
        assert_eq!(environment.path("HOME"), None);
        assert_eq!(environment.search_path(), "/bin");
        let names: Vec<_> = environment.beginning_with(&["SOURCE_", "FORGE_"]).into_keys().collect();
        assert_eq!(names, ["FORGE_APP_ID", "SOURCE_REPOS"]);
        assert!(!format!("{environment:?}").contains("secret"));
    }
}
