//! Reaching a database, and the state its tables may be in.

use crate::databases::{both_databases, open};
use crate::samples::{at, repository, write};
use mass_driver::domain::{Dependency, Head, InstallationId, RepoId, RepoState};
use mass_driver::store::{Config, ConfigState, Store, StoreError, Tx};
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub async fn run(url: &str, sql: &'static str) {
    if url.starts_with("sqlite") {
        SqliteConnection::connect(url).await.unwrap().execute(sql).await.unwrap();
    } else {
        PgConnection::connect(url).await.unwrap().execute(sql).await.unwrap();
    }
}

both_databases! {
    async fn several_processes_may_start_at_once(url: String) {
        let starts: Vec<_> = (0..8)
            .map(|_| {
                let url = url.clone();
                tokio::spawn(async move { open(&url).await.ping().await.unwrap() })
            })
            .collect();
        for start in starts {
            start.await.unwrap();
        }
    }

    async fn what_was_committed_is_there_after_a_restart(url: String) {
        let store = open(&url).await;
        write(&store, async |tx| tx.save_repository(&repository(1, "acme/api"), at(1)).await.unwrap()).await;
        store.close().await;
        assert!(open(&url).await.repository(RepoId(1)).await.unwrap().is_some());
    }

    async fn what_was_not_committed_is_gone(store: Store) {
        let mut tx = store.begin().await.unwrap();
        tx.save_repository(&repository(1, "acme/api"), at(1)).await.unwrap();
        assert_eq!(store.repository(RepoId(1)).await.unwrap(), None, "not seen from outside before the commit");
        drop(tx);
        assert_eq!(store.repository(RepoId(1)).await.unwrap(), None);
        // The connection is free again, and clean.
        write(&store, async |tx| tx.save_repository(&repository(2, "acme/web"), at(1)).await.unwrap()).await;
        assert_eq!(store.repositories(10).await.unwrap().len(), 1);
    }

    async fn a_newer_schema_is_refused_in_clear_words(url: String) {
        open(&url).await.close().await;
        run(&url, "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
            VALUES (9999, 'from the future', TRUE, 'x', 0)").await;
        let error = Store::connect(&url).await.unwrap_err();
        assert!(matches!(error, StoreError::Schema { .. }), "{error:?}");
        assert!(error.to_string().contains("migration 9999"), "{error}");
        assert!(error.to_string().contains("newer mass-driver"), "{error}");
    }

    /// What is stored when the sixth migration comes.
    async fn uses_that_pin_content_are_known_as_such_after_an_upgrade(url: String) {
        let store = open(&url).await;
        crate::samples::user_of(&store, 1, &["httpx"]).await;
        let image = crate::samples::docker("python");
        let plain = crate::samples::dependency("requirements.txt", image.clone(), 1);
        let pinned = Dependency { digest: Some("sha256:1".into()), ..plain.clone() };
        write(&store, async |tx| {
            let path = crate::samples::path("requirements.txt");
            let uses = [plain, pinned.clone()];
            tx.replace_dependencies(RepoId(1), &path, "pip_requirements", &uses, at(1)).await.unwrap();
        }).await;
        store.close().await;
        for undone in [
            "DELETE FROM _sqlx_migrations WHERE version = 6",
            "DROP INDEX dependency_pinned",
            "ALTER TABLE dependency DROP COLUMN pins_content",
            "ALTER TABLE release DROP COLUMN above_latest",
        ] {
            run(&url, undone).await;
        }
        let store = open(&url).await;
        assert_eq!(store.digest_pins(&image, RepoId(1), 10).await.unwrap(), [pinned]);
        store.close().await;
    }

    /// What is stored when the sixteenth migration comes.
    async fn who_had_a_file_before_an_upgrade_is_known_to_have_had_one(url: String) {
        let store = open(&url).await;
        let head = Head { commit: crate::samples::object('a'), tree: crate::samples::object('b') };
        write(&store, async |tx| {
            for n in 1..=2 {
                tx.save_repository(&repository(n, &format!("acme/r{n}")), at(1)).await.unwrap();
                tx.set_head(RepoId(n), Some(&head), at(1)).await.unwrap();
            }
            let valid = Config { state: ConfigState::Valid, ..Config::none() };
            tx.save_config(RepoId(1), &valid, at(1)).await.unwrap();
        }).await;
        store.close().await;
        for undone in [
            "DELETE FROM _sqlx_migrations WHERE version = 16",
            "ALTER TABLE onboarding DROP COLUMN base_branch",
            "ALTER TABLE release_notes DROP COLUMN asked_at",
        ] {
            run(&url, undone).await;
        }
        let store = open(&url).await;
        assert_eq!(store.config_commit(RepoId(1)).await.unwrap(), Some(head.commit));
        assert_eq!(store.config_commit(RepoId(2)).await.unwrap(), None);
        store.close().await;
    }

    async fn looking_into_a_database_leaves_it_as_it_is(url: String) {
        let store = open(&url).await;
        write(&store, async |tx| tx.save_repository(&repository(1, "acme/api"), at(1)).await.unwrap()).await;
        let look = Store::open_existing(&url).await.unwrap();
        assert!(look.repository(RepoId(1)).await.unwrap().is_some());
        let written = async |tx: &mut Tx| tx.save_repository(&repository(2, "acme/web"), at(1)).await;
        let refused = match look.begin().await {
            Ok(mut tx) => written(&mut tx).await.is_err(),
            Err(_) => true,
        };
        assert!(refused, "nothing can be written");
        look.close().await;

        run(&url, "UPDATE _sqlx_migrations SET version = 9999 WHERE version = 2").await;
        let error = Store::open_existing(&url).await.unwrap_err();
        assert!(error.to_string().contains("upgraded by a newer mass-driver"), "{error}");
        run(&url, "DELETE FROM _sqlx_migrations").await;
        let error = Store::open_existing(&url).await.unwrap_err();
        assert!(matches!(error, StoreError::Schema { .. }), "{error:?}");
        assert!(error.to_string().contains("the database is older than this program"), "{error}");
        run(&url, "DROP TABLE _sqlx_migrations").await;
        let error = Store::open_existing(&url).await.unwrap_err();
        assert!(matches!(error, StoreError::Schema { .. }), "{error:?}");
        assert!(error.to_string().contains("there are none of mass-driver in it"), "{error}");
        store.close().await;
    }

    async fn joining_a_database_to_write_changes_rows_and_no_table(url: String) {
        let missing = Store::open_existing_to_write(&url).await.unwrap_err();
        assert!(matches!(missing, StoreError::Address { .. } | StoreError::Schema { .. }), "{missing:?}");
        let server = open(&url).await;
        let guest = Store::open_existing_to_write(&url).await.unwrap();
        // Both write in turn, each while the other has the database open.
        for id in 1..=20 {
            let by = if id % 2 == 0 { &server } else { &guest };
            write(by, async |tx| tx.save_repository(&repository(id, "acme/api"), at(1)).await.unwrap()).await;
            assert!(server.repository(RepoId(id)).await.unwrap().is_some());
        }
        guest.close().await;
        run(&url, "DELETE FROM _sqlx_migrations").await;
        let error = Store::open_existing_to_write(&url).await.unwrap_err();
        assert!(error.to_string().contains("the database is older than this program"), "{error}");
    }

    async fn foreign_tables_are_not_taken_for_ours(url: String) {
        run(&url_that_creates(&url), "CREATE TABLE delivery (parcel TEXT)").await;
        let error = Store::connect(&url).await.unwrap_err();
        assert!(error.to_string().contains("delivery"), "{error}");
    }

    async fn many_writers_wait_for_each_other(store: Store) {
        let writers: Vec<_> = (0..40)
            .map(|id| {
                let store = store.clone();
                tokio::spawn(async move {
                    for round in 0..5 {
                        let mut tx = store.begin().await.unwrap();
                        // Read, then write: what a plain BEGIN would lose races with.
                        let id = RepoId(id * 10 + round);
                        let listed = (InstallationId(7), id);
                        assert!(!tx.set_listed_state(listed, RepoState::Removed, at(1)).await.unwrap());
                        tx.save_repository(&repository(id.0, "acme/api"), at(1)).await.unwrap();
                        tx.commit().await.unwrap();
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        assert_eq!(store.repositories(1000).await.unwrap().len(), 200);
    }
}

pub fn url_that_creates(url: &str) -> String {
    if url.starts_with("sqlite") { format!("{url}?mode=rwc") } else { url.to_owned() }
}

#[tokio::test]
async fn addresses_that_name_no_database() {
    for (url, words) in [
        ("mysql://root:secret@127.0.0.1/x", "sqlite:// or postgres://"),
        ("mass-driver.db", "sqlite:// or postgres://"),
        ("", "sqlite:// or postgres://"),
        ("sqlite://:memory:", "name a file"),
        ("sqlite::memory:", "name a file"),
        ("sqlite:", "name a file"),
        ("sqlite:///no/such/folder/x.db", "there is no folder /no/such/folder for the file /no/such/folder/x.db"),
        ("sqlite://x.db?colour=blue", "colour"),
        ("postgres://127.0.0.1:notaport/x", "port"),
    ] {
        let error = Store::connect(url).await.unwrap_err();
        assert!(matches!(error, StoreError::Address { .. }), "{url}: {error:?}");
        assert!(error.to_string().contains(words), "{url}: {error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn a_database_is_named_without_its_password() {
    let named = |url: &str| mass_driver::store::database_named(url).unwrap();
    assert_eq!(
        named("postgres://bot:secret@db.example.com:5433/bot?password=secret"),
        "Postgres at db.example.com:5433/bot"
    );
    assert_eq!(named("postgres://bot:secret@db.example.com"), "Postgres at db.example.com:5432/bot");
    assert_eq!(named("sqlite:///var/lib/bot.db"), "SQLite file /var/lib/bot.db");
    let here = std::env::current_dir().unwrap().join("bot.db");
    assert_eq!(named("sqlite://bot.db"), format!("SQLite file {}", here.display()));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "not a database\n".repeat(200)).unwrap();
    let error = Store::connect(&format!("sqlite://{}", file.display())).await.unwrap_err();
    assert!(error.to_string().contains("notes.txt"), "{error}");
    let error = Store::open_existing(&format!("sqlite://{}", file.display())).await.unwrap_err();
    assert!(matches!(error, StoreError::Address { .. }) && error.to_string().contains("notes.txt"), "{error:?}");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_not_made_by_looking() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let error = Store::open_existing(&format!("sqlite://{}", file.display())).await.unwrap_err();
    assert!(matches!(error, StoreError::Address { .. }), "{error:?}");
    assert!(error.to_string().contains("there is no database at"), "{error}");
    assert!(!file.exists());
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_stored_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let url = format!("sqlite://{}", file.display());
    let store = open(&url).await;
    write(&store, async |tx| tx.save_repository(&repository(1, "acme/api"), at(1)).await.unwrap()).await;
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap()).collect();
    assert!(files.len() > 1, "the log of writes lies beside it");
    for file in files {
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.path().display());
    }
    store.close().await;

    // Who gave it another mode had a reason.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    open(&url).await.close().await;
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
}

#[tokio::test]
async fn a_server_that_is_away_is_worth_another_try() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = Store::connect(&format!("postgres://nobody@127.0.0.1:{port}/x")).await.unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains(&format!("Postgres at 127.0.0.1:{port}/x cannot be reached:")), "{error}");
}

/// It is there, and has no place left, is just starting, or does not encrypt: whoever looks for it elsewhere looks in vain.
#[tokio::test]
async fn a_server_that_lets_nobody_in_just_now_has_answered() {
    let refusal = |code: &str, words: &str| {
        let fields = format!("SFATAL\0VFATAL\0C{code}\0M{words}\0\0");
        let length = u32::try_from(fields.len() + 4).unwrap();
        [b"E", &length.to_be_bytes()[..], fields.as_bytes()].concat()
    };
    for (answer, tls, words) in [
        (
            refusal("53300", "sorry, too many clients already"),
            "disable",
            "sorry, too many clients already (code 53300)",
        ),
        (refusal("57P03", "the database system is starting up"), "disable", "is starting up (code 57P03)"),
        (b"N".to_vec(), "require", "does not support TLS"),
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            // What is asked begins with its length.
            let length = stream.read_u32().await.unwrap();
            stream.read_exact(&mut vec![0; length as usize - 4]).await.unwrap();
            stream.write_all(&answer).await.unwrap();
            stream.flush().await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
        };
        let url = format!("postgres://bot:secret@127.0.0.1:{port}/x?sslmode={tls}");
        let (error, ()) = tokio::join!(async { Store::connect(&url).await.unwrap_err().to_string() }, server);
        assert!(error.contains(&format!("Postgres at 127.0.0.1:{port}/x answered: ")), "{error}");
        assert!(error.contains(words) && !error.contains("Is it running there?"), "{error}");
    }
}

/// Cargo does not notice a new file in the folder by itself: touch `src/store/connect.rs` when this fails.
#[tokio::test]
async fn every_migration_is_built_in() {
    crate::databases::on_sqlite(async |url: String| {
        open(&url).await.close().await;
        let mut database = SqliteConnection::connect(&url).await.unwrap();
        let applied: i64 =
            sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations").fetch_one(&mut database).await.unwrap();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let files = std::fs::read_dir(folder).unwrap();
        let written =
            files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|e| e == "sql")).count();
        assert_eq!(usize::try_from(applied).unwrap(), written);
    })
    .await;
}
