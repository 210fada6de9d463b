//! Processes in their sandbox, by trying to get out of it.
#![cfg(target_os = "linux")]

use mass_driver::bulk::sandbox::{Grants, Job, Sandbox, SandboxEnd, SandboxError, SandboxLimits};
use std::ffi::{OsStr, OsString};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Python itself, and where it has its modules: on the `PATH` may stand a script that looks for one.
pub fn python() -> (String, Grants) {
    let asked = ["-c", "import sys; print(sys.executable); print(sys.base_prefix)"];
    let answer = std::process::Command::new("python3").args(asked).output().unwrap();
    let answer = String::from_utf8(answer.stdout).unwrap();
    let (program, prefix) = answer.trim().split_once('\n').unwrap();
    (program.to_owned(), Grants { read: vec![prefix.into()], ..Grants::default() })
}

pub struct Den {
    pub folder: tempfile::TempDir,
    pub sandbox: Sandbox,
}

impl Den {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["clone", "scratch", "home", "bin"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("home/secret"), "hunter2").unwrap();
        let (_, path) = std::env::vars().find(|(name, _)| name == "PATH").unwrap();
        let path = format!("{}:{path}", folder.path().join("bin").display());
        let variables = [("PATH", path.as_str()), ("FORGE_TOKEN", "hunter2"), ("EDITOR", "ed"), ("LANG", "C.UTF-8")];
        let mut environment: std::collections::BTreeMap<OsString, OsString> =
            variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        environment.insert("HOME".into(), folder.path().join("home").into());
        let limits = SandboxLimits { time: Duration::from_secs(60), output_bytes: 1 << 20, ..SandboxLimits::default() };
        Self { folder, sandbox: Sandbox { executable: env!("CARGO_BIN_EXE_mass-driver").into(), environment, limits } }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub async fn run(&self, words: &[&str], grants: &Grants) -> Result<SandboxEnd, SandboxError> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let (folder, scratch) = (self.path("clone"), self.path("scratch"));
        let variables = [("MASS_DRIVER_REPOSITORY", OsStr::new("acme/api"))];
        let job = Job {
            words: &words,
            folder: &folder,
            scratch: &scratch,
            input: b"from stdin",
            variables: &variables,
            reads: &[],
            grants,
        };
        self.sandbox.run(&job).await
    }

    async fn shell(&self, script: &str) -> SandboxEnd {
        self.run(&["sh", "-c", script], &Grants::default()).await.unwrap()
    }
}

fn said(end: &SandboxEnd) -> String {
    assert_eq!(end.code, Some(0), "{end:?}");
    String::from_utf8(end.out.clone()).unwrap()
}

#[tokio::test]
async fn the_clone_and_the_scratch_are_all_that_is_written() {
    let den = Den::new();
    let end =
        den.shell("cat && echo ' x' > made && mkdir d && mv made d/ && cat d/made && echo y > $TMPDIR/y && pwd").await;
    assert_eq!(said(&end), format!("from stdin x\n{}\n", den.path("clone").display()));
    for target in [
        den.path("home/new"),
        den.path("new"),
        PathBuf::from(format!("/tmp/mass-driver-escaped-{}", std::process::id())),
    ] {
        let end = den.shell(&format!("echo x > {}", target.display())).await;
        assert_ne!(end.code, Some(0), "{end:?}");
        assert!(!target.exists());
    }
    let end = den
        .shell(&format!("rm {0} || mv {0} . || ln {0} here || truncate -s 0 {0}", den.path("home/secret").display()))
        .await;
    assert_ne!(end.code, Some(0));
    assert_eq!(std::fs::read_to_string(den.path("home/secret")).unwrap(), "hunter2");
}

