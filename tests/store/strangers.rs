//! Databases that another program uses: they are left as they are.

use crate::connect::{run, url_that_creates};
use crate::databases::{both_databases, open};
use mass_driver::store::{Store, StoreError};
use sqlx::{Connection, PgConnection, SqliteConnection};

/// As sqlx makes it.
const MIGRATIONS_TABLE: &str = "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BYTEA NOT NULL,
    execution_time BIGINT NOT NULL)";

async fn tables(url: &str) -> Vec<String> {
    if url.starts_with("sqlite") {
        let mut database = SqliteConnection::connect(url).await.unwrap();
        let names = sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
        names.fetch_all(&mut database).await.unwrap()
    } else {
        let mut database = PgConnection::connect(url).await.unwrap();
        let names = sqlx::query_scalar(
            "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename",
        );
        names.fetch_all(&mut database).await.unwrap()
    }
}

/// What is in a file of SQLite.
fn bytes(url: &str) -> Option<Vec<u8>> {
    url.strip_prefix("sqlite://").map(|file| std::fs::read(file).unwrap())
}

both_databases! {
    async fn a_database_of_another_program_is_left_as_it_is(url: String) {
        run(&url_that_creates(&url), "CREATE TABLE parcel (name TEXT)").await;
        let before = bytes(&url);
        let refused = Store::connect(&url).await.unwrap_err();
        assert!(matches!(refused, StoreError::Schema { .. }), "{refused:?}");
        let named = mass_driver::store::database_named(&url).unwrap();
        for words in [named.as_str(), "tables of another program in it (`parcel`)", "nothing was changed", "DATABASE_URL"] {
            assert!(refused.to_string().contains(words), "{refused}");
        }
        assert_eq!(tables(&url).await, ["parcel"]);
        assert!(bytes(&url) == before, "the file is as it was");

        // One that has its tables made in the same way, from a first migration of its own.
        run(&url, MIGRATIONS_TABLE).await;
        let refused = Store::connect(&url).await.unwrap_err().to_string();
        assert!(refused.contains("none of mass-driver"), "{refused}");
        for migration in [
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                VALUES (1, 'parcels', TRUE, 'x', 0)",
            "UPDATE _sqlx_migrations SET version = 20250102030405",
        ] {
            run(&url, migration).await;
            let refused = Store::connect(&url).await.unwrap_err().to_string();
            assert!(refused.contains("none of mass-driver"), "{refused}");
        }
        assert_eq!(tables(&url).await, ["_sqlx_migrations", "parcel"]);
    }

    /// It may have got no further than the table in which migrations are written down.
    async fn a_start_that_was_cut_short_is_made_up_for(url: String) {
        run(&url_that_creates(&url), MIGRATIONS_TABLE).await;
        open(&url).await.close().await;
        assert!(tables(&url).await.len() > 10);
        open(&url).await.close().await;
    }
}

/// PostGIS, for one, puts `spatial_ref_sys` into the schema it is made in.
#[tokio::test]
async fn tables_of_an_extension_are_nobodys() {
    crate::databases::on_postgres(async |url: String| {
        run(&url, "CREATE TABLE spatial_ref_sys (srid BIGINT)").await;
        assert!(Store::connect(&url).await.is_err());
        run(&url, "ALTER EXTENSION plpgsql ADD TABLE spatial_ref_sys").await;
        let opened = Store::connect(&url).await;
        run(&url, "ALTER EXTENSION plpgsql DROP TABLE spatial_ref_sys").await;
        opened.unwrap().close().await;
        assert!(tables(&url).await.len() > 10);
        Store::connect(&url).await.unwrap().close().await;
    })
    .await;
}
