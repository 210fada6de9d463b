//! Several want the same branch at once, or what is sent to it has to wait, is refused, or meets a conversation without end.

use crate::revisions::{api, comments, parents, somebody_commits};
use crate::reworks::{a_moment_passes, neighbours};
use crate::{World, paced_stories, stories, stories_at_any_pace};
use github_sim::{Fault, FaultKind, Gate, Role};
use jiff::SignedDuration;
use mass_driver::domain::{InstallationId, Pace, ProposalState};

const API: &str = "acme/api";
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Others write in the name of the installation for so long.
async fn the_line_is_long(world: &World, length: SignedDuration) {
    let (now, id) = (world.clock_now(), Some(InstallationId(world.installation)));
    let mut tx = world.store.begin().await.unwrap();
    tx.lock_budget(id).await.unwrap();
    tx.save_pace(id, &Pace { next_write_at: now + length, used_to: now }).await.unwrap();
    tx.commit().await.unwrap();
}

/// A pull request in conflict with its base, whose new commit waits for its turn for 25 minutes.
async fn a_commit_waits_for_its_turn(world: &World) -> i64 {
    let (first, second) = neighbours(world).await;
    the_line_is_long(world, MINUTE * 25).await;
    world.github.merge(API, first).unwrap();
    world.settle().await;
    a_moment_passes(world).await;
    assert_eq!(attempts(world).await, 1, "it stands in line");
    second
}

async fn attempts(world: &World) -> usize {
    world.store.attempted(world.repo_id(API).await).await.unwrap().len()
}

/// People talk: more than GitHub tells at once.
fn a_long_conversation(world: &World, number: i64) {
    for n in 0..101 {
        world.github.comment(API, number, "ada", &format!("I have seen this {n} times.")).unwrap();
    }
    world.github.drop_pending();
}

fn says(world: &World, comment: &str) {
    world.github.set_role(API, "ada", Role::Write).unwrap();
    world.github.comment(API, world.pull(API).number, "ada", comment).unwrap();
}

fn since(world: &World, mark: u64, what: &str) -> usize {
    world.requests_since(mark).iter().filter(|request| request.contains(what)).count()
}

