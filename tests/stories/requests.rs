//! How many requests things cost. Numbers, not times.

use crate::{World, stories};
use jiff::SignedDuration;
use mass_driver::domain::{Ecosystem, PackageId};

const TOKEN: &str = "POST /app/installations/";

fn without_tokens(requests: Vec<String>) -> Vec<String> {
    requests.into_iter().filter(|r| !r.starts_with(TOKEN)).collect()
}

stories! {
    async fn a_push_that_touches_nothing_tracked_costs_no_request(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), (".mass-driver.yaml", "subscriptions: [pypi]\n")]).await;
        world.repository("acme/docs", &[("README.md", "no file here\n")]).await;
        let mark = world.github.mark();
        for n in 0..3 {
            world.push("acme/api", &[("src/main.py", &format!("print({n})\n"))]).await;
            world.push("acme/docs", &[("README.md", &format!("{n}\n"))]).await;
        }
        assert_eq!(world.requests_since(mark), Vec::<String>::new());
        let head = world.github.head("acme/api", "main").unwrap().unwrap();
        assert_eq!(world.row("acme/api").await.head.unwrap().commit.as_str(), head, "and yet the head is known");
    }

    async fn a_pull_request_costs_four_requests(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), (".mass-driver.yaml", "labels: [deps]\nsubscriptions: [pypi]\n")]).await;
        // The head moved since the manifest was read, without a request.
        world.push("acme/api", &[("README.md", "hello\n")]).await;
        world.registry.release("httpx", "0.28.0");
        let mark = world.github.mark();
        world.bot_looks().await;
        let base = "/repos/acme/api";
        assert_eq!(without_tokens(world.requests_since(mark)), [
            format!("POST {base}/git/trees"),
            format!("POST {base}/git/commits"),
            format!("POST {base}/git/refs"),
            format!("POST {base}/pulls"),
            format!("POST {base}/issues/1/labels"),
        ]);
        let tokens = world.requests_since(mark).iter().filter(|r| r.starts_with(TOKEN)).count();
        assert_eq!(tokens, 2, "one that may write files for the four, and one that may not for the label");
        let head = world.github.commits("acme/api", &world.pull("acme/api").head_branch).unwrap();
        assert_eq!(head[0].parents, [world.github.head("acme/api", "main").unwrap().unwrap()]);
    }

    /// Once for each release, and for one whose repository is at GitHub.
    async fn notes_cost_a_look_at_the_repository_and_one_for_each_tag_that_is_tried(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.publishes("encode/httpx", "0.28.0");
        world.registry.pypi().source("httpx", &format!("https://{}/encode/httpx", world.host()));
        for repo in ["acme/api", "acme/web"] {
            world.repository(repo, &[("requirements.txt", "httpx==0.27.0\n"), (".mass-driver.yaml", "subscriptions: [pypi]\n")]).await;
        }
        world.registry.release("httpx", "0.28.0");
        let mark = world.github.mark();
        world.bot_looks().await;
        let requests = without_tokens(world.requests_since(mark));
        let (writes, reads): (Vec<String>, Vec<String>) = requests.into_iter().partition(|request| request.starts_with("POST"));
        assert_eq!(writes.len(), 8, "two pull requests: {writes:?}");
        let base = "GET /repos/encode/httpx";
        assert_eq!(reads, [base.to_string(), format!("{base}/releases/tags/v0.28.0"), format!("{base}/releases/tags/0.28.0")]);
    }

    async fn only_what_changed_is_read(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.repository("acme/api", &[
            ("requirements.txt", "httpx==0.27.0\n"),
            ("other/requirements.txt", "httpx==0.27.0\n"),
            (".mass-driver.yaml", "subscriptions: [pypi]\n"),
        ]).await;
        let mark = world.github.mark();
        world.push("acme/api", &[("requirements.txt", "httpx==0.27.0\n# a comment\n")]).await;
        let requests = without_tokens(world.requests_since(mark));
        assert_eq!(requests.len(), 2, "the tree and one blob: {requests:?}");
    }

    async fn a_package_is_asked_about_once_however_many_repositories_use_it(world: World) {
        world.registry.release("httpx", "0.27.0");
        for n in 0..5 {
            world.repository(&format!("acme/r{n}"), &[("requirements.txt", "httpx==0.27.0\n"), (".mass-driver.yaml", "subscriptions: [pypi]\n")]).await;
        }
        world.registry.clear_requests();
        let mark = world.github.mark();
        world.registry.release("httpx", "0.28.0");
        world.bot_looks().await;
        let asked: Vec<String> = world.registry.requests().into_iter().map(|seen| seen.path).collect();
        let package = "/v3/systems/pypi/packages/httpx";
        assert_eq!(asked, [package.to_string(), format!("{package}/versions/0.28.0")], "its releases, and what is said of the new one");
        assert_eq!(world.github.requests_since(mark).iter().filter(|e| e.path.ends_with("/pulls")).count(), 5);
    }

    /// Used by all, subscribed to by nobody any more: it is not asked about, and does not stay at the front of the list.
    async fn a_package_nobody_subscribes_to_rests_until_somebody_does(world: World) {
        world.registry.release("httpx", "0.27.0");
        let files = |subscription| [("requirements.txt", "httpx==0.27.0\n"), (".mass-driver.yaml", subscription)];
        for n in 0..3 {
            world.repository(&format!("acme/r{n}"), &files("subscriptions: [pypi]\n")).await;
        }
        for n in 0..3 {
            world.push(&format!("acme/r{n}"), &files("subscriptions: [docker]\n")).await;
        }
        world.registry.release("httpx", "0.28.0");
        world.bot_looks().await;
        world.registry.clear_requests();
        world.time_passes(SignedDuration::from_hours(5)).await;
        let name = PackageId { ecosystem: Ecosystem::Pypi, name: "httpx".into() };
        let row = world.store.package(&name).await.unwrap().unwrap();
        assert!(row.next_check_at > world.clock_now(), "it is due since {}", row.next_check_at);
        assert!(world.registry.requests().is_empty(), "nobody wants to know");
        world.push("acme/r1", &files("subscriptions: [pypi]\n")).await;
        assert_eq!(world.open("acme/r1"), ["Bump httpx from 0.27.0 to 0.28.0"], "at once");
    }
}
