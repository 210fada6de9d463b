//! Pull requests by the name of a repository: as a person and as an App, held against GitHub's own description.

use crate::world::World;
use github_sim::Protection;
use mass_driver::domain::RepoName;
use mass_driver::forge::session::{ChecksState, GitHubCaller, GitHubSession, NewPull, PullAddress};
use mass_driver::forge::{ForgeError, PullStatus};
use rstest::rstest;
use secrecy::ExposeSecret;

const NEW: NewPull<'_> = NewPull { head: "x/y", base: "main", title: "Count", body: "To two.", draft: true };

async fn opens_adopts_and_updates(world: &World, session: &GitHubSession) {
    let target = world.repository(session).await.target;
    assert_eq!(session.ref_of(&target, "x/y").await.unwrap(), None);
    assert_eq!(session.find_pull(&target, "x/y", "main").await.unwrap(), None);
    let commit = world.sim.push("acme/api", "x/y", &[("a", Some(b"1"))], "Count").unwrap();
    assert_eq!(session.ref_of(&target, "x/y").await.unwrap().unwrap().as_str(), commit);
    let opened = session.open_pull(&target, &NEW).await.unwrap();
    assert!(!opened.adopted && !opened.no_draft && opened.pull.draft);
    let again = session.open_pull(&target, &NEW).await.unwrap();
    assert!(again.adopted && again.pull.number == opened.pull.number);
    let number = opened.pull.number;
    session.update_pull(&target, number, ("Count on", "To three.")).await.unwrap();
    session.github().add_labels(&target, number, &["counted".into()]).await.unwrap();
    assert_eq!(session.github().assign(&target, number, &["jo"]).await.unwrap(), ["jo"]);
    let pull = session.github().pull(&target, number).await.unwrap();
    assert_eq!(pull.status, PullStatus::Open);
    assert_eq!(session.reviews(&target, number).await.unwrap(), (0, 0));
    assert_eq!(session.checks_of(&target, &pull.head).await.unwrap(), ChecksState::None);
    let address = PullAddress::parse(&pull.url).unwrap();
    assert_eq!((address.repository, address.number), (target.name.clone(), number));
    assert_eq!(address.host.as_deref(), Some(session.web_host().as_str()));
}

#[tokio::test]
async fn a_person_opens_finds_and_updates_a_pull_request() {
    let world = World::new();
    let jo = world.person("jo");
    opens_adopts_and_updates(&world, &jo).await;
    let target = world.repository(&jo).await.target;
    let token = jo.git_token(&target, true).await.unwrap();
    assert!(token.expose_secret().starts_with("ghp_"));
    world.the_end();
}

#[tokio::test]
async fn an_installation_opens_finds_and_updates_a_pull_request() {
    let world = World::new();
    let app = world.app();
    opens_adopts_and_updates(&world, &app).await;
    let target = world.repository(&app).await.target;
    let token = app.git_token(&target, false).await.unwrap();
    assert!(token.expose_secret().starts_with("ghs_"));
    world.the_end();
}

#[tokio::test]
async fn what_cannot_be_opened_is_sorted_by_why() {
    let world = World::new();
    let jo = world.person("jo");
    let target = world.repository(&jo).await.target;
    assert!(matches!(jo.open_pull(&target, &NEW).await, Err(ForgeError::Invalid { .. })), "no such branch");
    let nowhere = RepoName::parse("acme/nowhere").unwrap();
    assert!(matches!(jo.repository(&nowhere).await, Err(ForgeError::Gone { .. })));
    world.sim.archive("acme/api").unwrap();
    assert!(world.repository(&jo).await.archived);
    world.the_end();
}

#[tokio::test]
async fn a_renamed_repository_is_found_under_its_old_name_and_tells_the_new_one() {
    let world = World::new();
    world.sim.rename("acme/api", "service").unwrap();
    let found = world.repository(&world.person("jo")).await;
    assert_eq!(found.target.name.to_string(), "acme/service");
    world.the_end();
}

#[tokio::test]
async fn a_bad_token_is_said_and_never_shown() {
    let world = World::new();
    world.sim.protect("acme/api", "main", Protection::default()).unwrap();
    let settings = mass_driver::forge::PersonSettings::new(world.sim.url(), " ghp_wrong\n".to_owned().into());
    let nobody = GitHubSession::of_person(settings, std::sync::Arc::new(crate::world::StillClock)).unwrap();
    let error = nobody.repository(&RepoName::parse("acme/api").unwrap()).await.unwrap_err();
    assert!(matches!(error, ForgeError::Unauthorized { .. }) && !error.to_string().contains("ghp_wrong"), "{error}");
    for bad in ["", "a b"] {
        let settings = mass_driver::forge::PersonSettings::new(world.sim.url(), bad.to_owned().into());
        let built = GitHubSession::of_person(settings, std::sync::Arc::new(crate::world::StillClock));
        assert!(matches!(built, Err(ForgeError::Settings { .. })));
    }
}

