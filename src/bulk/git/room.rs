//! Room for a branch in a clone that outlives its run: git keeps no `fix` beside `fix/deps`.

use super::push::full_name;
use super::{BareClone, GitError};
use std::collections::BTreeSet;
use std::fs;

/// So many names below a branch's are removed at a time. One run makes one.
const MOST: usize = 10_000;

impl BareClone<'_> {
    /// Removes the branches of former runs that stand in a branch's way. Their commits stay. `false` where it is the branch that
    /// was cloned, which is left alone.
    pub(super) async fn make_room_for(&self, branch: &str) -> Result<bool, GitError> {
        let branch_name = full_name(branch)?;
        let is_in_the_way = |name: &str| is_below(name, &branch_name) || is_below(&branch_name, name);
        if let Some(base) = self.branch()
            && (base == branch || is_in_the_way(&format!("refs/heads/{base}")))
        {
            return Ok(false);
        }
        let packed = fs::read_to_string(self.folder().join("packed-refs")).unwrap_or_default();
        // `<id> refs/heads/x`
        let packed = packed.lines().filter_map(|line| line.split_once(' ')).map(|(_, name)| name.to_owned());
        let names: BTreeSet<String> = packed.chain(self.loose_beside(&branch_name)).collect();
        let input: String =
            names.iter().filter(|name| is_in_the_way(name)).map(|name| format!("delete {name}\n")).collect();
        if !input.is_empty() {
            let command = self.git.command(self.folder(), ["--git-dir=.", "update-ref", "--stdin"]);
            self.git.answer("making room for the branch", command, input.as_bytes(), self.git.local()).await?;
        }
        Ok(true)
    }

    /// Names with a file of their own: of the folders that a name lies in, and whatever lies below it.
    fn loose_beside(&self, name: &str) -> Vec<String> {
        let folders = name.match_indices('/').map(|(at, _)| &name[..at]);
        let mut found: Vec<String> =
            folders.filter(|name| self.folder().join(name).is_file()).map(str::to_owned).collect();
        let mut below = vec![name.to_owned()];
        while let Some(folder) = below.pop() {
            for entry in fs::read_dir(self.folder().join(&folder)).into_iter().flatten().flatten() {
                let (Ok(kind), Some(last)) = (entry.file_type(), entry.file_name().to_str().map(str::to_owned)) else {
                    continue;
                };
                let name = format!("{folder}/{last}");
                if kind.is_dir() { &mut below } else { &mut found }.push(name);
                if below.len() + found.len() > MOST {
                    return found;
                }
            }
        }
        found
    }
}

fn is_below(name: &str, folder: &str) -> bool {
    name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}
