//! Which repositories may be asked for their first subscription file.

use crate::databases::both_databases;
use crate::proposals::proposal;
use crate::samples::{at, object, repository, write};
use mass_driver::domain::{Head, InstallationId, ProposalState, RepoId};

both_databases! {
    /// Their own step would end without a row, so that the same ones would be asked about each time, and those behind them never.
    async fn who_has_pull_requests_of_ours_is_no_candidate(store: Store) {
        let head = Head { commit: object('a'), tree: object('b') };
        write(&store, async |tx| {
            for n in 1..=2 {
                tx.save_repository(&repository(n, &format!("acme/r{n}")), at(1)).await.unwrap();
                tx.set_head(RepoId(n), Some(&head), at(1)).await.unwrap();
            }
            tx.save_proposal(&proposal("p", ProposalState::Merged, 1)).await.unwrap();
        }).await;
        let installation = store.repository(RepoId(1)).await.unwrap().unwrap().repository.installation;
        let candidates = store.onboarding_candidates(InstallationId(installation.0), at(1)).await.unwrap();
        assert_eq!(candidates.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [RepoId(2)]);
    }
}
