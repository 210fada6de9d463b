//! Commands that read a server's database, run by somebody who may do less than the server.
//!
//! Whoever runs the tests as root may do everything, so then the commands run as somebody else.

use crate::executable::{at, command, folder, told};
use crate::stored::seeded;
use mass_driver::store::Store;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use tempfile::TempDir;

const DATABASE: &str = "mass-driver.db";

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A database that a server has left, for everybody to read and nobody to change, in a folder with this mode.
async fn left_behind(folder_mode: u32) -> TempDir {
    let folder = folder(&[]);
    seeded(folder.path(), at("2026-03-05T12:00:00Z")).await;
    mode(&folder.path().join(DATABASE), 0o444);
    mode(folder.path(), folder_mode);
    folder
}

fn as_nobody(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = command(folder, arguments);
    if fs::metadata(folder).unwrap().uid() == 0 {
        command.uid(65_534).gid(65_534);
    }
    told(command.output().unwrap())
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn reads_everything(folder: &Path) {
    for (arguments, words) in [
        (&["why", "acme/api"][..], "httpx"),
        (&["audit"], "No pull request was opened yet"),
        (&["retry", "--list"], "Nothing is parked."),
    ] {
        let (code, out, err) = as_nobody(folder, arguments);
        assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}: {out}");
        assert!(out.contains(words), "{arguments:?}: {out}");
    }
}

#[tokio::test]
async fn who_may_only_read_reads_and_leaves_nothing_behind() {
    // Also where the folder would allow it: what a reader makes there its server may not open.
    for folder_mode in [0o555, 0o777] {
        let folder = left_behind(folder_mode).await;
        reads_everything(folder.path());
        assert_eq!(names_in(folder.path()), [DATABASE], "{folder_mode:o}");
        let (code, out, err) = as_nobody(folder.path(), &["retry", "acme/api"]);
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(
            err.contains("may not be changed by the user who runs this: run it as the user of the server"),
            "{err}"
        );
        mode(folder.path(), 0o755);
    }
    // The file may be changed, and nothing beside it.
    let folder = left_behind(0o555).await;
    mode(&folder.path().join(DATABASE), 0o666);
    reads_everything(folder.path());
    mode(folder.path(), 0o755);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_only_read_reads_beside_a_server() {
    let folder = left_behind(0o755).await;
    let database = folder.path().join(DATABASE);
    mode(&database, 0o644);
    let server = Store::connect(&format!("sqlite://{}", database.display())).await.unwrap();
    let mut tx = server.begin().await.unwrap();
    tx.save_repository(&crate::rows::repository(2, "acme/newer"), at("2026-03-06T00:00:00Z")).await.unwrap();
    tx.commit().await.unwrap();
    mode(folder.path(), 0o555);
    let (code, out, err) = as_nobody(folder.path(), &["why", "acme/newer"]);
    assert_eq!((code, err.as_str()), (0, ""), "what stands in the log of writes counts: {out}");
    mode(folder.path(), 0o755);

    // A server that was killed: its last writes stand beside the file, and it takes writing to read them.
    let killed = tempfile::tempdir().unwrap();
    for name in [DATABASE, "mass-driver.db-wal"] {
        fs::copy(folder.path().join(name), killed.path().join(name)).unwrap();
        mode(&killed.path().join(name), 0o444);
    }
    server.close().await;
    mode(killed.path(), 0o555);
    let (code, out, err) = as_nobody(killed.path(), &["why", "acme/newer"]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(err.contains("mass-driver.db-wal") && err.contains("Run this as the user of the server"), "{err}");
    mode(killed.path(), 0o755);
}

#[tokio::test]
async fn who_may_not_read_is_told_what_to_do() {
    let folder = left_behind(0o755).await;
    mode(&folder.path().join(DATABASE), 0);
    for arguments in [&["why", "acme/api"][..], &["audit"], &["retry", "--list"], &["retry", "--all"]] {
        let (code, out, err) = as_nobody(folder.path(), arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        let words =
            "mass-driver.db may not be read by the user who runs this: run it as the user of the server, or let";
        assert!(err.contains(words), "{err}");
    }
}

#[test]
fn a_folder_is_no_database_and_gets_no_lock_beside_it() {
    let root = folder(&[]);
    fs::create_dir(root.path().join("data")).unwrap();
    let serve = ["serve", "--github-app-id", "1", "--github-app-private-key-file", "key.pem"];
    fs::write(root.path().join("key.pem"), include_str!("../forge/keys/pkcs1.pem")).unwrap();
    for arguments in [&["why", "acme/api"][..], &["retry", "--all"], &serve] {
        let mut command = command(root.path(), arguments);
        command.env("DATABASE_URL", "sqlite://data").env("GITHUB_WEBHOOK_SECRET", "secret");
        let (code, out, err) = told(command.output().unwrap());
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains("`data` is a folder; name a file in it, as in sqlite://data/mass-driver.db"), "{err}");
    }
    let mut web = command(root.path(), &[&serve[..], &["--role", "web"]].concat());
    let (code, _, err) = told(web.env("GITHUB_WEBHOOK_SECRET", "secret").output().unwrap());
    assert!(code == 2 && err.contains("with SQLite one process does everything"), "{err}");
    assert_eq!(names_in(root.path()), ["data", "key.pem"]);
}