#[tokio::test]
async fn files_at_home_are_not_read_neither_by_links() {
    let den = Den::new();
    let secret = den.path("home/secret");
    std::os::unix::fs::symlink(&secret, den.path("clone/link")).unwrap();
    for script in
        [format!("cat {}", secret.display()), "cat link".to_owned(), format!("ls {}", den.path("home").display())]
    {
        let end = den.shell(&script).await;
        assert!(end.code != Some(0) && end.complaint.contains("ermission denied"), "{end:?}");
    }
    let grants = Grants { read: vec![den.path("home")], ..Grants::default() };
    let secret = secret.to_str().unwrap();
    assert_eq!(said(&den.run(&["cat", secret], &grants).await.unwrap()), "hunter2");
    assert_ne!(den.run(&["sh", "-c", &format!("echo x >> {secret}")], &grants).await.unwrap().code, Some(0));
    let grants = Grants { write: vec![den.path("home")], ..Grants::default() };
    said(&den.run(&["sh", "-c", &format!("echo x >> {secret}")], &grants).await.unwrap());
}

#[tokio::test]
async fn nobody_is_reached_over_tcp_unless_that_is_granted() {
    let den = Den::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let script = format!("import socket; socket.create_connection(('127.0.0.1', {port})); print('in')");
    let (python, grants) = python();
    let end = den.run(&[&python, "-c", &script], &grants).await.unwrap();
    assert!(end.code == Some(1) && end.complaint.contains("PermissionError"), "{end:?}");
    let grants = Grants { network: true, ..grants };
    assert_eq!(said(&den.run(&[&python, "-c", &script], &grants).await.unwrap()), "in\n");
}

/// Tries ways around TCP, and prints what comes of each.
const SOCKETS: &str = r#"
import ctypes, socket
def attempt(name, what):
    try:
        what()
        print(name, "in")
    except OSError as error:
        print(name, error.strerror)
def call(*words):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.strerror.restype = ctypes.c_char_p
    if libc.syscall(*words) < 0:
        raise OSError(ctypes.get_errno(), libc.strerror(ctypes.get_errno()).decode())