stories_at_any_pace! {
    async fn a_long_conversation_is_told_everything_once(world: World) {
        let number = api(&world).await;
        somebody_commits(&world, "requirements.txt", "httpx>=0.20\n").await;
        a_long_conversation(&world, number);
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        let said = comments(&world, number).split_off(101);
        assert!(said.len() == 1 && said[0].starts_with("This branch is left as it is"), "{said:?}");
        assert!(world.pull(API).labels.contains(&"mass-driver: needs a person".to_string()));
    }

    async fn a_long_conversation_is_closed_with_one_word(world: World) {
        let number = api(&world).await;
        a_long_conversation(&world, number);
        world.registry.yank("httpx", "0.28.0");
        world.bot_looks().await;
        let said = comments(&world, number).split_off(101);
        assert!(said.len() == 1 && said[0].starts_with("Closed"), "{said:?}");
        assert!(world.open(API).is_empty());
    }

    /// GitHub takes no comment for a while; by then the pull request has moved on once more.
    async fn what_could_not_be_told_is_told_with_what_came_after_it(world: World) {
        let number = api(&world).await;
        world.github.fault(Fault::once("POST", "/repos/*/*/issues/*/comments", FaultKind::BadGateway).times(2));
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        world.registry.release("httpx", "0.29.0");
        world.bot_looks().await;
        world.time_passes(MINUTE).await;
        assert_eq!(world.pull(API).title, "Bump httpx from 0.27.0 to 0.29.0");
        let said = comments(&world, number);
        assert!(said.len() == 1 && said[0].contains("`httpx` goes to `0.29.0` instead of `0.28.0`"), "{said:?}");
    }

    async fn where_github_refuses_a_new_commit_the_branch_is_left_with_that_reason(world: World) {
        let (first, second) = neighbours(&world).await;
        let before = world.github.pull_request(API, second).unwrap().head_sha;
        let refused = FaultKind::Status { status: 422, message: "Repository rule violations found".into() };
        world.github.fault(Fault::once("PATCH", "/repos/*/*/git/refs/**", refused));
        world.github.merge(API, first).unwrap();
        world.settle().await;
        a_moment_passes(&world).await;
        let pull = world.pull(API);
        assert_eq!(pull.head_sha, before);
        let said = comments(&world, second);
        assert!(said.len() == 1 && said[0].contains("Repository rule violations found"), "{said:?}");
        assert_eq!(attempts(&world).await, 0);
        // It is tried again when the base changes.
        world.push(API, &[("requirements.txt", "httpx==1.1.0\nrich==1.0.0\nidna==3.7\n")]).await;
        a_moment_passes(&world).await;
        assert_ne!(world.pull(API).head_sha, before);
    }

    /// The command comes while the newer version is on its way to the branch.
    async fn recreate_is_done_to_what_the_pull_request_has_become(world: World) {
        api(&world).await;
        somebody_commits(&world, "src/fix.py", "fixed = True\n").await;
        let gate = Gate::default();
        world.github.fault(Fault::once("PATCH", "/repos/*/*/git/refs/**", FaultKind::Wait(gate.clone())));
        world.registry.release("httpx", "0.28.1");
        let commanded = async {
            gate.reached_by(1).await;
            says(&world, "/mass-driver recreate");
            world.github.deliver_pending().await;
            gate.open();
        };
        tokio::join!(world.bot_looks(), commanded);
        for _ in 0..6 {
            world.time_passes(SignedDuration::from_secs(31)).await;
        }
        let pull = world.pull(API);
        assert_eq!(pull.title, "Bump httpx from 0.27.0 to 0.28.1");
        let fix = world.github.file(API, &pull.head_branch, "src/fix.py").unwrap();
        assert_eq!(fix, None, "{:?}", comments(&world, pull.number));
    }

    /// The commit is on the branch; GitHub refuses the words for it, and goes on doing so.
    async fn a_commit_whose_words_are_refused_is_the_bots_own(world: World) {
        let number = api(&world).await;
        let refused = FaultKind::Status { status: 422, message: "Validation Failed".into() };
        world.github.fault(Fault::once("PATCH", "/repos/*/*/pulls/*", refused).times(50));
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        world.github.clear_faults();
        let pull = world.pull(API);
        assert_eq!(world.file(API, &pull.head_branch, "requirements.txt"), "httpx==0.28.1\n");
        let open = world.proposals(API, ProposalState::Open).await;
        assert_eq!(open[0].pull.as_ref().unwrap().head.as_str(), pull.head_sha);
        for version in ["0.28.0", "0.28.1"] {
            world.registry.yank("httpx", version);
        }
        world.bot_looks().await;
        assert_eq!(world.github.pull_request(API, number).unwrap().state, "closed", "{:?}", comments(&world, number));
    }

    async fn a_command_about_a_branch_that_leads_elsewhere_is_answered(world: World) {
        let number = api(&world).await;
        let main = world.github.head(API, "main").unwrap().unwrap();
        world.github.force_push(API, "develop", &main).unwrap();
        world.github.change_base(API, number, "develop").unwrap();
        world.settle().await;
        for _ in 0..2 {
            says(&world, "/mass-driver rebase");
            world.time_passes(MINUTE * 2).await;
        }
        let said = comments(&world, number);
        assert_eq!(said.iter().filter(|said| said.starts_with("Nothing was done")).count(), 2, "{said:?}");
    }

    /// The repository cannot be read for longer than anybody looks at it every few seconds.
    async fn a_command_waits_for_a_repository_that_is_not_read(world: World) {
        api(&world).await;
        let before = world.pull(API).head_sha;
        let mark = world.github.mark();
        world.github.fault(Fault::once("GET", "/repos/*/*/git/blobs/*", FaultKind::BadGateway).times(10_000));
        world.push(API, &[("tools/requirements.txt", "# nothing yet\n")]).await;
        says(&world, "/mass-driver rebase");
        for _ in 0..20 {
            world.time_passes(SignedDuration::from_secs(6)).await;
        }
        assert_eq!(world.pull(API).head_sha, before, "{:#?}", world.requests_since(mark));
        world.github.clear_faults();
        world.time_passes(MINUTE * 15).await;
        world.time_passes(MINUTE * 15).await;
        let base = world.github.head(API, "main").unwrap().unwrap();
        assert_eq!(parents(&world), [before, base]);
    }
}

