//! Whose token reads the tags of a repository, and who gets to know of them.

use crate::{World, stories};
use github_sim::{Fault, FaultKind, RepoOptions};
use jiff::SignedDuration;
use mass_driver::domain::{Ecosystem, InstallationId, PackageId, Standing};
use std::time::Duration;

const FILE: (&str, &str) = (".mass-driver.yaml", "subscriptions: [github-actions, pre-commit]\n");

fn action(uses: &str) -> String {
    format!("runs:\n  using: composite\n  steps:\n    - uses: {uses}\n")
}

/// A repository with an action of its own that uses another one.
async fn using(world: &World, repo: &str, uses: &str) {
    world.repository(repo, &[("action.yml", &action(uses)), FILE]).await;
}

/// Another organisation that has the App. Returns its installation.
fn globex(world: &World) -> i64 {
    world.github.organization("globex");
    world.github.install("globex").unwrap()
}

/// A private repository of acme with two versions.
fn private_action(world: &World) {
    let options = RepoOptions::default().file("README.md", "secret");
    world.github.create_repo("acme/build", options).unwrap();
    for tag in ["v1.0.0", "v1.1.0"] {
        world.github.tag("acme/build", tag, "main").unwrap();
    }
}

async fn stored(world: &World, ecosystem: Ecosystem, name: &str) -> mass_driver::store::PackageRow {
    world.store.package(&PackageId { ecosystem, name: name.into() }).await.unwrap().unwrap()
}