attempt("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9)))
attempt("udp6", lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
attempt("netlink", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0))
attempt("packet", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
attempt("alg", lambda: socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET, 0))
attempt("rings", lambda: call(425, 1, ctypes.create_string_buffer(120)))
attempt("unix", lambda: socket.socket(socket.AF_UNIX).bind("here"))
attempt("pair", socket.socketpair)
"#;

#[tokio::test]
async fn sockets_of_other_families_are_refused_unless_the_network_is_granted() {
    let den = Den::new();
    std::fs::write(den.path("clone/sockets.py"), SOCKETS).unwrap();
    let (python, grants) = python();
    let tried = said(&den.run(&[&python, "sockets.py"], &grants).await.unwrap());
    let refused =
        ["udp", "udp6", "netlink", "packet", "alg", "rings"].map(|name| format!("{name} Permission denied\n"));
    assert_eq!(tried, format!("{}unix in\npair in\n", refused.concat()));
    std::fs::remove_file(den.path("clone/here")).unwrap();
    let grants = Grants { network: true, ..grants };
    let tried = said(&den.run(&[&python, "sockets.py"], &grants).await.unwrap());
    assert!(tried.starts_with("udp in\nudp6 in\nnetlink in\n") && tried.ends_with("unix in\npair in\n"), "{tried}");
}

#[tokio::test]
async fn the_environment_is_cleared() {
    let den = Den::new();
    let names = |text: &str| {
        let mut names: Vec<String> = text.lines().filter_map(|line| Some(line.split_once('=')?.0.to_owned())).collect();
        names.retain(|name| !matches!(name.as_str(), "PWD" | "SHLVL" | "_" | "OLDPWD"));
        names.sort();
        names
    };
    let shown = said(&den.shell("env").await);
    assert_eq!(names(&shown), ["HOME", "LANG", "MASS_DRIVER_REPOSITORY", "PATH", "TMPDIR"]);
    assert!(!shown.contains("hunter2") && shown.contains(&format!("HOME={}", den.path("scratch/home").display())));
    let grants = Grants { environment: vec!["EDITOR".to_owned(), "ABSENT".to_owned()], ..Grants::default() };
    assert!(said(&den.run(&["env"], &grants).await.unwrap()).contains("EDITOR=ed\n"));
}

#[tokio::test]
async fn what_has_no_end_is_ended() {
    let mut den = Den::new();
    let mut words = String::new();
    // A machine that has much to do may take longer to come to its first word.
    for milliseconds in [700, 5_000, 30_000] {
        den.sandbox.limits.time = Duration::from_millis(milliseconds);
        let error = den.run(&["sh", "-c", "echo busy >&2; while :; do :; done"], &Grants::default()).await.unwrap_err();
        let SandboxError::TimedOut { said, .. } = error else { panic!("{error}") };
        words = said;
        if words == "busy" {
            break;
        }
    }
    assert_eq!(words, "busy");
    den.sandbox.limits.time = Duration::from_secs(60);
    let error = den.run(&["sh", "-c", "while :; do echo endless; done"], &Grants::default()).await.unwrap_err();
    assert!(matches!(error, SandboxError::TooMuchOutput { .. }), "{error}");
    let error = den.run(&["sh", "-c", "while :; do echo endless >&2; done"], &Grants::default()).await.unwrap_err();
    assert!(matches!(error, SandboxError::TooMuchOutput { .. }), "{error}");
}

#[tokio::test]
async fn memory_and_files_have_their_limits() {
    let mut den = Den::new();
    den.sandbox.limits.memory_bytes = 200 << 20;
    den.sandbox.limits.file_bytes = 1 << 20;
    let (python, grants) = python();
    let end = den.run(&[&python, "-c", "a = bytearray(400 << 20); print('in')"], &grants).await.unwrap();
    assert!(end.code != Some(0) && end.complaint.contains("MemoryError"), "{end:?}");
    let end = den.shell("head -c 2000000 /dev/zero > large").await;
    assert_ne!(end.code, Some(0), "{end:?}");
    assert!(den.path("clone/large").metadata().unwrap().len() <= 1 << 20);
}

/// Waits until a process is gone, by the lock that it holds for as long as it lives.
fn wait_for_the_end(lock: &Path) {
    std::fs::File::open(lock).unwrap().lock().unwrap();
}

const HOLDER: &str = "import fcntl, os, sys, time\n\
    f = open('lock', 'w')\n\
    fcntl.flock(f, fcntl.LOCK_EX)\n\
    open('held', 'w').close()\n\
    [os.close(n) for n in (0, 1, 2)]\n\
    time.sleep(1000)\n";

/// A process that hides: in a session of its own, nobody's child, without an environment.
fn hider() -> String {
    let again = "sys.argv[1:] or os.execve(sys.executable, [sys.executable, __file__, 'x'], {})";
    format!("import os, sys\nsys.argv[1:] or os.fork() and os._exit(0)\nsys.argv[1:] or os.setsid()\n{again}\n{HOLDER}")
}

/// Whether nobody holds it any more.
fn is_over(lock: &Path) -> bool {
    std::fs::File::open(lock).unwrap().try_lock().is_ok()
}

#[tokio::test]
async fn a_child_that_outlives_its_parent_ends_with_its_group() {
    let den = Den::new();
    std::fs::write(den.path("clone/hold.py"), HOLDER).unwrap();
    let (python, grants) = python();
    let script = format!("{python} hold.py & until [ -e held ]; do :; done; echo done");
    assert_eq!(said(&den.run(&["sh", "-c", &script], &grants).await.unwrap()), "done\n");
    wait_for_the_end(&den.path("clone/lock"));
}

#[tokio::test]
async fn a_service_that_left_the_group_ends_as_well() {
    let den = Den::new();
    std::fs::write(den.path("clone/hold.py"), hider()).unwrap();
    let (python, grants) = python();
    let script = format!("{python} hold.py; until [ -e held ]; do :; done; echo done");
    for grants in [grants, Grants { everything: true, ..Grants::default() }] {
        assert_eq!(said(&den.run(&["sh", "-c", &script], &grants).await.unwrap()), "done\n");
        assert!(is_over(&den.path("clone/lock")), "before anybody looks at the clone");
        std::fs::remove_file(den.path("clone/held")).unwrap();
    }
}

/// Nobody looks at what was left where nobody knows who is left.
#[tokio::test]
async fn a_program_that_ends_its_guard_has_failed() {
    let den = Den::new();
    let everything = Grants { everything: true, ..Grants::default() };
    for signal in ["KILL", "TERM", "HUP"] {
        let words = ["sh", "-c", &format!("kill -{signal} $PPID; exec sleep 1000")];
        assert_eq!(den.run(&words, &everything).await.unwrap().code, None, "{signal}");
    }
    assert_eq!(den.run(&["sh", "-c", "kill -KILL 0"], &everything).await.unwrap().code, None);
}

#[tokio::test]
async fn a_run_that_nobody_waits_for_any_more_is_ended() {
    let den = Den::new();
    std::fs::write(den.path("clone/hold.py"), hider()).unwrap();
    let (python, grants) = python();
    let words = ["sh", "-c", &format!("{python} hold.py; exec sleep 1000")];
    let run = den.run(&words, &grants);
    let held = den.path("clone/held");
    let is_held = async {
        while !held.exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        end = run => panic!("{end:?}"),
        () = is_held => {}
    }
    assert!(is_over(&den.path("clone/lock")));
}

#[test]
fn a_command_ends_with_a_mass_driver_that_is_killed() {
    let den = Den::new();
    let clone = den.path("clone");
    for arguments in [
        &["init", "--quiet"][..],
        &["-c", "user.name=Dana", "-c", "user.email=d@example.com", "commit", "--quiet", "--allow-empty", "-m", "x"],
    ] {
        assert!(std::process::Command::new("git").args(arguments).current_dir(&clone).status().unwrap().success());
    }
    let shared = den.path("shared");
    std::fs::create_dir(&shared).unwrap();
    std::fs::write(shared.join("hold.py"), format!("import os\nos.chdir({shared:?})\n{}", hider())).unwrap();
    let (python, grants) = python();
    let activity = format!(
        "migration:\n  commit_message: x\n  commit_author_name: Dana\n  commit_author_email: d@example.com\n  driver_name: shell\n  driver_config: {{ command: [sh, -c, {:?}] }}\n  \
         allow: {{ read: [{:?}], write: [{shared:?}] }}\n",
        format!("{python} {} && exec sleep 1000", shared.join("hold.py").display()),
        grants.read[0],
    );
    std::fs::write(den.path("hold.yaml"), activity).unwrap();
    let mut command = std::process::Command::new(&den.sandbox.executable);
    command.args(["run", "hold.yaml", "--dry-run", "--no-pause", "--repo-path", clone.to_str().unwrap()]);
    command
        .current_dir(den.folder.path())
        .env_clear()
        .envs(&den.sandbox.environment)
        .stdin(std::process::Stdio::null());
    let mut run = command.spawn().unwrap();
    while !shared.join("held").exists() {
        assert_eq!(run.try_wait().unwrap(), None);
        std::thread::yield_now();
    }
    run.kill().unwrap();
    run.wait().unwrap();
    wait_for_the_end(&shared.join("lock"));
}

#[test]
fn who_has_lost_its_parent_runs_nothing() {
    let den = Den::new();
    let limits = ["--memory-bytes=1000000000", "--file-bytes=1000000", "--cpu-seconds=10"];
    let mut command = std::process::Command::new(&den.sandbox.executable);
    // The first process is nobody's parent here.
    command.args(["sandbox", "--parent=1"]).args(limits).args(["--read=/", "--", "/bin/sh", "-c", "echo in"]);
    let end = command.output().unwrap();
    assert_eq!((end.status.code(), end.stdout.as_slice()), (Some(125), &b""[..]), "{end:?}");
    assert!(String::from_utf8_lossy(&end.stderr).contains("who started it has ended"), "{end:?}");
}

#[tokio::test]
async fn programs_are_found_and_failures_told() {
    let den = Den::new();
    for missing in ["absent", "./absent", "", "clone"] {
        let error = den.run(&[missing], &Grants::default()).await.unwrap_err();
        assert!(matches!(error, SandboxError::NotFound { .. }), "{error}");
    }
    let end = den.shell("echo oh >&2; exit 3").await;
    assert_eq!((end.code, end.complaint.as_str(), end.words().as_str()), (Some(3), "oh", "exit code 3"));
    assert_eq!(den.shell("kill -9 $$").await.code, None);
    let tool = den.path("bin/tool");
    std::fs::write(&tool, "#!/bin/sh\ncat \"$(dirname \"$0\")/beside\"\n").unwrap();
    std::fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::write(den.path("bin/beside"), "its own folder").unwrap();
    assert_eq!(said(&den.run(&["tool"], &Grants::default()).await.unwrap()), "its own folder");
}

#[tokio::test]
async fn programs_that_cannot_be_run_are_told_with_what_helps() {
    let den = Den::new();
    let tool = den.path("bin/tool");
    // The interpreter of a virtual environment at home, as those of pyenv and nvm are.
    let interpreter = den.path("home/.venv/sh");
    std::fs::create_dir(den.path("home/.venv")).unwrap();
    std::fs::copy("/bin/sh", &interpreter).unwrap();
    let by = |first_line: &str| {
        std::fs::write(&tool, format!("{first_line}\necho in\n")).unwrap();
        std::fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    };
    by(&format!("#!{}", interpreter.display()));
    let error = den.run(&["tool"], &Grants::default()).await.unwrap_err();
    let told = error.to_string();
    assert!(matches!(error, SandboxError::CannotRun { .. }) && told.contains(tool.to_str().unwrap()), "{told}");
    assert!(told.contains("ermission denied") && told.contains("allow: { read: [FOLDER] }"), "{told}");
    assert!(!told.contains("everything"), "{told}");
    let grants = Grants { read: vec![den.path("home/.venv")], ..Grants::default() };
    assert_eq!(said(&den.run(&["tool"], &grants).await.unwrap()), "in\n");

    by("#!/absent/python");
    let told = den.run(&["tool"], &grants).await.unwrap_err().to_string();
    assert!(told.contains("interpreter that its first line names is not there"), "{told}");
    // A program's own exit codes are its own.
    let end = den.shell("echo 'cannot be run' >&2; exit 126").await;
    assert_eq!((end.code, end.complaint.as_str()), (Some(126), "cannot be run"));
}

#[tokio::test]
async fn a_program_in_somebodys_home_does_not_open_the_home() {
    let den = Den::new();
    let tool = den.path("home/tool");
    std::fs::write(&tool, "#!/bin/sh\necho in\ncat \"$(dirname \"$0\")/secret\"\n").unwrap();
    std::fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let end = den.run(&[tool.to_str().unwrap()], &Grants::default()).await.unwrap();
    assert_eq!((String::from_utf8_lossy(&end.out).as_ref(), end.code), ("in\n", Some(1)), "{end:?}");
}

#[tokio::test]
async fn a_link_of_the_repository_opens_nothing() {
    let den = Den::new();
    let (vault, tool) = (den.path("vault"), den.path("vault/tool"));
    std::fs::create_dir(&vault).unwrap();
    std::fs::write(vault.join("secret"), "hunter2").unwrap();
    std::fs::write(&tool, format!("#!/bin/sh\ncat {}\n", vault.join("secret").display())).unwrap();
    std::fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for (target, link) in [(&tool, "tool"), (&vault, "vault"), (&PathBuf::from("/bin/echo"), "echo")] {
        std::os::unix::fs::symlink(target, den.path("clone").join(link)).unwrap();
    }
    for word in ["./tool", "vault/tool"] {
        let error = den.run(&[word], &Grants::default()).await.unwrap_err();
        assert!(matches!(error, SandboxError::CannotRun { .. }), "{error}");
        assert!(error.to_string().contains("allow: { read: [FOLDER] }"), "{error}");
        let grants = Grants { read: vec![vault.clone()], ..Grants::default() };
        assert_eq!(said(&den.run(&[word], &grants).await.unwrap()), "hunter2");
    }
    assert_eq!(said(&den.run(&["./echo", "in"], &Grants::default()).await.unwrap()), "in\n", "this is read anyway");
}

#[tokio::test]
async fn everything_is_granted_where_that_is_said() {
    let den = Den::new();
    let grants = Grants { everything: true, ..Grants::default() };
    let secret = den.path("home/secret");
    assert_eq!(said(&den.run(&["cat", secret.to_str().unwrap()], &grants).await.unwrap()), "hunter2");
    assert!(!said(&den.run(&["env"], &grants).await.unwrap()).contains("FORGE_TOKEN"));
}
