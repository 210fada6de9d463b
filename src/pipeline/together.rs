//! Plans that are ready at the same time are made together: many cost little more than one.

use super::worker::{PLAN, step_of};
use super::{Step, StepError, Worker, plan};
use crate::metrics::Ending;
use crate::store::Claimed;
use futures_util::FutureExt as _;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

/// How many repositories are planned together at most.
const PLANS_AT_ONCE: u32 = 64;

impl Worker {
    /// Plans a repository together with others whose turn it is: many cost little more than one. `false` when there were
    /// no others, or something was wrong with one of them: then each is planned for itself.
    pub(super) async fn plan_many(&self, first: &Claimed) -> bool {
        let began = Instant::now();
        let mut claimed = match self.store.claim_step(PLAN, self.policy.lease, PLANS_AT_ONCE - 1).await {
            Ok(others) if !others.is_empty() => others,
            Ok(_) => return false,
            Err(error) => {
                tracing::debug!(%error, "no other plans could be claimed");
                return false;
            }
        };
        claimed.push(first.clone());
        let planned = AssertUnwindSafe(async {
            let mut repos = Vec::with_capacity(claimed.len());
            for one in &claimed {
                repos.extend(match step_of(one)? {
                    Step::Plan { repo } => Some(repo),
                    _ => None,
                });
            }
            let mut tx = plan::plan_all(&self.store, &self.registries, &repos, self.clock.now()).await?;
            tx.finish_all(&claimed).await?;
            Ok::<(), StepError>(tx.commit().await?)
        });
        match planned.catch_unwind().await {
            Ok(Ok(())) => {
                let each = began.elapsed() / u32::try_from(claimed.len()).unwrap_or(1);
                for one in &claimed {
                    self.metrics.step_ended(&one.work.step, Ending::Finished, each);
                }
                true
            }
            failed => {
                if let Ok(Err(error)) = failed {
                    tracing::debug!(%error, plans = claimed.len(), "planning together failed; each is planned for itself");
                }
                // Those that came along go back to their places in line.
                claimed.pop();
                self.give_back(&claimed).await;
                false
            }
        }
    }
}
