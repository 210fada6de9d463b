//! The figures that operators are shown are what happened.

use crate::openmetrics::{parse, sum};
use crate::{World, stories};
use github_sim::{Fault, FaultKind, RetryAfter};
use jiff::SignedDuration;

const FILE: (&str, &str) = (".mass-driver.yaml", "subscriptions: [pypi]\n");

stories! {
    async fn figures_are_what_happened(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        world.github.fault(Fault::once("POST", "/repos/*/*/git/commits", FaultKind::BadGateway));
        let limit = FaultKind::SecondaryRateLimit { status: 403, retry_after: RetryAfter::Seconds(20) };
        world.github.fault(Fault::once("POST", "/repos/*/*/git/refs", limit));
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), FILE]).await;
        for _ in 0..3 {
            world.time_passes(SignedDuration::from_mins(1)).await;
        }
        assert_eq!(world.open("acme/api").len(), 1);

        let figures = parse(&world.page("/metrics").await);
        let count = |name: &str, labels: &[(&str, &str)]| sum(&figures, &format!("mass_driver_{name}"), labels);
        let asked = world.github.exchanges();
        let happened = |which: &dyn Fn(&github_sim::Exchange) -> bool| asked.iter().filter(|e| which(e)).count() as f64;
        let installation = world.installation.to_string();

        assert_eq!(count("github_requests_total", &[]), asked.len() as f64);
        assert_eq!(count("github_requests_total", &[("kind", "write")]), happened(&|e| e.method != "GET"));
        assert_eq!(count("github_requests_total", &[("answer", "2xx")]), happened(&|e| (200..300).contains(&e.status)));
        assert_eq!(count("github_requests_total", &[("answer", "5xx")]), 1.0);
        assert_eq!(count("github_requests_total", &[("answer", "limited"), ("installation", &installation)]), 1.0);
        let tokens = happened(&|e| e.path.ends_with("/access_tokens"));
        assert!(tokens > 0.0);
        assert_eq!(count("github_token_requests_total", &[("installation", &installation), ("outcome", "granted")]), tokens);
        assert_eq!(count("pull_requests_opened_total", &[("installation", &installation)]), 1.0);
        assert_eq!(count("webhook_deliveries_total", &[("status", "202")]), world.github.webhook_posts().len() as f64);
        assert!(count("registry_lookups_total", &[("ecosystem", "pypi"), ("outcome", "found")]) >= 1.0);
        assert_eq!(count("steps_total", &[("step", "execute"), ("outcome", "retried")]), 1.0, "the 502");
        assert_eq!(count("steps_total", &[("step", "execute"), ("outcome", "put_off")]), 1.0, "the limit");
        assert_eq!(count("steps_total", &[("step", "execute"), ("outcome", "finished")]), 1.0);
        assert_eq!(count("step_duration_seconds_count", &[]), count("steps_total", &[]));
        assert_eq!(count("steps_total", &[("outcome", "lease_lost")]), 0.0);
        assert_eq!(count("queue_depth", &[("state", "ready")]) + count("queue_depth", &[("state", "running")]), 0.0);
    }
}
