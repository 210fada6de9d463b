//! Which repositories may be asked for their first subscription file.

use crate::databases::both_databases;
use crate::proposals::proposal;
use crate::samples::{at, object, repository, write};
use mass_driver::domain::{
    Head, InstallationId, Onboarding, OnboardingState, ProposalState, PullNumber, PullRequest, RepoId,
};
use mass_driver::store::Store;

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

    /// What failed may fail again, and takes a place of the day each time: whoever was never asked comes before it.
    async fn who_was_never_asked_comes_before_what_failed(store: Store) {
        write(&store, async |tx| {
            for n in 1..=4 {
                tx.save_repository(&repository(n, &format!("acme/r{n}")), at(1)).await.unwrap();
                tx.set_head(RepoId(n), Some(&head()), at(1)).await.unwrap();
            }
            for n in [1, 3] {
                tx.save_onboarding(&onboarding(n, OnboardingState::Failed)).await.unwrap();
            }
        }).await;
        assert_eq!(candidates(&store).await, [2, 4, 1, 3]);
    }

    /// What went to a former default branch is to be asked anew, until nothing is found at the commit that is the head now.
    async fn where_nothing_was_found_at_this_commit_there_is_no_candidate(store: Store) {
        let pull = PullRequest { number: PullNumber(5), url: "https://github.test/5".into(), head: object('c') };
        write(&store, async |tx| {
            for n in 1..=4 {
                tx.save_repository(&repository(n, &format!("acme/r{n}")), at(1)).await.unwrap();
                tx.set_head(RepoId(n), Some(&head()), at(1)).await.unwrap();
            }
            let anew = |n| Onboarding { pull: Some(pull.clone()), ..onboarding(n, OnboardingState::Nothing) };
            let looked = |n| Onboarding { branch: String::new(), ..anew(n) };
            tx.save_onboarding(&anew(1)).await.unwrap();
            tx.save_onboarding(&looked(2)).await.unwrap();
            tx.save_onboarding(&Onboarding { commit: object('d'), ..looked(3) }).await.unwrap();
            tx.save_onboarding(&Onboarding { pull: None, commit: object('d'), ..looked(4) }).await.unwrap();
        }).await;
        assert_eq!(candidates(&store).await, [1, 3]);
    }
}

fn head() -> Head {
    Head { commit: object('a'), tree: object('b') }
}

/// An onboarding of the commit that is the head, long ago.
fn onboarding(repo: i64, state: OnboardingState) -> Onboarding {
    Onboarding {
        repo: RepoId(repo),
        state,
        reason: "so it is".into(),
        branch: "mass-driver/onboarding".into(),
        commit: head().commit,
        base_branch: Some("main".into()),
        pull: None,
        farewell: None,
        begun_at: at(1),
        updated_at: at(1),
    }
}

async fn candidates(store: &Store) -> Vec<i64> {
    let installation = store.repository(RepoId(1)).await.unwrap().unwrap().repository.installation;
    let found = store.onboarding_candidates(installation, at(2)).await.unwrap();
    found.into_iter().map(|(id, _)| id.0).collect()
}
