//! Going into the cage: this process restricts itself and becomes the program.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

/// The exit code when nothing was run.
pub const REFUSED: i32 = 125;
/// How the reason for that begins, on standard error.
pub const MARK: &str = "mass-driver cage:";

/// What the program may do.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// What may be read and run. What is not there is passed over.
    pub read: Vec<PathBuf>,
    /// What may be written as well.
    pub write: Vec<PathBuf>,
    /// Whether TCP is let through.
    pub network: bool,
    /// Whether files and network are not restricted at all.
    pub everything: bool,
    /// Memory for data of each process. Unit: bytes.
    pub memory_bytes: u64,
    /// The largest file. Unit: bytes.
    pub file_bytes: u64,
    /// Time on a processor of each process. Unit: seconds.
    pub cpu_seconds: u64,
}

/// Restricts this process and becomes the program. It only ever returns with the reason why it could not.
pub fn become_program(rules: &Rules, words: &[OsString]) -> String {
    let Some((program, arguments)) = words.split_first() else { return "no program was named".to_owned() };
    if let Err(why) = limit(rules) {
        return format!("the limits of processes cannot be set: {why}");
    }
    if !rules.everything
        && let Err(why) = restrict(rules)
    {
        return why;
    }
    let mut command = std::process::Command::new(program);
    command.args(arguments);
    format!("{} cannot be run: {}", program.to_string_lossy(), replace(&mut command))
}

#[cfg(unix)]
fn replace(command: &mut std::process::Command) -> io::Error {
    std::os::unix::process::CommandExt::exec(command)
}

#[cfg(not(unix))]
fn replace(_: &mut std::process::Command) -> io::Error {
    io::Error::other("this needs a system of the Unix family")
}

#[cfg(unix)]
fn limit(rules: &Rules) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limits = [
        // Not the address space: some runtimes reserve terabytes of it that they never use.
        (Resource::Data, rules.memory_bytes),
        (Resource::Fsize, rules.file_bytes),
        (Resource::Cpu, rules.cpu_seconds),
        // What a program that crashed had in its memory is nobody's business.
        (Resource::Core, 0),
    ];
    for (resource, limit) in limits {
        let limit = getrlimit(resource).maximum.map_or(limit, |before| before.min(limit));
        setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn limit(_: &Rules) -> io::Result<()> {
    Err(io::Error::other("this needs a system of the Unix family"))
}

#[cfg(target_os = "linux")]
fn restrict(rules: &Rules) -> Result<(), String> {
    use landlock::{
        ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, RestrictionStatus, Ruleset,
        RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope, path_beneath_rules,
    };
    // The newest kernel that is known: what this one does not have is left out, except for what the cage stands on.
    let newest = ABI::V10;
    let make = || -> Result<RestrictionStatus, RulesetError> {
        let mut ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
        ruleset = ruleset.handle_access(AccessFs::from_all(ABI::V3))?;
        if !rules.network {
            ruleset = ruleset.handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp)?;
        }
        ruleset = ruleset.set_compatibility(CompatLevel::BestEffort);
        ruleset = ruleset.handle_access(AccessFs::from_all(newest))?.scope(Scope::from_all(newest))?;
        if !rules.network {
            ruleset = ruleset.handle_access(AccessNet::from_all(newest))?;
        }
        let write: BitFlags<AccessFs> = AccessFs::from_all(newest) & !(AccessFs::MakeChar | AccessFs::MakeBlock);
        let created = ruleset.create()?;
        let created = created.add_rules(path_beneath_rules(&rules.read, AccessFs::from_read(newest)))?;
        created.add_rules(path_beneath_rules(&rules.write, write))?.restrict_self()
    };
    match make() {
        Ok(status) if status.ruleset != RulesetStatus::NotEnforced && status.no_new_privs => Ok(()),
        Ok(_) => Err("this kernel does not restrict processes (Landlock is off)".to_owned()),
        Err(error) => Err(format!(
            "this kernel cannot restrict processes as it must (Linux 6.7 with Landlock is needed): {error}"
        )),
    }
}

#[cfg(not(target_os = "linux"))]
fn restrict(_: &Rules) -> Result<(), String> {
    Err("only Linux has what restricts processes".to_owned())
}
