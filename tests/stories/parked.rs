//! A step that GitHub refuses for good: everybody can see it, nobody else has to wait for it, and a person can have it
//! tried again.

use crate::openmetrics::{parse, sum};
use crate::revisions::{api, parents};
use crate::reworks::says;
use crate::{World, stories};
use github_sim::{Fault, FaultKind};
use jiff::SignedDuration;
use mass_driver::cli::{Exit, why};
use mass_driver::settings::StoreSettings;

const FILE: (&str, &str) = (".mass-driver.yaml", "subscriptions: [pypi]\n");

/// What `mass-driver why` prints of a repository.
async fn why(world: &World, repo: &str, format: why::WhyFormat) -> String {
    let store = StoreSettings { database_url: world.database_url.clone() };
    let args = why::WhyArgs { repository: repo.into(), package: None, format, store };
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let exit = why::run(&args, &world.clock, &mut out, &mut notes).await.unwrap();
    assert_eq!((exit, notes), (Exit::Done, Vec::new()));
    String::from_utf8(out).unwrap()
}

async fn steps_ended(world: &World, labels: &[(&str, &str)]) -> f64 {
    sum(&parse(&world.page("/metrics").await), "mass_driver_steps_total", labels)
}

stories! {
    async fn what_github_refuses_is_parked_until_a_person_retries_it(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        for repo in ["acme/api", "acme/web"] {
            world.repository(repo, &[("requirements.txt", "httpx==0.27.0\n")]).await;
        }
        let refusal = FaultKind::Status { status: 403, message: "Resource not accessible by integration".into() };
        world.github.fault(Fault::once("GET", "/repos/acme/api/git/trees/**", refusal).times(1_000));
        world.push("acme/api", &[FILE]).await;

        // It failed once, and says when it goes on.
        let told = why(&world, "acme/api", why::WhyFormat::Table).await;
        assert!(told.contains("The step `sync_repository` was put back after 1 attempt and goes on at 2026-03-04 09:00 UTC: GitHub refused GET"), "{told}");
        assert!(!told.contains("mass-driver retry"), "{told}");

        // Meanwhile others go on.
        world.push("acme/web", &[FILE]).await;
        assert_eq!(world.open("acme/web"), ["Bump httpx from 0.27.0 to 0.28.0"]);

        for _ in 0..5 {
            world.time_passes(SignedDuration::from_mins(2)).await;
        }
        assert_eq!(world.store.parked(10).await.unwrap().len(), 1);
        let words = "The step `sync_repository` is parked since 2026-03-04 09:";
        let told = why(&world, "acme/api", why::WhyFormat::Table).await;
        assert!(told.contains(words) && told.contains("after 5 attempts: GitHub refused GET"), "{told}");
        assert!(told.contains("`mass-driver retry acme/api`"), "{told}");
        let json: serde_json::Value = serde_json::from_str(&why(&world, "acme/api", why::WhyFormat::Json).await).unwrap();
        assert_eq!((&json["parked"][0]["step"], &json["parked"][0]["attempts"]), (&"sync_repository".into(), &5.into()), "{json}");
        assert_eq!(json["parked"][0]["repository"], "acme/api");
        let page = world.page("/repositories/acme/api").await;
        assert!(page.contains(words) && page.contains("<button>Retry</button>"), "{page}");
        assert!(!world.page("/repositories/acme/web").await.contains("Retry"));

        let figures = parse(&world.page("/metrics").await);
        let depth = [("step", "sync_repository"), ("state", "parked")];
        assert_eq!(sum(&figures, "mass_driver_queue_depth", &depth), 1.0);
        assert_eq!(steps_ended(&world, &[("outcome", "retried")]).await, 4.0);
        assert_eq!(steps_ended(&world, &[("step", "sync_repository"), ("outcome", "parked")]).await, 1.0);

        // Nothing is mended yet: it is tried as often as the first time, and parked again.
        let mark = world.github.mark();
        let id = world.store.parked(10).await.unwrap().remove(0).id;
        world.press(&format!("/work/{id}/retry?from=repository")).await;
        assert_eq!(world.requests_since(mark).iter().filter(|request| request.contains("/git/trees/")).count(), 1);
        for _ in 0..5 {
            world.time_passes(SignedDuration::from_mins(2)).await;
        }
        assert_eq!(steps_ended(&world, &[("outcome", "parked")]).await, 2.0);

        world.github.clear_faults();
        let id = world.store.parked(10).await.unwrap().remove(0).id;
        world.press(&format!("/work/{id}/retry?from=repository")).await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
        assert!(!world.page("/").await.contains("parked"));
    }

    /// An outage of a day is no reason to hear less often what GitHub says when it is back.
    async fn refusals_are_counted_apart_from_outages(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        let trees = |kind| Fault::once("GET", "/repos/acme/api/git/trees/**", kind).times(1_000);
        world.github.fault(trees(FaultKind::BadGateway));
        world.push("acme/api", &[FILE]).await;
        // The longest pause is an hour, and as much again by chance.
        let pause = SignedDuration::from_hours(2);
        for _ in 0..12 {
            world.time_passes(pause).await;
        }
        assert!(world.store.parked(10).await.unwrap().is_empty(), "an outage gives nothing up");

        world.github.clear_faults();
        world.github.fault(trees(FaultKind::Status { status: 403, message: "Resource not accessible by integration".into() }));
        let mark = world.github.mark();
        let refused = || world.github.requests_since(mark).iter().filter(|e| e.status == 403).count();
        for times in 1..=5 {
            assert!(world.store.parked(10).await.unwrap().is_empty(), "given up after {} refusals", refused());
            world.time_passes(pause).await;
            assert_eq!(refused(), times);
        }
        let parked = world.store.parked(10).await.unwrap().remove(0);
        assert_eq!((parked.step.as_str(), parked.attempts), ("sync_repository", 13 + 5), "{parked:?}");
        world.time_passes(pause).await;
        assert_eq!(refused(), 5, "nobody asks any more");

        world.github.clear_faults();
        world.press(&format!("/work/{}/retry?from=repository", parked.id)).await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    /// What was given up is not taken up again by who waits for it, but goes on when a person says so.
    async fn a_reading_that_was_given_up_stays_so_where_a_command_waits_for_it(world: World) {
        let number = api(&world).await;
        let refusal = FaultKind::Status { status: 403, message: "Resource not accessible by integration".into() };
        world.github.fault(Fault::once("GET", "/repos/*/*/git/blobs/*", refusal).times(1_000));
        world.push("acme/api", &[("tools/requirements.txt", "# nothing yet\n")]).await;
        for _ in 0..10 {
            world.time_passes(SignedDuration::from_mins(10)).await;
        }
        let parked = world.store.parked(10).await.unwrap().remove(0);
        assert_eq!(parked.step, "index");
        says(&world, "/mass-driver rebase").await;
        let mark = world.github.mark();
        for _ in 0..20 {
            world.time_passes(SignedDuration::from_mins(10)).await;
        }
        let asked = world.requests_since(mark);
        assert!(!asked.iter().any(|request| request.contains("/git/blobs/")), "{asked:?}");
        world.github.clear_faults();
        world.press(&format!("/work/{}/retry?from=repository", parked.id)).await;
        world.time_passes(SignedDuration::from_mins(11)).await;
        assert_eq!((world.pull("acme/api").number, parents(&world).len()), (number, 2));
    }
}
