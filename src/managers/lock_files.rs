//! Which lock files a manifest belongs to, by the names of files alone.
//!
//! A lock file is written by its ecosystem's own tool, and by nothing else. So it is no manifest and is never edited here; what
//! is known is which ones an update leaves behind, and the command that refreshes each.
//!
//! Sources: the documentation of npm ("package-lock.json", "npm-shrinkwrap.json", "npm install"), Yarn ("yarn install"),
//! pnpm ("pnpm install"), Bun ("bun install"), The Cargo Book ("cargo update"), Poetry ("lock"), uv ("Locking and syncing"),
//! PDM ("lock") and Pipenv ("lock").

use crate::domain::{LockFile, RepoPath};
use std::collections::BTreeSet;

/// One kind of lock file.
struct Kind {
    file_name: &'static str,
    tool: &'static str,
    command: &'static str,
    /// The manifest it is made from.
    manifest: &'static str,
    /// Whether one at the root of a workspace is for the manifests below it.
    reaches_down: bool,
}

const fn of(manifest: &'static str, file_name: &'static str, tool: &'static str, command: &'static str) -> Kind {
    Kind { file_name, tool, command, manifest, reaches_down: true }
}

const KINDS: [Kind; 11] = [
    of("package.json", "package-lock.json", "npm", "npm install --package-lock-only"),
    of("package.json", "npm-shrinkwrap.json", "npm", "npm install --package-lock-only"),
    of("package.json", "yarn.lock", "yarn", "yarn install"),
    of("package.json", "pnpm-lock.yaml", "pnpm", "pnpm install --lockfile-only"),
    of("package.json", "bun.lock", "bun", "bun install --lockfile-only"),
    of("package.json", "bun.lockb", "bun", "bun install --lockfile-only"),
    of("Cargo.toml", "Cargo.lock", "cargo", "cargo update --workspace"),
    of("pyproject.toml", "uv.lock", "uv", "uv lock"),
    Kind { reaches_down: false, ..of("pyproject.toml", "poetry.lock", "poetry", "poetry lock") },
    Kind { reaches_down: false, ..of("pyproject.toml", "pdm.lock", "pdm", "pdm lock --update-reuse") },
    Kind { reaches_down: false, ..of("Pipfile", "Pipfile.lock", "pipenv", "pipenv lock") },
];

/// Files that hold dependencies of a workspace beside the manifest at its root.
const STANDS_FOR: [(&str, &str); 1] = [("pnpm-workspace.yaml", "package.json")];

/// The lock files among `paths` that hold what `manifest` asks for: those beside it, or else those in the nearest folder above
/// it that has any, where the root of its workspace is.
pub fn lock_files(manifest: &RepoPath, paths: &BTreeSet<RepoPath>) -> Vec<LockFile> {
    let name = manifest.file_name();
    let name = STANDS_FOR.iter().find(|(file, _)| *file == name).map_or(name, |(_, manifest)| manifest);
    let kinds: Vec<&Kind> = KINDS.iter().filter(|kind| kind.manifest == name).collect();
    if kinds.is_empty() {
        return Vec::new();
    }
    let own = manifest.folder();
    let mut folder = own;
    loop {
        let here = kinds.iter().filter(|kind| kind.reaches_down || folder == own);
        let found: Vec<LockFile> = here.filter_map(|kind| kind.in_folder(folder, paths)).collect();
        if !found.is_empty() || folder.is_empty() {
            return found;
        }
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
}

/// Whether a file is a lock file, by its name.
pub fn is_lock_file(path: &RepoPath) -> bool {
    KINDS.iter().any(|kind| kind.file_name == path.file_name())
}

impl Kind {
    fn in_folder(&self, folder: &str, paths: &BTreeSet<RepoPath>) -> Option<LockFile> {
        let slash = if folder.is_empty() { "" } else { "/" };
        let path = RepoPath::parse(&format!("{folder}{slash}{}", self.file_name)).ok()?;
        paths.contains(&path).then_some(LockFile { path, tool: self.tool, command: self.command })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(manifest: &str, paths: &[&str]) -> Vec<String> {
        let paths = paths.iter().map(|path| RepoPath::parse(path).unwrap()).collect();
        let found = lock_files(&RepoPath::parse(manifest).unwrap(), &paths);
        found.into_iter().map(|lock| format!("{} {}", lock.path, lock.tool)).collect()
    }

    #[test]
    fn the_nearest_ones_count() {
        let tree = ["Cargo.lock", "package-lock.json", "web/yarn.lock", "web/app/bun.lock", "web/app/bun.lockb"];
        assert_eq!(of("package.json", &tree), ["package-lock.json npm"]);
        assert_eq!(of("api/v1/package.json", &tree), ["package-lock.json npm"]);
        assert_eq!(of("web/package.json", &tree), ["web/yarn.lock yarn"]);
        assert_eq!(of("web/site/package.json", &tree), ["web/yarn.lock yarn"]);
        assert_eq!(of("web/app/package.json", &tree), ["web/app/bun.lock bun", "web/app/bun.lockb bun"]);
        assert_eq!(of("crates/a/Cargo.toml", &tree), ["Cargo.lock cargo"]);
        assert!(of("webapp/package.json", &["web/yarn.lock"]).is_empty());
        assert_eq!(of("pnpm-workspace.yaml", &["pnpm-lock.yaml"]), ["pnpm-lock.yaml pnpm"]);
    }

    #[test]
    fn each_tool_of_python_has_its_reach() {
        let tree = ["poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock", "a/poetry.lock"];
        assert_eq!(of("pyproject.toml", &tree), ["uv.lock uv", "poetry.lock poetry", "pdm.lock pdm"]);
        assert_eq!(of("a/pyproject.toml", &tree), ["a/poetry.lock poetry"]);
        assert_eq!(of("b/pyproject.toml", &tree), ["uv.lock uv"], "poetry and pdm have no workspaces");
        assert_eq!(of("Pipfile", &tree), ["Pipfile.lock pipenv"]);
        assert!(of("b/Pipfile", &tree).is_empty());
        assert!(of("requirements.txt", &tree).is_empty() && of("Dockerfile", &tree).is_empty());
    }
}
