//! What runs leave behind in the cache, and who removes it.

use crate::local::with_ssh;
use crate::scene::{Scene, run, sourced};
use jiff::{Timestamp, ToSpan as _};
use mass_driver::bulk::git::remove_unused;
use mass_driver::bulk::scratch::{Scratch, TempWorkspace, remove_abandoned, remove_abandoned_temporary};
use mass_driver::domain::ObjectId;
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

fn now() -> Timestamp {
    "2026-01-05T08:00:00Z".parse().unwrap()
}

/// Sets when a file was changed last, to hours before now.
fn age(file: &Path, hours: i64) {
    let at = SystemTime::from(now() - hours.hours());
    File::options().append(true).open(file).unwrap().set_modified(at).unwrap();
}

fn lock_of(clone: &Path) -> PathBuf {
    PathBuf::from(format!("{}.lock", clone.display()))
}

#[tokio::test]
async fn clones_that_nobody_used_for_a_month_are_removed() {
    let scene = Scene::new();
    let git = with_ssh(&scene);
    let cache = scene.path("cache");
    let mut clones = Vec::new();
    for name in ["old", "young", "held", "again", "unfinished"] {
        let bare = scene.bare(name, &[("a.txt", "x")]);
        run(&bare, &["config", "uploadpack.allowFilter", "true"]);
        let repository = sourced(format!("dana@git.example.com:{}", bare.display()));
        let clone = git.clone(&repository).await.unwrap();
        clones.push((clone.folder().to_owned(), repository));
    }
    let [old, young, held, again, unfinished] = clones.as_slice() else { unreachable!() };
    for (clone, _) in &clones {
        age(&lock_of(clone), 30 * 24 + 1);
    }
    age(&lock_of(&young.0), 30 * 24 - 1);
    let in_use = git.clone(&held.1).await.unwrap();
    age(&lock_of(&held.0), 31 * 24);
    let base = ObjectId::parse(&run(&again.0, &["rev-parse", "HEAD"])).unwrap();
    drop(git.reopen(&again.1, &again.0, (Some("main"), &base)).await.unwrap().unwrap());
    let new = PathBuf::from(format!("{}.new", unfinished.0.display()));
    std::fs::rename(&unfinished.0, &new).unwrap();
    // Somebody's own, in a folder that they named for clones.
    for name in ["Cargo", "flake.1", "api-0123456789abcdef0123.x", "-0123456789abcdef012345.1"] {
        std::fs::create_dir(cache.join(name)).unwrap();
        std::fs::write(cache.join(format!("{name}.lock")), "theirs").unwrap();
        age(&cache.join(format!("{name}.lock")), 1000 * 24);
    }
    let others = std::fs::read_dir(&cache).unwrap().count();

    remove_unused(&cache, now());
    assert!(!old.0.exists() && !new.exists(), "nobody used them");
    assert!(lock_of(&old.0).exists(), "somebody may be waiting for it");
    assert!(young.0.exists() && in_use.folder().exists());
    assert!(again.0.exists(), "to go on with a clone is to use it");
    assert_eq!(std::fs::read_dir(&cache).unwrap().count(), others - 2);
    remove_unused(&cache, now());
    assert_eq!(git.clone(&old.1).await.unwrap().folder(), old.0, "it is cloned anew");
    remove_unused(&cache, now());
    assert!(old.0.exists(), "and has been used since");
}

#[test]
fn many_clones_are_removed_in_portions() {
    let scene = Scene::new();
    let cache = scene.path("cache");
    for at in 0..250 {
        let clone = cache.join(format!("api-{at:020x}.1"));
        std::fs::create_dir_all(&clone).unwrap();
        std::fs::write(lock_of(&clone), "").unwrap();
        age(&lock_of(&clone), 10_000);
    }
    let clones = || std::fs::read_dir(&cache).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
    remove_unused(&cache, now());
    assert!((50..250).contains(&clones()), "{}", clones());
    remove_unused(&scene.path("absent"), now());
}

/// Set for a test that runs again with modes that hold it.
const HELD: &str = "MASS_DRIVER_HELD_BY_MODES";

/// Whether the modes of folders hold whoever runs this. They do not hold root: for them the test runs again, as a root who
/// may do no more than others with files of others.
fn modes_hold(test: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    seal(folder.path());
    if File::create(folder.path().join("a")).is_err() {
        return true;
    }
    assert!(std::env::vars_os().all(|(name, _)| name != HELD), "setpriv takes nothing from root");
    let mut command = Command::new("setpriv");
    command.arg("--bounding-set=-dac_override,-fowner").arg(std::env::current_exe().unwrap());
    let status = command.args(["--exact", test]).env(HELD, "yes").status().unwrap();
    assert!(status.success());
    false
}

