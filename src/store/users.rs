//! Who uses a package.

use super::sql::{from_json, statements, values};
use super::{Store, StoreError};
use crate::domain::{Dependency, InstallationId, PackageId, RepoId};

statements! {
    USERS = "SELECT DISTINCT dependency.repo_id, repository.installation_id FROM dependency
        JOIN repository ON repository.id = dependency.repo_id
        JOIN subscription ON subscription.repo_id = dependency.repo_id
        WHERE dependency.ecosystem = $1 AND dependency.package = $2
        AND repository.state = 'active' AND subscription.ecosystem = $1 AND dependency.repo_id > $3
        ORDER BY dependency.repo_id LIMIT $4";
    USER_WITHIN = "SELECT dependency.repo_id FROM dependency
        JOIN repository ON repository.id = dependency.repo_id
        JOIN subscription ON subscription.repo_id = dependency.repo_id
        WHERE dependency.ecosystem = $1 AND dependency.package = $2 AND repository.installation_id = $3
        AND repository.state = 'active' AND subscription.ecosystem = $1
        ORDER BY dependency.repo_id LIMIT 1";
    DIGEST_PINS = "SELECT dependency FROM dependency WHERE ecosystem = $1 AND package = $2
        AND pins_content AND repo_id >= $3 ORDER BY repo_id, path, manager, ordinal LIMIT $4";
    USING = "SELECT DISTINCT dependency.repo_id FROM dependency
        JOIN repository ON repository.id = dependency.repo_id
        WHERE dependency.ecosystem = $1 AND dependency.package = $2
        AND repository.state = 'active' AND dependency.repo_id > $3
        ORDER BY dependency.repo_id LIMIT $4";
    USERS_SPAN = "SELECT (SELECT min(repo_id) FROM dependency WHERE ecosystem = $1 AND package = $2),
        (SELECT max(repo_id) FROM dependency WHERE ecosystem = $1 AND package = $2)";
    INSTALLATIONS_USING = "SELECT installation_id, min(repo_id) FROM (
            SELECT DISTINCT dependency.repo_id AS repo_id, repository.installation_id AS installation_id FROM dependency
            JOIN repository ON repository.id = dependency.repo_id
            JOIN subscription ON subscription.repo_id = dependency.repo_id
            WHERE dependency.ecosystem = $1 AND dependency.package = $2
            AND repository.state = 'active' AND subscription.ecosystem = $1 AND dependency.repo_id >= $3
            ORDER BY dependency.repo_id LIMIT $4) AS users
        GROUP BY installation_id ORDER BY min(repo_id)";
}

impl Store {
    /// The active and subscribed repositories that use a package, by id: the first so many, from the beginning or after
    /// one of them.
    pub async fn users_of(
        &self,
        package: &PackageId,
        after: Option<RepoId>,
        limit: u32,
    ) -> Result<Vec<(RepoId, InstallationId)>, StoreError> {
        let after = after.map_or(i64::MIN, |repo| repo.0);
        let key = values![package.ecosystem, &package.name, after, limit];
        let rows: Vec<(i64, i64)> = self.rows(USERS, key).await?;
        Ok(rows.into_iter().map(|(repo, installation)| (RepoId(repo), InstallationId(installation))).collect())
    }

    /// The active repositories that use a package, subscribed or not, by id: the first so many after one of them.
    pub async fn repositories_using(
        &self,
        package: &PackageId,
        after: Option<RepoId>,
        limit: u32,
    ) -> Result<Vec<RepoId>, StoreError> {
        let after = after.map_or(i64::MIN, |repo| repo.0);
        let rows: Vec<(i64,)> = self.rows(USING, values![package.ecosystem, &package.name, after, limit]).await?;
        Ok(rows.into_iter().map(|(repo,)| RepoId(repo)).collect())
    }

    /// An active and subscribed repository of an installation that uses a package, if there is any.
    pub async fn user_within(
        &self,
        package: &PackageId,
        installation: InstallationId,
    ) -> Result<Option<RepoId>, StoreError> {
        let row: Option<(i64,)> =
            self.row(USER_WITHIN, values![package.ecosystem, &package.name, installation]).await?;
        Ok(row.map(|(repo,)| RepoId(repo)))
    }

    /// Installations with active and subscribed repositories that use a package, each with the first of these: of so many
    /// repositories from one on, in the order of their ids.
    pub async fn installations_using(
        &self,
        package: &PackageId,
        from: RepoId,
        repositories: u32,
    ) -> Result<Vec<(InstallationId, RepoId)>, StoreError> {
        let key = values![package.ecosystem, &package.name, from, repositories];
        let rows: Vec<(i64, i64)> = self.rows(INSTALLATIONS_USING, key).await?;
        Ok(rows.into_iter().map(|(installation, repo)| (InstallationId(installation), RepoId(repo))).collect())
    }

    /// The first and the last of the repositories that use a package, by id, active or not; `None` when there are none.
    pub async fn users_span(&self, package: &PackageId) -> Result<Option<(RepoId, RepoId)>, StoreError> {
        let span: Option<(Option<i64>, Option<i64>)> =
            self.row(USERS_SPAN, values![package.ecosystem, &package.name]).await?;
        Ok(span.and_then(|(first, last)| Some((RepoId(first?), RepoId(last?)))))
    }

    /// The uses of a package that pin a digest or a commit, at most so many, from one repository on in the order of their ids.
    pub async fn digest_pins(
        &self,
        package: &PackageId,
        from: RepoId,
        limit: u32,
    ) -> Result<Vec<Dependency>, StoreError> {
        let key = values![package.ecosystem, &package.name, from, limit];
        let rows: Vec<(String,)> = self.rows(DIGEST_PINS, key).await?;
        rows.into_iter().map(|(dependency,)| from_json("dependency", &dependency)).collect()
    }
}
