//! What a process of git finds around it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use tokio::process::Command;

/// What would point git at another repository than the one it is told, or let a caller's settings of one command reach ours.
const ELSEWHERE: [&str; 14] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_PREFIX",
    "GIT_NAMESPACE",
    "GIT_SHALLOW_FILE",
    "GIT_GRAFT_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_QUARANTINE_PATH",
    "GIT_TEMPLATE_DIR",
    "GIT_LITERAL_PATHSPECS",
];

/// Tokens of ours. git gets what it needs for one host in a header; the helpers of people have their own ways.
const OURS: [&str; 2] = ["FORGE_TOKEN", "SOURCE_TOKEN"];

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

/// Prepares a process of git: nobody is asked anything, it speaks English, and the settings above hold, with `more` of
/// them. They are given by the environment, since everybody may read the arguments of a process.
pub(super) fn prepare(command: &mut Command, environment: &BTreeMap<OsString, OsString>, more: &[(&str, &str)]) {
    let is_kept = |name: &OsStr| !ELSEWHERE.iter().chain(&OURS).any(|left_out| name == *left_out);
    command.env_clear().envs(environment.iter().filter(|(name, _)| is_kept(name)));
    // Those that the user gave in the same way come first: a later one wins.
    let before = environment.get(OsStr::new("GIT_CONFIG_COUNT")).and_then(|count| count.to_str()?.parse().ok());
    let before: usize = before.unwrap_or(0);
    let settings = SETTINGS.iter().chain(more);
    for (at, (key, value)) in settings.enumerate() {
        command.env(format!("GIT_CONFIG_KEY_{}", before + at), key);
        command.env(format!("GIT_CONFIG_VALUE_{}", before + at), value);
    }
    command.env("GIT_CONFIG_COUNT", (before + SETTINGS.len() + more.len()).to_string());
    command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_OPTIONAL_LOCKS", "0").env("GIT_PAGER", "cat");
    // Read by those versions of git that know them.
    command.env("GIT_DEFAULT_REF_FORMAT", "files").env("GIT_LFS_SKIP_SMUDGE", "1").env("GIT_NO_REPLACE_OBJECTS", "1");
    command.env("LC_ALL", "C").env("LANGUAGE", "C");
}