/// Nobody may write into it from now on, as into the folders of a cache of modules.
fn seal(folder: &Path) {
    std::fs::set_permissions(folder, Permissions::from_mode(0o555)).unwrap();
}

#[test]
fn rooms_are_gone_whatever_a_program_sealed_in_them() {
    if !modes_hold("leftovers::rooms_are_gone_whatever_a_program_sealed_in_them") {
        return;
    }
    let scene = Scene::new();
    let scratch = Scratch::below(&scene.path("work")).unwrap();
    for workspace in [scratch.workspace().unwrap(), TempWorkspace::temporary().unwrap()] {
        let folder = workspace.make("scratch").unwrap().join("mod/deeper");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("a"), "").unwrap();
        std::os::unix::fs::symlink(&scene.folder, folder.join("link")).unwrap();
        for sealed in [folder.as_path(), folder.parent().unwrap(), workspace.path()] {
            seal(sealed);
        }
        let gone = workspace.path().to_owned();
        drop(workspace);
        assert!(!gone.exists() && scene.folder.path().exists());
    }
}

#[test]
fn what_cannot_be_removed_keeps_its_lock_and_is_found_again() {
    if !modes_hold("leftovers::what_cannot_be_removed_keeps_its_lock_and_is_found_again") {
        return;
    }
    let scene = Scene::new();
    // What goes through a folder meets its entries in the order of the file system's hashes: so it meets some of these
    // before the lock, and some after it.
    for name in ('a'..='p').map(|letter| letter.to_string()) {
        let place = scene.path(&format!("work-{name}"));
        let scratch = Scratch::below(&place).unwrap();
        let (lock, theirs) = (scratch.path().join("mass-driver.lock"), scratch.path().join(name));
        std::fs::create_dir(&theirs).unwrap();
        std::fs::write(theirs.join("a"), "").unwrap();
        if std::os::unix::fs::chown(&theirs, Some(65_534), None).is_err() {
            // Who is not root can make nothing that they cannot remove.
            return;
        }
        drop(scratch);
        assert!(theirs.join("a").exists() && lock.exists());
        std::os::unix::fs::chown(&theirs, Some(0), None).unwrap();
        age(&lock, 1);
        remove_abandoned(&place, now());
        assert!(!theirs.exists() && !lock.exists());
    }
}

#[test]
fn work_of_processes_that_are_gone_is_removed() {
    let scene = Scene::new();
    let place = scene.path("work");
    let (alive, ended) = (Scratch::below(&place).unwrap(), Scratch::below(&place).unwrap());
    let gone_at_the_end = ended.path().to_owned();
    drop(ended);
    assert!(!gone_at_the_end.exists());
    let abandoned = |name: &str, hours| {
        let folder = place.join(name);
        std::fs::create_dir_all(folder.join("work-x/tree/.git")).unwrap();
        std::fs::write(folder.join("mass-driver.lock"), "").unwrap();
        age(&folder.join("mass-driver.lock"), hours);
        folder
    };
    let (dead, just_made, theirs) = (abandoned("run-dead", 1), abandoned("run-new", 0), abandoned("theirs", 1));
    std::fs::create_dir(place.join("run-theirs")).unwrap();
    age(&alive.path().join("mass-driver.lock"), 1);
    remove_abandoned(&place, now());
    assert!(!dead.exists());
    assert!(alive.path().exists() && just_made.exists() && theirs.exists() && place.join("run-theirs").exists());
}

#[test]
fn temporary_work_of_processes_that_are_gone_is_removed() {
    let scene = Scene::new();
    let alive = Scratch::temporary().unwrap();
    let name = alive.path().file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("mass-driver-run-") && alive.path().join("mass-driver.lock").exists(), "{name}");
    assert_eq!(alive.path().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    // Nobody else's temporary files are looked at here.
    let place = scene.path("tmp");
    let abandoned = |name: &str| {
        let folder = place.join(name);
        std::fs::create_dir_all(folder.join("clones/api")).unwrap();
        std::fs::write(folder.join("mass-driver.lock"), "").unwrap();
        age(&folder.join("mass-driver.lock"), 1);
        folder
    };
    let (dead, theirs) = (abandoned("mass-driver-run-dead"), abandoned("run-theirs"));
    let of_another = abandoned("mass-driver-run-other");
    // Only root gives folders away.
    let is_given = std::os::unix::fs::chown(&of_another, Some(65_534), None).is_ok();
    std::os::unix::fs::symlink(&theirs, place.join("mass-driver-run-link")).unwrap();
    let held = abandoned("mass-driver-run-held");
    let lock = File::open(held.join("mass-driver.lock")).unwrap();
    lock.lock().unwrap();
    remove_abandoned_temporary(&place, now());
    assert!(!dead.exists());
    assert!(theirs.exists() && held.exists() && of_another.exists() == is_given);
}
