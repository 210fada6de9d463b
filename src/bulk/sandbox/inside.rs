//! Going into the sandbox: this process restricts itself and becomes the program.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::PathBuf;

/// The exit code when nothing was run, since the restrictions are not to be had.
pub const REFUSED: i32 = 125;
/// The exit code when the program itself could not be run, with the restrictions on.
pub const CANNOT_RUN: i32 = 126;
/// How the reason for that begins, on standard error.
pub const MARK: &str = "mass-driver sandbox:";

/// What the program may do.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// What may be read and run. What is not there is passed over.
    pub read: Vec<PathBuf>,
    /// What may be written as well.
    pub write: Vec<PathBuf>,
    /// Whether the network is let through: TCP, and sockets of other families than Unix.
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

impl Rules {
    /// The same as arguments of `mass-driver sandbox`.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        let flags = [("--everything", self.everything), ("--network", self.network)];
        let mut arguments: Vec<OsString> =
            flags.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag.into()).collect();
        for (option, paths) in [("--read=", &self.read), ("--write=", &self.write)] {
            arguments.extend(paths.iter().map(|path| [OsStr::new(option), path.as_os_str()].into_iter().collect()));
        }
        for (option, limit) in [
            ("--memory-bytes", self.memory_bytes),
            ("--file-bytes", self.file_bytes),
            ("--cpu-seconds", self.cpu_seconds),
        ] {
            arguments.push(format!("{option}={limit}").into());
        }
        arguments
    }
}

/// Why the program was not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotRun {
    /// It would not be restricted as it must be.
    NoSandbox(String),
    /// The system does not run it.
    CannotRun(String),
}

impl NotRun {
    /// The exit code that says so.
    pub fn code(&self) -> i32 {
        match self {
            Self::NoSandbox(_) => REFUSED,
            Self::CannotRun(_) => CANNOT_RUN,
        }
    }

    /// The reason, for people.
    pub fn why(&self) -> &str {
        match self {
            Self::NoSandbox(why) | Self::CannotRun(why) => why,
        }
    }
}

/// Restricts this process and becomes the program, which is ended when the process `guard` ends, however it ends. It only ever
/// returns with the reason why it could not.
pub fn become_program(rules: &Rules, guard: Option<u32>, words: &[OsString]) -> NotRun {
    if let Err(why) = prepare(rules, guard) {
        return NotRun::NoSandbox(why);
    }
    let Some((program, arguments)) = words.split_first() else {
        return NotRun::CannotRun("no program was named".to_owned());
    };
    let mut command = std::process::Command::new(program);
    command.args(arguments);
    let error = replace(&mut command);
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            ". It, or the interpreter that its first line names, lies where the sandbox does not read; \
             `allow: { read: [FOLDER] }` in the Activity grants the folder"
        }
        io::ErrorKind::NotFound => ". The interpreter that its first line names is not there",
        _ => "",
    };
    NotRun::CannotRun(format!("{}: {error}{hint}", program.to_string_lossy()))
}

/// Puts the restrictions on this process.
fn prepare(rules: &Rules, guard: Option<u32>) -> Result<(), String> {
    limit(rules).map_err(|why| format!("the limits of processes cannot be set: {why}"))?;
    #[cfg(target_os = "linux")]
    if let Some(guard) = guard {
        end_with(guard)?;
    }
    #[cfg(not(target_os = "linux"))]
    let _ = guard;
    if rules.everything {
        return Ok(());
    }
    restrict(rules)?;
    #[cfg(target_os = "linux")]
    if !rules.network {
        super::sockets::refuse()?;
    }
    Ok(())
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

/// Has the system end this process, and what it becomes, together with its parent.
///
/// To the system that is the thread which started it: the guard has one.
#[cfg(target_os = "linux")]
fn end_with(parent: u32) -> Result<(), String> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};
    let set = set_parent_process_death_signal(Some(Signal::KILL));
    set.map_err(|error| format!("it would outlive its guard: {error}"))?;
    // Whose end came before that is not told of it.
    if getppid().map(|now| now.as_raw_nonzero().get().cast_unsigned()) == Some(parent) {
        return Ok(());
    }
    Err("who started it has ended".to_owned())
}

#[cfg(target_os = "linux")]
fn restrict(rules: &Rules) -> Result<(), String> {
    use landlock::{
        ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, RestrictionStatus, Ruleset,
        RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope, path_beneath_rules,
    };
    // The newest kernel that is known: what this one does not have is left out, except for what the sandbox stands on.
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