#[rstest]
#[case("https://github.com/acme/api/pull/12", Some((Some("github.com"), 12)))]
#[case(" https://GHE.example.com:8443/acme/api/pull/12/files?w=1#r3 ", Some((Some("ghe.example.com:8443"), 12)))]
#[case("acme/api#12", Some((None, 12)))]
#[case("https://github.com/acme/api/issues/12", None)]
#[case("https://github.com/acme/api/pull/0", None)]
#[case("https://github.com/acme/api/pull/-1", None)]
#[case("https://me@github.com/acme/api/pull/1", None)]
#[case("ftp://github.com/acme/api/pull/1", None)]
#[case("acme/api", None)]
#[case("", None)]
fn addresses_of_pull_requests(#[case] text: &str, #[case] expected: Option<(Option<&str>, i64)>) {
    let found = PullAddress::parse(text).ok();
    let found = found.as_ref().map(|address| (address.host.as_deref(), address.number.0));
    assert_eq!(found, expected);
}

#[tokio::test]
async fn an_app_finds_the_installation_of_a_repository() {
    let world = World::new();
    let app = world.app();
    let found = app.github().installation_on(&RepoName::parse("acme/api").unwrap()).await.unwrap();
    assert_eq!((found.id.0, found.account.as_str()), (world.installation, "acme"));
    let elsewhere = app.github().installation_on(&RepoName::parse("nobody/api").unwrap()).await.unwrap_err();
    assert!(matches!(elsewhere, ForgeError::Gone { .. }), "{elsewhere}");
    world.the_end();
}

/// Names of repositories, and who asks for them.
async fn asks_for(who: &GitHubCaller, name: &str) -> Result<i64, ForgeError> {
    let name = RepoName::parse(name).unwrap();
    let found = who.for_repository(&name).await?.repository(&name).await?;
    Ok(found.target.installation.0)
}

fn looked_up(world: &World) -> Vec<String> {
    let exchanges = world.sim.exchanges().into_iter();
    let found = exchanges.filter(|one| one.path.ends_with("/installation")).map(|one| one.path);
    found.collect()
}

#[tokio::test]
async fn an_app_asks_once_for_the_installation_of_all_repositories_of_an_owner() {
    let world = World::new();
    let who = GitHubCaller::of_app(world.app().github().clone());
    let names = ["acme/api", "ACME/web", "acme/api", "acme/web"];
    let found = futures_util::future::join_all(names.iter().map(|name| asks_for(&who, name))).await;
    assert_eq!(found, vec![Ok(world.installation); 4]);
    assert_eq!(looked_up(&world), ["/repos/acme/api/installation"], "whoever comes meanwhile waits");
    world.the_end();
}

#[tokio::test]
async fn one_repository_that_an_app_may_not_see_says_nothing_of_its_neighbours() {
    let world = World::new();
    world.sim.remove_from_installation(world.installation, "acme/web").unwrap();
    let who = GitHubCaller::of_app(world.app().github().clone());
    assert!(matches!(asks_for(&who, "acme/web").await, Err(ForgeError::Gone { .. })));
    assert_eq!(asks_for(&who, "acme/api").await, Ok(world.installation), "what failed is not kept");
    assert!(matches!(asks_for(&who, "acme/web").await, Err(ForgeError::Gone { .. })), "nor taken for its own");
    assert_eq!(looked_up(&world).len(), 2);
    world.the_end();
}

#[tokio::test]
async fn a_transferred_repository_does_not_stand_for_its_former_owner() {
    let world = World::new();
    world.sim.organization("umbrella");
    let other = world.sim.install("umbrella").unwrap();
    world.sim.transfer("acme/web", "umbrella").unwrap();
    let who = GitHubCaller::of_app(world.app().github().clone());
    assert_eq!(asks_for(&who, "acme/web").await, Ok(other));
    assert_eq!(asks_for(&who, "acme/api").await, Ok(world.installation));
    assert_eq!(asks_for(&who, "umbrella/web").await, Ok(other));
    world.the_end();
}
