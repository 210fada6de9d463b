//! The ledger proves that no pull request was early; and who tampers with it is found.

use crate::{World, stories};
use jiff::SignedDuration;
use mass_driver::cli::{Exit, audit};
use mass_driver::domain::{Proposal, ProposalState};
use mass_driver::settings::StoreSettings;

const FILE: (&str, &str) = (
    ".mass-driver.yaml",
    "timezone: Europe/Paris\nsubscriptions:\n  - { migration: pypi, delay: weekly, min_age: { minor: 3d, patch: 1d } }\n",
);

/// How `mass-driver audit` ends, and what it prints.
async fn audited(world: &World, repository: Option<&str>, format: audit::AuditFormat) -> (Exit, String) {
    let store = StoreSettings { database_url: world.database_url.clone() };
    let args = audit::AuditArgs { repository: repository.map(str::to_owned), format, store };
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let exit = audit::run(&args, &mut out, &mut notes).await.unwrap();
    assert_eq!(String::from_utf8(notes).unwrap(), "");
    (exit, String::from_utf8(out).unwrap())
}

async fn save(world: &World, proposal: &Proposal) {
    let mut tx = world.store.begin().await.unwrap();
    tx.save_proposal(proposal).await.unwrap();
    tx.commit().await.unwrap();
}

stories! {
    async fn every_pull_request_is_proven_and_one_that_was_moved_is_found(world: World) {
        for version in ["0.27.0", "0.27.1", "0.28.0"] {
            world.registry.release("httpx", version);
        }
        world.registry.release("rich", "13.0.0");
        world.registry.release("rich", "13.1.0");
        let (exit, out) = audited(&world, None, audit::AuditFormat::Table).await;
        assert_eq!((exit, out.as_str()), (Exit::Done, "No pull request was opened yet, so there is nothing to prove.\n"));
        for repo in ["acme/api", "acme/web"] {
            world.repository(repo, &[("requirements.txt", "httpx==0.27.0\nrich==13.0.0\n"), FILE]).await;
        }
        world.time_passes(SignedDuration::from_hours(8 * 24)).await;
        let (exit, out) = audited(&world, None, audit::AuditFormat::Table).await;
        assert_eq!(exit, Exit::Done, "{out}");
        insta::allow_duplicates! { insta::assert_snapshot!(out, @r"
        4 pull requests opened, of 4 proposals.
        4 proven: none of them was opened before its time.
        ") }

        let opened = world.proposals("acme/api", ProposalState::Open).await.remove(0);
        let days = SignedDuration::from_hours(4 * 24);
        let tampered = Proposal { opened_at: opened.opened_at.map(|at| at - days), ..opened.clone() };
        save(&world, &tampered).await;
        let (exit, out) = audited(&world, None, audit::AuditFormat::Table).await;
        assert_eq!(exit, Exit::Failed, "{out}");
        let told = ["acme/api #", " by the proposal, at ", "and due at 2026-03-09T05:00:00Z: early\n", "\n3 proven", "\n1 early.\n"];
        assert!(told.iter().all(|words| out.contains(words)), "{out}");
        let (exit, out) = audited(&world, Some("acme/api"), audit::AuditFormat::Json).await;
        let found: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!((exit, &found["counts"]["early"], &found["violations"][0]["repository"]), (Exit::Failed, &1.into(), &"acme/api".into()), "{out}");
        let (exit, _) = audited(&world, Some("acme/web"), audit::AuditFormat::Json).await;
        assert_eq!(exit, Exit::Done, "the other repository has nothing to do with it");
        save(&world, &opened).await;
    }

    /// A rule that is changed while an update waits is what the update is judged by.
    async fn the_terms_are_those_it_was_opened_by(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), FILE]).await;
        assert!(world.open("acme/api").is_empty());
        world.push("acme/api", &[(".mass-driver.yaml", "subscriptions: [pypi]\n")]).await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
        let (exit, out) = audited(&world, None, audit::AuditFormat::Json).await;
        let found: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!((exit, &found["counts"]["proven"], &found["counts"]["opened"]), (Exit::Done, &1.into(), &1.into()), "{out}");
    }
}
