//! Commits whose subscription file is looked at: asked for any number of times, one row for each.

use crate::databases::{both_databases, open};
use crate::samples::{at, object, repository, write};
use mass_driver::domain::{Asked, CheckRunId, Examined, Place, RepoId};
use mass_driver::store::Store;

const REPO: RepoId = RepoId(42);

fn asked(commit: char, follows: Option<char>, branch: &str) -> Asked {
    let place = if branch.is_empty() { Place::Anywhere } else { Place::Branch(branch.into()) };
    Asked { repo: REPO, commit: object(commit), place, follows: follows.map(object), named: false }
}

async fn ask(store: &Store, one: &Asked) {
    write(store, async |tx| tx.ask_examination(one, at(1)).await.unwrap()).await;
}

async fn known_repository(url: &str) -> Store {
    let store = open(url).await;
    write(&store, async |tx| tx.save_repository(&repository(REPO.0, "acme/api"), at(1)).await.unwrap()).await;
    store
}

both_databases! {
    async fn a_commit_that_was_followed_is_overtaken_until_somebody_goes_back_to_it(url: String) {
        let store = known_repository(&url).await;
        let (first, second) = (asked('a', None, "topic"), asked('b', Some('a'), "topic"));
        ask(&store, &first).await;
        assert!(!store.is_followed(&first).await.unwrap());
        ask(&store, &second).await;
        assert!(store.is_followed(&first).await.unwrap());
        assert!(!store.is_followed(&asked('a', None, "other")).await.unwrap(), "another branch still stands there");
        ask(&store, &asked('a', Some('b'), "topic")).await;
        assert!(!store.is_followed(&first).await.unwrap());
        assert!(store.is_followed(&second).await.unwrap());
    }

    async fn what_was_found_out_stays_when_it_is_asked_for_again(url: String) {
        let store = known_repository(&url).await;
        ask(&store, &Asked { named: true, ..asked('a', Some('9'), "topic") }).await;
        write(&store, async |tx| {
            tx.save_check_run(REPO, &object('a'), CheckRunId(7)).await.unwrap();
            tx.end_examination((REPO, &object('a')), Examined::Said, (Some(&object('f')), Some("words")), at(2)).await.unwrap();
        }).await;
        ask(&store, &asked('a', None, "")).await;
        let known = store.examination(REPO, &object('a')).await.unwrap().unwrap();
        assert_eq!((known.asked.place, known.asked.follows, known.asked.named), (Place::Branch("topic".into()), Some(object('9')), true));
        assert_eq!((known.outcome, known.check_run, known.said.as_deref()), (Some(Examined::Said), Some(CheckRunId(7)), Some("words")));
        ask(&store, &asked('a', None, "another")).await;
        let known = store.examination(REPO, &object('a')).await.unwrap().unwrap();
        assert_eq!(known.asked.place, Place::Anywhere, "one of two branches leaves nothing behind by moving on");
        assert_eq!(store.examination(REPO, &object('b')).await.unwrap(), None);
    }

    async fn a_refusal_holds_until_something_is_said(url: String) {
        let store = known_repository(&url).await;
        for (commit, outcome, refused) in [('a', Examined::Refused, true), ('b', Examined::Nothing, true), ('c', Examined::Said, false)] {
            ask(&store, &asked(commit, None, "topic")).await;
            write(&store, async |tx| tx.end_examination((REPO, &object(commit)), outcome, (None, None), at(2)).await.unwrap()).await;
            assert_eq!(store.is_refused(REPO).await.unwrap(), refused, "{commit}");
        }
    }

    async fn looks_from_long_ago_are_forgotten(url: String) {
        let store = known_repository(&url).await;
        ask(&store, &asked('a', None, "topic")).await;
        write(&store, async |tx| assert_eq!(tx.forget_examinations(at(1)).await.unwrap(), 0)).await;
        write(&store, async |tx| assert_eq!(tx.forget_examinations(at(2)).await.unwrap(), 1)).await;
        assert_eq!(store.examination(REPO, &object('a')).await.unwrap(), None);
    }

    async fn the_commit_of_the_file_in_force_is_known(url: String) {
        let store = known_repository(&url).await;
        assert_eq!(store.config_commit(REPO).await.unwrap(), None);
        write(&store, async |tx| tx.set_config_commit(REPO, &object('a')).await.unwrap()).await;
        assert_eq!(store.config_commit(REPO).await.unwrap(), Some(object('a')));
    }
}