stories! {
    /// A person pushes between our look at the branch and our commit: it is looked at anew, but not in the same instant.
    async fn who_was_overtaken_on_a_branch_pauses(world: World) {
        api(&world).await;
        let gate = Gate::default();
        world.github.fault(Fault::once("PATCH", "/repos/*/*/git/refs/**", FaultKind::Wait(gate.clone())));
        world.registry.release("httpx", "0.28.1");
        let branch = world.pull(API).head_branch;
        let pushed = async {
            gate.reached_by(1).await;
            world.github.push(API, &branch, &[("notes.txt", Some(b"mine\n"))], "a person's commit").unwrap();
            gate.open();
        };
        let mark = world.github.mark();
        tokio::join!(world.bot_looks(), pushed);
        assert_eq!(since(&world, mark, "PATCH /repos/acme/api/git/refs"), 1);
        world.time_passes(SignedDuration::from_secs(31)).await;
        assert_eq!(world.file(API, &branch, "requirements.txt"), "httpx==0.28.1\n");
        assert_eq!(world.file(API, &branch, "notes.txt"), "mine\n");
    }

    /// Whoever merges decides about the branch, also in the moment before the bot closes.
    async fn merged_while_it_is_being_closed_it_keeps_its_branch(world: World) {
        let number = api(&world).await;
        let branch = world.pull(API).head_branch;
        let gate = Gate::default();
        world.github.fault(Fault::once("POST", "/repos/*/*/issues/*/comments", FaultKind::Wait(gate.clone())));
        world.registry.yank("httpx", "0.28.0");
        let merged = async {
            gate.reached_by(1).await;
            world.github.merge(API, number).unwrap();
            gate.open();
        };
        tokio::join!(world.bot_looks(), merged);
        assert!(world.github.branches(API).unwrap().iter().any(|(name, _)| *name == branch));
        assert_eq!(world.proposals(API, ProposalState::Merged).await.len(), 1);
    }
}

