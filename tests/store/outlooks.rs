//! How the dependencies of repositories stand.

use crate::databases::both_databases;
use crate::samples::{at, path, pypi, repository, write};
use mass_driver::domain::{Outlook, RepoId, Standing};
use mass_driver::store::{OutlookChange, Store};

fn entry(line: u32, standing: Standing) -> Outlook {
    Outlook {
        package: pypi("httpx"),
        path: path("requirements.txt"),
        line,
        current: Some("0.27.0".into()),
        target: None,
        standing,
        reason: "0.28.0 is 0 days old, 3 days are asked for".into(),
        until: Some(at(9)),
    }
}

async fn replace(store: &Store, repo: i64, before: &[Outlook], after: &[Outlook]) {
    let change = OutlookChange { repo: RepoId(repo), before: before.to_vec(), after: after.to_vec() };
    write(store, async |tx| tx.replace_outlooks([&change]).await.unwrap()).await;
    assert_eq!(store.outlook(RepoId(repo)).await.unwrap(), after);
}

both_databases! {
    async fn what_changes_is_written(store: Store) {
        for (id, name) in [(1, "acme/api"), (2, "acme/web")] {
            write(&store, async |tx| tx.save_repository(&repository(id, name), at(1)).await.unwrap()).await;
        }
        let all: Vec<Outlook> = Standing::ALL.into_iter().zip(1..).map(|(standing, line)| entry(line, standing)).collect();
        replace(&store, 1, &[], &all).await;
        replace(&store, 2, &[], &all[2..]).await;
        let mut other = all.clone();
        other[1].until = None;
        replace(&store, 1, &all, &other).await;
        // What comes in between moves the rest; what goes leaves nothing behind.
        let longer = [&all[..2], &other].concat();
        replace(&store, 1, &other, &longer).await;
        replace(&store, 1, &longer, &longer).await;
        replace(&store, 1, &longer, &all[4..]).await;
        let both = [RepoId(2), RepoId(1), RepoId(3)];
        let found = store.outlooks(&both).await.unwrap();
        assert_eq!(found, [(RepoId(1), all[4..].to_vec()), (RepoId(2), all[2..].to_vec())].into());
        replace(&store, 1, &all[4..], &[]).await;
    }

    /// Whoever plans a repository knows what is stored: rows that are the same are left alone.
    async fn what_stays_is_not_written(store: Store) {
        write(&store, async |tx| tx.save_repository(&repository(1, "acme/api"), at(1)).await.unwrap()).await;
        let (old, new) = (entry(1, Standing::Waiting), entry(1, Standing::Open));
        replace(&store, 1, &[], std::slice::from_ref(&old)).await;
        let unseen = OutlookChange { repo: RepoId(1), before: vec![new.clone()], after: vec![new] };
        write(&store, async |tx| tx.replace_outlooks([&unseen]).await.unwrap()).await;
        assert_eq!(store.outlook(RepoId(1)).await.unwrap(), [old]);
    }
}
