//! Webhooks that come twice, late, in the wrong order, or not at all.

use crate::{World, stories};
use jiff::SignedDuration;

const FILE: (&str, &str) = (".mass-driver.yaml", "subscriptions: [pypi]\n");

stories! {
    async fn fault_09_a_delivery_that_comes_twice_counts_once(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        world.push_quietly("acme/api", &[FILE]);
        let delivered = world.github.deliver_pending().await;
        for _ in 0..3 {
            world.github.repeat(&delivered[0].guid);
            let again = world.github.deliver_pending().await;
            assert!(again.iter().all(|d| d.status == 202), "{again:?}");
        }
        world.settle().await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
        let deliveries = world.store.recent_deliveries(100).await.unwrap();
        assert_eq!(deliveries.iter().filter(|d| d.guid.as_str() == delivered[0].guid).count(), 1);
    }

    async fn deliveries_in_the_wrong_order_lead_to_the_same_end(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        world.registry.release("idna", "3.6");
        world.registry.release("idna", "3.7");
        world.repository("acme/api", &[("requirements.txt", "httpx==0.26.0\n")]).await;
        world.push_quietly("acme/api", &[FILE]);
        world.push_quietly("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]);
        world.push_quietly("acme/api", &[("requirements.txt", "httpx==0.28.0\nidna==3.6\n")]);
        world.github.deliver_reversed().await;
        world.settle().await;
        assert_eq!(world.open("acme/api"), ["Bump idna from 3.6 to 3.7"], "as at the last push, whatever came last");
    }

    async fn a_push_that_was_never_delivered_is_noticed_by_the_next(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        world.repository("acme/api", &[FILE]).await;
        world.push_quietly("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]);
        world.github.drop_pending();
        world.push("acme/api", &[("README.md", "hello\n")]).await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    async fn a_late_push_changes_nothing(world: World) {
        world.registry.release("httpx", "0.28.0");
        world.repository("acme/api", &[("requirements.txt", "httpx==0.28.0\n"), FILE]).await;
        world.push_quietly("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]);
        world.github.hold("push").unwrap();
        world.push("acme/api", &[("requirements.txt", "httpx==0.28.0\n")]).await;
        assert!(world.open("acme/api").is_empty());
        world.github.release_held();
        world.settle().await;
        assert!(world.open("acme/api").is_empty(), "the file is as it is now, not as the late event tells");
    }

    /// The default branch went from A to B and was forced back to A; the first of the two events is late, and fits A.
    async fn a_late_push_that_was_taken_back_does_not_move_the_head(world: World) {
        world.repository("acme/api", &[("requirements.txt", "httpx==0.28.0\n"), FILE]).await;
        let before = world.github.head("acme/api", "main").unwrap().unwrap();
        world.clock_moves(SignedDuration::from_secs(60));
        world.push_quietly("acme/api", &[("README.md", "a mistake\n")]);
        world.github.hold("push").unwrap();
        world.clock_moves(SignedDuration::from_secs(60));
        world.github.force_push("acme/api", "main", &before).unwrap();
        world.settle().await;
        world.github.release_held();
        world.settle().await;
        assert_eq!(world.row("acme/api").await.head.unwrap().commit.as_str(), before);
    }

    async fn fault_08_a_start_finds_what_happened_while_nobody_listened(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        world.github.create_repo("acme/api", github_sim::RepoOptions::default().file("requirements.txt", "httpx==0.27.0\n").file(FILE.0, FILE.1)).unwrap();
        world.github.drop_pending();
        world.restart().await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    /// Its step was given up; delivering it again is asking for another look.
    async fn a_delivery_that_was_given_up_is_looked_at_when_it_comes_again(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        world.push_quietly("acme/api", &[FILE]);
        let delivered = world.github.deliver_pending().await;
        let claimed = world.store.claim(world.clock_now(), std::time::Duration::from_secs(60), 1).await.unwrap().remove(0);
        assert_eq!(claimed.work.step, "inbox");
        let mut tx = world.store.begin().await.unwrap();
        tx.park(&claimed, "nobody knows why", world.clock_now()).await.unwrap();
        tx.commit().await.unwrap();
        world.settle().await;
        assert!(world.open("acme/api").is_empty());
        world.github.repeat(&delivered[0].guid);
        world.settle().await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }
}
