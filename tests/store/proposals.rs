//! Proposals and their ledger.

use crate::databases::both_databases;
use crate::samples::{at, object, path, pypi, repository, write};
use mass_driver::domain::{
    Proposal, ProposalId, ProposalState, PullNumber, PullRequest, RepoId, Site, Update, VersionStep,
};
use mass_driver::store::{Store, StoreError};

const REPO: RepoId = RepoId(1);

pub fn proposal(id: &str, state: ProposalState, updated: i64) -> Proposal {
    Proposal {
        id: ProposalId(id.into()),
        repo: REPO,
        group: "pypi/httpx".into(),
        content: "c0ffee".into(),
        state,
        reason: "Mondays at 06:00".into(),
        due_at: at(1_000),
        title: "Update httpx to 0.28.0".into(),
        branch: "mass-driver/pypi/httpx".into(),
        updates: vec![Update {
            package: pypi("httpx"),
            to: "0.28.0".into(),
            refresh: None,
            step: VersionStep::Minor,
            sites: vec![Site {
                path: path("requirements.txt"),
                manager: "pip_requirements".into(),
                line: 3,
                from: "0.27.0".into(),
                constraint: "==0.27.0".into(),
                digest: None,
                hashed: false,
                python: None,
            }],
            released_at: at(1),
            eligible_at: at(2),
            due_at: at(3),
            terms: Vec::new(),
        }],
        labels: vec!["dependencies".into()],
        pull: None,
        checks: None,
        created_at: at(updated),
        opened_at: None,
        updated_at: at(updated),
    }
}

async fn with_repository(store: &Store) {
    write(store, async |tx| tx.save_repository(&repository(1, "acme/api"), at(1)).await.unwrap()).await;
}

both_databases! {
    async fn a_proposal_becomes_a_pull_request(store: Store) {
        with_repository(&store).await;
        let mut it = proposal("p1", ProposalState::Waiting, 10);
        write(&store, async |tx| tx.save_proposal(&it).await.unwrap()).await;
        assert_eq!(store.proposal(&it.id).await.unwrap().as_ref(), Some(&it));

        it.state = ProposalState::Open;
        it.pull = Some(PullRequest { number: PullNumber(12), url: "https://example.com/12".into(), head: object('a') });
        it.checks = Some("success".into());
        it.opened_at = Some(at(20));
        it.updated_at = at(20);
        write(&store, async |tx| {
            tx.save_proposal(&it).await.unwrap();
            tx.record(&it.id, at(10), "planned", "waits for Monday").await.unwrap();
            tx.record(&it.id, at(20), "due", "").await.unwrap();
            tx.record(&it.id, at(20), "opened", "as number 12").await.unwrap();
        }).await;
        assert_eq!(store.proposal_by_pull(REPO, PullNumber(12)).await.unwrap().as_ref(), Some(&it));
        assert_eq!(store.proposal_by_pull(RepoId(2), PullNumber(12)).await.unwrap(), None);
        assert_eq!(store.proposals(REPO).await.unwrap(), [it.clone()]);
        let ledger = store.ledger(&it.id).await.unwrap();
        assert_eq!(ledger.iter().map(|row| row.what.as_str()).collect::<Vec<_>>(), ["planned", "due", "opened"]);
        assert_eq!((ledger[2].at, ledger[2].detail.as_str()), (at(20), "as number 12"));
        assert_eq!(store.ledgers(REPO).await.unwrap(), [(it.id, ledger)].into());
        assert_eq!(store.ledgers(RepoId(2)).await.unwrap(), [].into());
    }

    async fn one_proposal_of_a_group_waits(store: Store) {
        with_repository(&store).await;
        let first = proposal("p1", ProposalState::Waiting, 10);
        let second = proposal("p2", ProposalState::Waiting, 11);
        write(&store, async |tx| tx.save_proposal(&first).await.unwrap()).await;
        let mut tx = store.begin().await.unwrap();
        let refused = tx.save_proposal(&second).await;
        assert!(matches!(refused, Err(StoreError::Database(_))), "{refused:?}");
        drop(tx);
        write(&store, async |tx| {
            tx.save_proposal(&Proposal { state: ProposalState::Superseded, ..first.clone() }).await.unwrap();
            tx.save_proposal(&second).await.unwrap();
            tx.save_proposal(&Proposal { group: "pypi/rich".into(), ..proposal("p3", ProposalState::Waiting, 12) }).await.unwrap();
        }).await;
        assert_eq!(store.proposals(REPO).await.unwrap().len(), 3);
    }

    async fn many_are_stored_as_one_after_another_would_be(store: Store) {
        with_repository(&store).await;
        write(&store, async |tx| tx.save_repository(&repository(2, "acme/web"), at(1)).await.unwrap()).await;
        let old = proposal("old", ProposalState::Waiting, 10);
        write(&store, async |tx| tx.save_proposals([&old]).await.unwrap()).await;
        // Of one group: the one that goes, then the one in its place.
        let gone = Proposal { state: ProposalState::Withdrawn, updated_at: at(11), ..old };
        let new = proposal("new", ProposalState::Waiting, 11);
        let elsewhere = Proposal { repo: RepoId(2), ..proposal("elsewhere", ProposalState::Waiting, 12) };
        write(&store, async |tx| {
            tx.save_proposals([&gone, &new, &elsewhere]).await.unwrap();
            tx.record_all(at(11), [(&gone.id, "withdrawn", "{}"), (&new.id, "drafted", "{}")]).await.unwrap();
        }).await;
        let both = [REPO, RepoId(2), RepoId(3), REPO];
        let found = store.proposals_of(&both).await.unwrap();
        assert_eq!(found, [(REPO, vec![gone, new.clone()]), (RepoId(2), vec![elsewhere])].into());
        assert_eq!(store.ledger(&new.id).await.unwrap().len(), 1);
        assert_eq!(store.repositories_by_id(&both).await.unwrap().len(), 2);
        assert_eq!(store.proposals_of(&[]).await.unwrap(), [].into());
    }

    async fn proposals_are_listed_by_state(store: Store) {
        with_repository(&store).await;
        use ProposalState::{Closed, Merged, Open, Waiting};
        write(&store, async |tx| {
            for (id, state, updated) in [("a", Merged, 5), ("b", Open, 7), ("c", Merged, 6), ("d", Closed, 9), ("e", Open, 7)] {
                tx.save_proposal(&proposal(id, state, updated)).await.unwrap();
            }
        }).await;
        let ids = async |states: &[ProposalState], limit| -> Vec<String> {
            store.proposals_in(states, limit).await.unwrap().into_iter().map(|(it, _)| it.id.0).collect()
        };
        assert_eq!(ids(&[Merged, Open], 10).await, ["e", "b", "c", "a"]);
        assert_eq!(ids(&[Open, Merged], 2).await, ["e", "b"]);
        assert_eq!(ids(&[Waiting], 10).await, [] as [&str; 0]);
        assert_eq!(ids(&[], 10).await, [] as [&str; 0]);
        let (_, name) = store.proposals_in(&[Closed], 1).await.unwrap().remove(0);
        assert_eq!(name.to_string(), store.repository(REPO).await.unwrap().unwrap().repository.name.to_string());
        assert_eq!(store.proposal_counts().await.unwrap(), [(Closed, 1), (Merged, 2), (Open, 2)]);
    }
}
