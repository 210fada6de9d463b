//! What `mass-driver audit` proves of a server's database, and what it does not.

use crate::executable::{at, folder, run};
use crate::stored::seeded;
use jiff::Timestamp;
use mass_driver::domain::{ObjectId, Proposal, ProposalState, PullNumber, PullRequest, RepoId};
use mass_driver::planner::audit::{DRAFTED, Drafted, OPENED};
use mass_driver::store::Store;
use std::path::Path;

const DRAFTED_AT: &str = "2026-03-05T12:00:00Z";

/// Opens the one proposal of the seeded database at a moment.
pub async fn open(folder: &Path, opened_at: Timestamp, number: i64) -> (Store, Proposal) {
    let store = Store::connect(&format!("sqlite://{}", folder.join("mass-driver.db").display())).await.unwrap();
    let waiting = store.proposals(RepoId(1)).await.unwrap().remove(0);
    let head = ObjectId::parse(&"e".repeat(40)).unwrap();
    let url = format!("https://github.example.com/acme/api/pull/{number}");
    let pull = Some(PullRequest { number: PullNumber(number), url, head });
    let opened = Proposal { state: ProposalState::Open, opened_at: Some(opened_at), pull, ..waiting };
    let mut tx = store.begin().await.unwrap();
    tx.save_proposal(&opened).await.unwrap();
    tx.record(&opened.id, opened_at, OPENED, &format!("#{number}")).await.unwrap();
    tx.commit().await.unwrap();
    (store, opened)
}

#[tokio::test]
async fn audit_proves_what_was_in_time_and_finds_what_was_not() {
    let (in_time, early) = (folder(&[]), folder(&[]));
    for folder in [&in_time, &early] {
        seeded(folder.path(), at(DRAFTED_AT)).await;
    }
    let nothing = "No pull request was opened yet, so there is nothing to prove.\n";
    assert_eq!(run(in_time.path(), &["audit"]), (0, nothing.into(), String::new()));

    open(in_time.path(), at("2026-03-09T05:00:00Z"), 1).await.0.close().await;
    let (code, out, err) = run(in_time.path(), &["audit", "acme/api"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    insta::assert_snapshot!(out, @r"
    1 pull request opened, of 1 proposal.
    1 proven: it was not opened before its time.
    ");

    open(early.path(), at("2026-03-09T04:59:59Z"), 1).await.0.close().await;
    let (code, out, err) = run(early.path(), &["audit"]);
    assert_eq!((code, err.as_str()), (1, ""), "{out}");
    insta::assert_snapshot!(out, @r"
    acme/api #1 Bump httpx from 0.27.0 to 0.28.0
      pypi/httpx 0.28.0 was opened at 2026-03-09T04:59:59Z and due at 2026-03-09T05:00:00Z: early
    1 pull request opened, of 1 proposal.
    0 proven.
    1 early.
    ");
    let (code, out, _) = run(early.path(), &["audit", "--format", "json"]);
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &found["counts"]["early"], &found["counts"]["proven"]), (1, &1.into(), &0.into()), "{out}");
    let violation = &found["violations"][0];
    assert_eq!(
        (&violation["pull_request"], &violation["violations"][0]["what"]),
        (&1.into(), &"early".into()),
        "{out}"
    );
    let (code, out, err) = run(early.path(), &["audit", "acme/other"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("the server does not know acme/other"), "{err}");
}

/// Rows of an older version hold no terms: nothing is said to be proven by them.
#[tokio::test]
async fn audit_counts_what_an_older_version_did_not_write_down() {
    let folder = folder(&[]);
    seeded(folder.path(), at(DRAFTED_AT)).await;
    let (store, opened) = open(folder.path(), at("2026-03-09T05:00:00Z"), 1).await;
    let mut drafted = Drafted::of(&opened);
    drafted.content.clear();
    drafted.updates[0].terms.clear();
    let mut tx = store.begin().await.unwrap();
    tx.record(&opened.id, at("2026-03-09T04:00:00Z"), DRAFTED, &drafted.to_detail()).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;
    let (code, out, err) = run(folder.path(), &["audit"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    insta::assert_snapshot!(out, @r"
    1 pull request opened, of 1 proposal.
    0 proven.
    1 not provable: drafted by an older version, which did not write down what the due time followed from.
    ");
}

/// More than one portion, and each repository by itself.
#[tokio::test]
async fn audit_reads_everything_a_portion_at_a_time() {
    let folder = folder(&[]);
    seeded(folder.path(), at(DRAFTED_AT)).await;
    let (store, opened) = open(folder.path(), at("2026-03-09T05:00:00Z"), 1).await;
    let detail = Drafted::of(&opened).to_detail();
    let mut tx = store.begin().await.unwrap();
    for number in 2..=350 {
        let id = mass_driver::domain::ProposalId(format!("more-{number:04}"));
        let late = if number % 7 == 0 { at("2026-03-08T05:00:00Z") } else { at("2026-03-09T05:00:00Z") };
        let pull = opened.pull.clone().map(|pull| PullRequest { number: PullNumber(number), ..pull });
        let one =
            Proposal { id: id.clone(), opened_at: Some(late), pull, group: format!("g{number}"), ..opened.clone() };
        tx.save_proposal(&one).await.unwrap();
        tx.record(&id, at(DRAFTED_AT), DRAFTED, &detail).await.unwrap();
        tx.record(&id, late, OPENED, "").await.unwrap();
    }
    tx.commit().await.unwrap();
    store.close().await;
    let (code, out, _) = run(folder.path(), &["audit", "--format", "json"]);
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &found["counts"]["opened"], &found["counts"]["early"]),
        (1, &350.into(), &50.into()),
        "{}",
        found["counts"]
    );
    assert_eq!(found["violations"].as_array().unwrap().len(), 50);
}
