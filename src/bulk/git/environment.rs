//! What a process of git finds around it.

use crate::checkout::OF_ANOTHER_REPOSITORY;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use tokio::process::Command;

/// Secrets of ours. git gets what it needs for one host in a header; the helpers of people have their own ways.
const OURS: [&str; 9] = [
    "FORGE_TOKEN",
    "SOURCE_TOKEN",
    "FORGE_APP_PRIVATE_KEY",
    "SOURCE_APP_PRIVATE_KEY",
    "GITHUB_APP_PRIVATE_KEY",
    "GITHUB_APP_PRIVATE_KEY_FILE",
    "GITHUB_WEBHOOK_SECRET",
    "MASS_DRIVER_ADMIN_TOKEN",
    "DATABASE_URL",
];

/// How the variables begin by which the GIT_ASKPASS of an editor finds the window to ask in.
const EDITORS: [&str; 1] = ["VSCODE_GIT_"];

/// Settings that hold whatever the user's say.
const SETTINGS: [(&str, &str); 14] = [
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    // A clone is made again where it is lost.
    ("core.fsync", "none"),
    ("core.logAllRefUpdates", "false"),
    ("protocol.ext.allow", "never"),
    // Only protected settings may say this; the folder is the one the user named.
    ("safe.bareRepository", "all"),
    ("user.useConfigOnly", "true"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("submodule.recurse", "false"),
    ("push.followTags", "false"),
    ("push.gpgSign", "false"),
    ("core.autocrlf", "false"),
    // As many objects as a change makes stay together in one pack: no further process takes it apart.
    ("fastimport.unpackLimit", "1"),
];

/// Settings for work trees of ours. They hold pointers: what a git-lfs of the user's would make of other files would be in its cache
/// on this machine, and no hook would bring it to the server. What is ignored the repository alone says, so that everybody's runs
/// commit the same.
pub(super) const OF_WORK_TREES: [(&str, &str); 5] = [
    ("filter.lfs.process", ""),
    ("filter.lfs.clean", ""),
    ("filter.lfs.smudge", ""),
    ("filter.lfs.required", "false"),
    ("core.excludesFile", "/dev/null"),
];

/// Whether the user named a program that answers git's questions, as services that run jobs do. Of those that ask a person
/// in their turn, editors set the same variable in their terminals, and say so.
fn answers_by_itself(environment: &BTreeMap<OsString, OsString>) -> bool {
    let is_an_editors =
        |name: &OsString| name.to_str().is_some_and(|name| EDITORS.iter().any(|mark| name.starts_with(mark)));
    environment.contains_key(OsStr::new("GIT_ASKPASS")) && !environment.keys().any(is_an_editors)
}

/// Prepares a process of git: nobody is asked anything, it speaks English, and our settings hold.
pub(super) fn prepare(command: &mut Command, environment: &BTreeMap<OsString, OsString>) {
    let is_kept = |name: &OsStr| !OF_ANOTHER_REPOSITORY.iter().chain(&OURS).any(|left_out| name == *left_out);
    command.env_clear().envs(environment.iter().filter(|(name, _)| is_kept(name)));
    set(command, &SETTINGS);
    if !answers_by_itself(environment) {
        // Empty, it also stands before `core.askPass` and SSH_ASKPASS.
        command.env("GIT_ASKPASS", "");
    }
    // The windows of Git Credential Manager. `credential.interactive` would silence a GIT_ASKPASS that answers as well.
    command.env("GCM_INTERACTIVE", "never");
    command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_OPTIONAL_LOCKS", "0").env("GIT_PAGER", "cat");
    // Read by those versions of git that know them.
    command.env("GIT_DEFAULT_REF_FORMAT", "files").env("GIT_NO_REPLACE_OBJECTS", "1");
    command.env("LC_ALL", "C").env("LANGUAGE", "C");
}

/// Adds settings to a process that is prepared. They are given by the environment, since everybody may read the arguments of a
/// process. A later one wins, also over those that the user gave in the same way.
pub(super) fn set(command: &mut Command, settings: &[(&str, &str)]) {
    let count = command.as_std().get_envs().find(|(name, _)| *name == "GIT_CONFIG_COUNT").and_then(|(_, count)| count);
    let before: usize = count.and_then(|count| count.to_str()?.parse().ok()).unwrap_or(0);
    for (at, (key, value)) in settings.iter().enumerate() {
        command.env(format!("GIT_CONFIG_KEY_{}", before + at), key);
        command.env(format!("GIT_CONFIG_VALUE_{}", before + at), value);
    }
    command.env("GIT_CONFIG_COUNT", (before + settings.len()).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_ours_is_passed_on() {
        let names = OURS.iter().chain(&["HOME"]);
        let environment = names.map(|name| (name.into(), "hunter2".into())).collect();
        let mut command = Command::new("git");
        prepare(&mut command, &environment);
        let passed = command.as_std().get_envs().filter(|(_, value)| *value == Some(OsStr::new("hunter2")));
        assert_eq!(passed.map(|(name, _)| name).collect::<Vec<_>>(), ["HOME"]);
    }
}
