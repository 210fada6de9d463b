//! Where webhooks are handed in: whoever comes while a commit is under way shares the next one.
//!
//! A commit waits for the disk, however many rows it holds. So deliveries are stored together: while one transaction is on its
//! way to the disk, the others gather, and the next transaction takes all of them. Nobody waits for company: a delivery that
//! comes alone is stored at once, and alone. Postgres has a second transaction under way while the first waits for the disk. This room knows nothing of HTTP, and does not ask what a delivery means.

use super::inbox::{Incoming, Received};
use crate::domain::DeliveryId;
use crate::store::{NewWork, Store, StoreError};
use jiff::Timestamp;
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// At most so many deliveries are stored in one transaction.
const ROWS_MAX: usize = 256;
/// At most so many bytes of payloads are stored in one transaction; a larger delivery has one for itself.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// So many transactions are under way at most, where the database takes several.
const CLERKS_MAX: usize = 2;

/// Why a delivery was not taken in.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotStored {
    /// The store failed: with it all deliveries of the same transaction.
    #[error("{0}")]
    Store(Arc<StoreError>),
    /// The commit ended without a word: the process is stopping, or a defect of ours.
    #[error("storing it was broken off")]
    BrokenOff,
}

impl From<StoreError> for NotStored {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

/// Takes deliveries in. Clones share their commits.
#[derive(Clone, Debug)]
pub struct Mailroom {
    store: Store,
    counter: Arc<Mutex<Counter>>,
}

/// What lies on the counter, and how many attend to it.
#[derive(Debug, Default)]
struct Counter {
    waiting: VecDeque<Letter>,
    clerks: usize,
}

/// A delivery that waits to be stored.
#[derive(Debug)]
struct Letter {
    incoming: Incoming,
    received_at: Timestamp,
    /// Its share of the memory for deliveries, which is given back once it is stored, even if its sender has gone away.
    _room: Option<OwnedSemaphorePermit>,
    reply: oneshot::Sender<Result<Received, NotStored>>,
}

impl Mailroom {
    /// A mailroom on this store.
    pub fn new(store: Store) -> Self {
        Self { store, counter: Arc::default() }
    }

    /// Stores a delivery and the step that will decide what it asks for. When this returns, both survive a crash.
    ///
    /// `room` is held as long as the delivery is in memory. Whoever stops waiting for the answer stops nothing: the delivery
    /// is stored all the same.
    ///
    /// Errors: it is not stored, and the sender has to try again.
    pub async fn receive(
        &self,
        incoming: Incoming,
        room: Option<OwnedSemaphorePermit>,
        now: Timestamp,
    ) -> Result<Received, NotStored> {
        let step = incoming.step();
        let _waits = self.store.delivery_waits();
        let (reply, answer) = oneshot::channel();
        let one_more = {
            let mut counter = lock(&self.counter);
            counter.waiting.push_back(Letter { incoming, received_at: now, _room: room, reply });
            let one_more = counter.clerks < self.store.writers_at_once().min(CLERKS_MAX);
            counter.clerks += usize::from(one_more);
            one_more
        };
        if one_more {
            let clerk = Clerk { store: self.store.clone(), counter: Arc::clone(&self.counter), on_duty: true };
            // Apart from the caller, who may go away at any time: the others wait for this commit too.
            tokio::spawn(clerk.attend());
        }
        let received = answer.await.unwrap_or(Err(NotStored::BrokenOff))?;
        // Whoever delivers again something that was given up wants it looked at again.
        if received == Received::Duplicate
            && let Some(parked) = self.store.parked_under(&step.unique_key()).await?
        {
            let mut tx = self.store.begin().await?;
            tx.unpark(&parked, now).await?;
            tx.commit().await?;
        }
        Ok(received)
    }
}

/// Stores what lies on the counter until nothing is left there.
struct Clerk {
    store: Store,
    counter: Arc<Mutex<Counter>>,
    on_duty: bool,
}

impl Clerk {
    async fn attend(mut self) {
        while let Some(letters) = self.take() {
            store_all(&self.store, letters).await;
        }
    }

    /// The next batch, in the order in which it came. With `None` the counter is left to the next clerk.
    fn take(&mut self) -> Option<Vec<Letter>> {
        let mut counter = lock(&self.counter);
        let mut bytes = 0;
        let fitting = counter.waiting.iter().take(ROWS_MAX).take_while(|letter| {
            let is_first = bytes == 0;
            bytes += letter.incoming.bytes().max(1);
            is_first || bytes <= BYTES_MAX
        });
        let count = fitting.count();
        if count == 0 {
            counter.clerks -= 1;
            self.on_duty = false;
        }
        (count > 0).then(|| counter.waiting.drain(..count).collect())
    }
}

impl Drop for Clerk {
    /// A clerk who leaves early (a panic, or the runtime ends) sends everybody away rather than let them wait for nobody.
    fn drop(&mut self) {
        if self.on_duty {
            let mut counter = lock(&self.counter);
            counter.waiting.clear();
            counter.clerks -= 1;
        }
    }
}

/// Stores a batch in one transaction, and tells every sender what became of it.
async fn store_all(store: &Store, letters: Vec<Letter>) {
    let mut rows = Vec::with_capacity(letters.len());
    let mut slips = Vec::with_capacity(letters.len());
    let mut seen: HashSet<DeliveryId> = HashSet::with_capacity(letters.len());
    let mut work = Vec::with_capacity(letters.len());
    let mut latest = Timestamp::MIN;
    for Letter { incoming, received_at, _room, reply } in letters {
        latest = latest.max(received_at);
        let (row, outcome, step) = incoming.into_parts();
        let guid = row.guid.clone();
        // One that was delivered twice at once is in the batch twice.
        let is_first = seen.insert(guid.clone());
        if is_first {
            work.extend(step.map(|step| (guid.clone(), step.work(row.installation, received_at))));
            rows.push((row, outcome, received_at));
        }
        slips.push((guid, is_first, reply, _room));
    }
    let outcome = write(store, rows, work, latest).await.map_err(NotStored::from);
    for (guid, is_first, reply, _room) in slips {
        let answer = match &outcome {
            Ok(new) if is_first && new.contains(&guid) => Ok(Received::New),
            Ok(_) => Ok(Received::Duplicate),
            Err(error) => Err(error.clone()),
        };
        // Nobody waits for it any more: it is stored all the same.
        drop(reply.send(answer));
    }
}

type Row = (crate::store::NewDelivery, Option<crate::store::Outcome>, Timestamp);

/// Writes the rows and the work of those that are new, and says which were.
async fn write(
    store: &Store,
    rows: Vec<Row>,
    work: Vec<(DeliveryId, Result<NewWork, StoreError>)>,
    now: Timestamp,
) -> Result<HashSet<DeliveryId>, StoreError> {
    let mut tx = store.begin().await?;
    let new = tx.insert_deliveries(rows).await?;
    let work: Vec<NewWork> =
        work.into_iter().filter(|(guid, _)| new.contains(guid)).map(|(_, work)| work).collect::<Result<_, _>>()?;
    tx.enqueue_all(&work, now).await?;
    tx.commit().await?;
    Ok(new)
}

fn lock(counter: &Mutex<Counter>) -> MutexGuard<'_, Counter> {
    counter.lock().unwrap_or_else(PoisonError::into_inner)
}