stories! {
    async fn security_03_a_private_repository_is_for_those_of_its_installation(world: World) {
        private_action(&world);
        globex(&world);
        using(&world, "acme/api", "acme/build@v1.0.0").await;
        using(&world, "globex/shop", "acme/build@v1.0.0").await;
        world.bot_looks().await;
        assert_eq!(world.open("acme/api"), ["Bump acme/build from v1.0.0 to v1.1.0"]);
        let outlook = world.outlook("globex/shop").await;
        assert_eq!(outlook[0].standing, Standing::Failed);
        assert_eq!(outlook[0].reason, "GitHub does not show the repository acme/build: it is not there, or it is private");
        assert_eq!(outlook[0].target, None);
        // The very words for what is not there at all.
        using(&world, "globex/site", "acme/nothing@v1.0.0").await;
        let nothing = world.outlook("globex/site").await.remove(0);
        assert_eq!((nothing.standing, nothing.reason.replace("nothing", "build")), (outlook[0].standing, outlook[0].reason.clone()));
        assert!(!world.page("/repositories/globex/shop").await.contains("1.1.0"));
    }

    /// Whoever came first, and whatever is stored already.
    async fn security_03_who_asks_first_makes_no_difference(world: World) {
        private_action(&world);
        globex(&world);
        using(&world, "globex/shop", "acme/build@v1.0.0").await;
        assert!(world.outlook("globex/shop").await[0].reason.starts_with("GitHub does not show"));
        let mark = world.github.mark();
        assert!(!world.requests_since(mark).iter().any(|r| r.contains("acme/build")), "nobody of acme uses it");
        using(&world, "acme/api", "acme/build@v1.0.0").await;
        world.time_passes(SignedDuration::from_hours(7)).await;
        assert_eq!(world.open("acme/api").len(), 1);
        assert!(world.open("globex/shop").is_empty());
        assert!(world.outlook("globex/shop").await[0].reason.starts_with("GitHub does not show"));
    }

    /// From then on it is what its owner's repositories know, and nobody else's.
    async fn security_03_what_becomes_private_is_hidden(world: World) {
        world.github.create_repo("acme/build", RepoOptions::default().public().file("README.md", "x")).unwrap();
        for tag in ["v1.0.0", "v1.1.0"] {
            world.github.tag("acme/build", tag, "main").unwrap();
        }
        globex(&world);
        using(&world, "acme/api", "acme/build@v1.0.0").await;
        using(&world, "globex/shop", "acme/build@v1.0.0").await;
        assert_eq!(world.open("globex/shop"), ["Bump acme/build from v1.0.0 to v1.1.0"]);
        assert_eq!(stored(&world, Ecosystem::GithubActions, "acme/build").await.private_to, None);
        world.github.set_private("acme/build", true).unwrap();
        world.github.tag("acme/build", "v1.2.0", "main").unwrap();
        world.bot_looks().await;
        let row = stored(&world, Ecosystem::GithubActions, "acme/build").await;
        assert_eq!(row.private_to, Some(InstallationId(world.installation)));
        assert_eq!(world.open("acme/api"), ["Bump acme/build from v1.0.0 to v1.2.0"]);
        assert!(world.outlook("globex/shop").await.iter().all(|row| row.target.as_deref() != Some("v1.2.0")));
    }

    /// Private repositories of the installation that happens to ask are no more to be seen than anybody's.
    async fn the_token_opens_nothing_but_what_everybody_may_see(world: World) {
        world.publishes("actions/cache", "v1");
        world.publishes("actions/cache", "v2");
        using(&world, "acme/api", "actions/cache@v1").await;
        let exchanges = world.github.exchanges();
        let minted = exchanges.iter().filter(|e| e.path.ends_with("/access_tokens")).filter_map(|e| e.request_body.clone());
        let bodies: Vec<String> = minted.map(|body| body.to_string()).collect();
        let repo = world.repo_id("acme/api").await;
        assert!(bodies.iter().any(|body| body.contains("{\"metadata\":\"read\"}") && body.contains(&format!("[{repo}]"))), "{bodies:?}");
    }

    async fn a_renamed_repository_is_followed(world: World) {
        world.publishes("octo/build", "v1");
        world.publishes("octo/build", "v2");
        world.github.rename("octo/build", "make").unwrap();
        using(&world, "acme/api", "octo/build@v1").await;
        assert_eq!(world.open("acme/api"), ["Bump octo/build from v1 to v2"]);
    }

    async fn a_look_at_which_nothing_changed_costs_nothing(world: World) {
        for minor in 0..130 {
            world.commits("actions/cache", "x");
            world.github.tag("actions/cache", &format!("v1.{minor}.0"), "main").unwrap();
        }
        using(&world, "acme/api", "actions/cache@v1.129.0").await;
        assert_eq!(world.outlook("acme/api").await[0].reason, "there is nothing newer");
        let mark = world.github.mark();
        world.bot_looks().await;
        let looks: Vec<u16> = world.github.requests_since(mark).iter().filter(|e| e.path.contains("actions/cache") || e.path.contains("/repositories/")).map(|e| e.status).collect();
        assert_eq!(looks, [304, 304, 304], "two pages of tags and one of releases");
        world.publishes("actions/cache", "v1.130.0");
        world.bot_looks().await;
        assert_eq!(world.open("acme/api"), ["Bump actions/cache from v1.129.0 to v1.130.0"]);
    }

    /// A pause of one installation is none of another, and no failure of a package.
    async fn who_is_paused_lets_another_ask(world: World) {
        let globex = globex(&world);
        world.publishes("actions/cache", "v1");
        using(&world, "acme/api", "actions/cache@v1").await;
        using(&world, "globex/shop", "actions/cache@v1").await;
        world.publishes("actions/cache", "v2");
        let limit = FaultKind::PrimaryRateLimit { status: 403, reset_in: Duration::from_secs(1_800) };
        world.github.fault(Fault::once("GET", "/repos/actions/cache/tags", limit.clone()));
        world.bot_looks().await;
        assert_eq!(world.open("acme/api").len() + world.open("globex/shop").len(), 1, "the one that is not paused");
        assert_eq!(stored(&world, Ecosystem::GithubActions, "actions/cache").await.last_error, None);
        world.time_passes(SignedDuration::from_mins(31)).await;
        assert_eq!(world.open("acme/api").len() + world.open("globex/shop").len(), 2);
        assert!(globex > 0);
    }

    async fn a_look_is_put_off_when_nobody_may_ask(world: World) {
        world.publishes("actions/cache", "v1");
        using(&world, "acme/api", "actions/cache@v1").await;
        world.publishes("actions/cache", "v2");
        let limit = FaultKind::PrimaryRateLimit { status: 403, reset_in: Duration::from_secs(1_800) };
        world.github.fault(Fault::once("GET", "/repos/actions/cache/tags", limit));
        world.bot_looks().await;
        assert!(world.open("acme/api").is_empty());
        let row = stored(&world, Ecosystem::GithubActions, "actions/cache").await;
        assert_eq!((row.last_error, row.failures), (None, 0));
        let mark = world.github.mark();
        world.bot_looks().await;
        assert!(world.requests_since(mark).is_empty(), "{:?}", world.requests_since(mark));
        world.time_passes(SignedDuration::from_mins(31)).await;
        assert_eq!(world.open("acme/api"), ["Bump actions/cache from v1 to v2"]);
    }

    async fn hooks_of_other_hosts_are_listed_with_the_reason(world: World) {
        let file = "repos:\n  - repo: https://gitlab.example.com/acme/hooks\n    rev: v1.0.0\n    hooks: [{ id: x }]\n";
        world.repository("acme/api", &[(".pre-commit-config.yaml", file), FILE]).await;
        let outlook = world.outlook("acme/api").await.remove(0);
        let why = format!("gitlab.example.com/acme/hooks is not looked up: only repositories of {} are", world.host());
        assert_eq!((outlook.standing, outlook.reason), (Standing::Failed, why));
    }

    /// Drafts are nobody's business, and what its author calls not ready is not proposed.
    async fn what_is_not_ready_is_not_proposed(world: World) {
        for tag in ["v1.0.0", "v1.1.0"] {
            world.publishes("actions/cache", tag);
        }
        world.github.tag("actions/cache", "v2.0.0", "main").unwrap();
        world.github.prerelease("actions/cache", "v2.0.0").unwrap();
        world.github.draft_release("actions/cache", "v1.2.0").unwrap();
        using(&world, "acme/api", "actions/cache@v1.0.0").await;
        assert_eq!(world.open("acme/api"), ["Bump actions/cache from v1.0.0 to v1.1.0"]);
    }

    /// The first eight would be all that are ever asked, were it not another installation's turn each time.
    async fn installations_that_cannot_ask_do_not_keep_the_others_from_it(world: World) {
        world.publishes("actions/cache", "v1");
        let mut last = 0;
        for n in 0..12 {
            world.github.organization(&format!("org{n}"));
            last = world.github.install(&format!("org{n}")).unwrap();
            using(&world, &format!("org{n}/api"), "actions/cache@v1").await;
        }
        world.time_passes(SignedDuration::from_hours(2)).await;
        for installation in 1..last {
            let no = FaultKind::Status { status: 403, message: "not now".into() };
            let path = format!("/app/installations/{installation}/access_tokens");
            world.github.fault(Fault::once("POST", &path, no).times(usize::MAX));
        }
        world.publishes("actions/cache", "v2");
        for _ in 0..24 {
            world.time_passes(SignedDuration::from_hours(1)).await;
        }
        assert_eq!(world.open("org11/api"), ["Bump actions/cache from v1 to v2"]);
    }
}