paced_stories! {
    async fn what_waits_for_its_turn_is_made_on_the_base_of_that_time(world: World) {
        let number = a_commit_waits_for_its_turn(&world).await;
        let open = world.proposals(API, ProposalState::Open).await.remove(0);
        assert_eq!(open.reason, format!("pull request #{number} is open"), "that it waits is no news of the pull request");
        let before = world.pull(API).head_sha;
        let text = "httpx==1.1.0\nrich==1.0.0\n# the end\n";
        world.push(API, &[("requirements.txt", text)]).await;
        assert_eq!((world.pull(API).head_sha, attempts(&world).await), (before.clone(), 1), "it keeps its turn");
        world.time_passes(MINUTE * 26).await;
        a_moment_passes(&world).await;
        let base = world.github.head(API, "main").unwrap().unwrap();
        assert_eq!(parents(&world), [before, base]);
        let branch = world.pull(API).head_branch;
        assert_eq!(world.file(API, &branch, "requirements.txt"), "httpx==1.1.0\nrich==1.1.0\n# the end\n");
    }

    /// Another file of the base changes, and cannot be read before the turn comes.
    async fn a_conflict_is_not_forgotten_when_the_base_moves_on(world: World) {
        a_commit_waits_for_its_turn(&world).await;
        let before = world.pull(API).head_sha;
        world.github.fault(Fault::once("GET", "/repos/*/*/git/blobs/*", FaultKind::BadGateway).times(10_000));
        world.push(API, &[("tools/requirements.txt", "# nothing yet\n")]).await;
        world.time_passes(MINUTE * 26).await;
        for _ in 0..20 {
            world.time_passes(SignedDuration::from_secs(6)).await;
        }
        assert_eq!(world.pull(API).head_sha, before);
        world.github.clear_faults();
        for _ in 0..4 {
            world.time_passes(MINUTE * 15).await;
        }
        a_moment_passes(&world).await;
        let base = world.github.head(API, "main").unwrap().unwrap();
        assert_eq!((parents(&world), attempts(&world).await), (vec![before, base], 0));
    }

    /// Its release is taken back and a person pushes, while its commit waits for its turn.
    async fn what_ends_in_line_is_planned_anew(world: World) {
        let number = a_commit_waits_for_its_turn(&world).await;
        world.registry.yank("rich", "1.1.0");
        world.bot_looks().await;
        somebody_commits(&world, "src/fix.py", "fixed = True\n").await;
        world.time_passes(MINUTE * 16).await;
        a_moment_passes(&world).await;
        assert_eq!(attempts(&world).await, 0);
        let said = comments(&world, number);
        assert!(said.iter().any(|said| said.contains("taken back by its publisher")), "{said:?}");
    }

    /// Bob pushes between Ada's command and its turn.
    async fn recreate_is_about_what_was_there_when_it_was_asked_for(world: World) {
        let number = api(&world).await;
        somebody_commits(&world, "src/fix.py", "fixed = True\n").await;
        the_line_is_long(&world, MINUTE * 25).await;
        says(&world, "/mass-driver recreate");
        world.settle().await;
        assert_eq!(attempts(&world).await, 1, "it stands in line");
        world.time_passes(MINUTE * 10).await;
        somebody_commits(&world, "src/more.py", "more = True\n").await;
        world.time_passes(MINUTE * 16).await;
        a_moment_passes(&world).await;
        let branch = world.pull(API).head_branch;
        for path in ["src/fix.py", "src/more.py"] {
            assert!(world.github.file(API, &branch, path).unwrap().is_some(), "{path}");
        }
        let said = comments(&world, number);
        assert!(said.last().unwrap().starts_with("Nothing was done: somebody has pushed"), "{said:?}");
        let ledgers = world.store.ledgers(world.repo_id(API).await).await.unwrap();
        let told: Vec<&str> = ledgers.values().flatten().filter(|row| row.what == "taken back").map(|row| row.detail.as_str()).collect();
        assert_eq!(told, ["somebody pushed to its branch before it was sent"]);
        says(&world, "/mass-driver recreate");
        world.settle().await;
        world.time_passes(MINUTE).await;
        assert_eq!(world.github.file(API, &branch, "src/more.py").unwrap(), None);
    }

    /// The archive comes before the turn, and nobody tells.
    async fn a_rebase_of_peoples_commits_waits_for_the_end_of_an_archive(world: World) {
        api(&world).await;
        somebody_commits(&world, "src/fix.py", "fixed = True\n").await;
        world.push(API, &[("README.md", "hello\n")]).await;
        the_line_is_long(&world, MINUTE * 25).await;
        says(&world, "/mass-driver rebase");
        world.settle().await;
        let before = world.pull(API).head_sha;
        world.github.archive(API).unwrap();
        world.github.drop_pending();
        world.time_passes(MINUTE * 26).await;
        for _ in 0..12 {
            world.time_passes(MINUTE * 61).await;
        }
        world.github.unarchive(API).unwrap();
        world.settle().await;
        world.time_passes(MINUTE).await;
        let base = world.github.head(API, "main").unwrap().unwrap();
        assert_eq!(parents(&world), [before, base]);
    }

    /// The newer version waits for what is on its way to the branch: it asks nobody, and not every few seconds.
    async fn a_newer_version_waits_for_the_turn_of_what_is_on_its_way(world: World) {
        a_commit_waits_for_its_turn(&world).await;
        world.registry.release("rich", "1.2.0");
        world.bot_looks().await;
        assert_eq!(attempts(&world).await, 1, "its turn has not come, and nothing else moved the clock to it");
        let mark = world.github.mark();
        world.clock_moves(SignedDuration::from_secs(40));
        let process = world.another_process();
        while process.worker().run_one().await.unwrap() {
            let running = world.requests_since(mark);
            assert_eq!(running, [""; 0], "nobody is asked");
        }
        world.clock_moves(SignedDuration::from_secs(40));
        assert!(!process.worker().run_one().await.unwrap(), "nobody looks before its turn");
        for _ in 0..4 {
            world.time_passes(MINUTE * 5).await;
        }
        let pull = world.pull(API);
        assert_eq!(pull.title, "Bump rich from 1.0.0 to 1.2.0");
        assert_eq!(world.file(API, &pull.head_branch, "requirements.txt"), "httpx==1.1.0\nrich==1.2.0\n");
    }

    async fn an_archive_in_the_meantime_is_waited_for(world: World) {
        a_commit_waits_for_its_turn(&world).await;
        let before = world.pull(API).head_sha;
        world.github.archive(API).unwrap();
        world.time_passes(MINUTE * 26).await;
        assert_eq!(world.pull(API).head_sha, before);
        world.github.unarchive(API).unwrap();
        world.settle().await;
        a_moment_passes(&world).await;
        assert_eq!((parents(&world).len(), attempts(&world).await), (2, 0));
    }

    /// Its step is lost: who plans next has what was begun brought to its end.
    async fn what_was_begun_and_forgotten_is_taken_up_by_the_plan(world: World) {
        a_commit_waits_for_its_turn(&world).await;
        world.clock_moves(MINUTE * 26);
        let lost = world.claims("rework").await;
        let mut tx = world.store.begin().await.unwrap();
        tx.finish(&lost).await.unwrap();
        tx.commit().await.unwrap();
        world.push(API, &[("tools/requirements.txt", "# nothing yet\n")]).await;
        a_moment_passes(&world).await;
        assert_eq!((parents(&world).len(), attempts(&world).await), (2, 0));
    }

    async fn news_waits_for_the_end_of_an_archive(world: World) {
        let number = api(&world).await;
        somebody_commits(&world, "requirements.txt", "httpx>=0.20\n").await;
        world.registry.release("httpx", "0.28.1");
        let refused = FaultKind::Status { status: 502, message: "Bad gateway".into() };
        world.github.fault(Fault::once("POST", "/repos/*/*/issues/*/comments", refused));
        world.bot_looks().await;
        assert_eq!(comments(&world, number), [""; 0]);
        world.github.archive(API).unwrap();
        world.time_passes(MINUTE).await;
        world.github.unarchive(API).unwrap();
        world.settle().await;
        assert_eq!(comments(&world, number).len(), 1);
    }
}
