//! One repository among many: it gets its share of what all of them have to share, and no more.

use crate::{World, stories};
use mass_driver::domain::RepoPath;
use mass_driver::store::ManifestHead;

/// Subscribed to another ecosystem than that of the files, so that nobody asks a registry about their packages.
const DOCKER: (&str, &str) = (".mass-driver.yaml", "subscriptions: [docker]\n");

async fn heads(world: &World) -> Vec<ManifestHead> {
    world.store.manifest_heads(world.repo_id("acme/api").await).await.unwrap()
}

fn left_out(heads: &[ManifestHead]) -> Vec<(&str, &str)> {
    heads.iter().filter_map(|head| Some((head.path.as_str(), head.problem.as_deref()?))).collect()
}

fn many(prefix: &str) -> String {
    (0..4_000).map(|n| format!("{prefix}-{n}==1.0\n")).collect()
}

stories! {
    async fn the_deepest_files_are_left_out_and_listed(world: World) {
        let paths: Vec<String> = (0..410).map(|n| format!("services/{n:03}/requirements.txt")).collect();
        let mut files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "idna==3.6\n")).collect();
        files.extend([DOCKER, ("requirements.txt", "httpx==0.27.0\n"), ("z/requirements.txt", "rich==13.0\n")]);
        world.repository("acme/api", &files).await;
        let before = heads(&world).await;
        let out = left_out(&before);
        assert_eq!((before.len(), out.len()), (400, 100), "412 files: 300 are read, 100 of the others are listed");
        assert_eq!(out[0].0, "services/298/requirements.txt");
        assert_eq!(out[0].1, "it was left out: 300 manifests are read of one repository at most");
        let read = |path: &str| before.iter().any(|head| head.path.as_str() == path && head.dependencies == 1);
        assert!(read("requirements.txt") && read("z/requirements.txt") && read("services/297/requirements.txt"));

        // Nothing of this is read again, and what was left out moves up when there is room for it.
        let mark = world.github.mark();
        world.push("acme/api", &[("requirements.txt", "httpx==0.28.0\n")]).await;
        let blobs = world.requests_since(mark).iter().filter(|request| request.contains("/git/blobs/")).count();
        assert_eq!(blobs, 1);
        world.remove("acme/api", "z/requirements.txt").await;
        assert_eq!(left_out(&heads(&world).await)[0].0, "services/299/requirements.txt");
    }

    async fn a_repository_of_ten_thousand_dependencies_is_not_read_further(world: World) {
        let (a, b, c) = (many("a"), many("b"), many("c"));
        let files = [DOCKER, ("requirements.txt", &a), ("b/requirements.txt", &b), ("c/requirements.txt", &c)];
        world.repository("acme/api", &files).await;
        let heads = heads(&world).await;
        let why = "it was left out: 10000 dependencies are read of one repository at most";
        assert_eq!(left_out(&heads), [("c/requirements.txt", why)]);
        assert_eq!(heads.iter().map(|head| head.dependencies).sum::<usize>(), 8_000);
        let c = RepoPath::parse("c/requirements.txt").unwrap();
        let tracked = world.store.tracked_paths(world.repo_id("acme/api").await).await.unwrap();
        assert!(tracked.contains(&c), "a change of it is news: it may fit then");
    }
}
