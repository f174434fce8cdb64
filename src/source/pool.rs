//! A few connections, lent one at a time.
//!
//! A connection goes back only when its borrower says that it is sound. Whatever else happens,
//! an error or a future dropped in mid-query, closes it: nothing waits for a peer that may be
//! gone, and no place is lost. Its place is free again when the database has had time to see that
//! nobody waits for what it does, so that it never does more for us than there are places.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// How long a database may take to see that a connection is closed.
pub const CLOSING: Duration = Duration::from_millis(200);

/// How long an idle connection may take at most to show that it lives.
const MOST_PING: Duration = Duration::from_secs(1);

/// A connection that a [`Pool`] can make.
pub trait Connect: Sized + Send {
    /// How the database is connected to.
    type Options: Clone + std::fmt::Debug + Send + Sync;

    /// Connects.
    fn connect(options: &Self::Options) -> impl Future<Output = sqlx::Result<Self>> + Send;

    /// Fails where the connection no longer leads to the database.
    fn ping(&mut self) -> impl Future<Output = sqlx::Result<()>> + Send;
}

/// Connections to one database.
#[derive(Debug)]
pub struct Pool<C: Connect> {
    options: C::Options,
    places: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<C>>>,
}

/// A borrowed connection.
#[derive(Debug)]
pub struct Lease<C> {
    connection: C,
    idle: Arc<Mutex<Vec<C>>>,
    place: Place,
}

/// A place among the connections; one that is not given back is taken until the connection is gone.
#[derive(Debug)]
struct Place(Option<OwnedSemaphorePermit>);

impl<C: Connect> Pool<C> {
    /// Makes a pool of at most `most` connections; connects to nothing yet.
    pub fn new(options: C::Options, most: usize) -> Self {
        Self {
            options,
            places: Arc::new(Semaphore::new(most)),
            idle: Arc::default(),
        }
    }

    /// Lends an idle connection that answers, or a new one; never later than the deadline.
    ///
    /// # Errors
    ///
    /// Why no connection could be made.
    pub async fn lease(&self, deadline: Instant) -> sqlx::Result<Lease<C>> {
        let lease = timeout_at(deadline, self.lease_by(deadline)).await;
        lease.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    async fn lease_by(&self, deadline: Instant) -> sqlx::Result<Lease<C>> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| sqlx::Error::PoolClosed)?;
        let connection = match self.answering(deadline).await {
            Some(connection) => connection,
            None => C::connect(&self.options).await?,
        };
        Ok(Lease {
            connection,
            idle: Arc::clone(&self.idle),
            place: Place(Some(place)),
        })
    }

    /// An idle connection that answers well before the deadline. What has cut off one that does
    /// not has cut off the others too, and there is no time to wait for each of them.
    async fn answering(&self, deadline: Instant) -> Option<C> {
        let mut connection = self.idle().pop()?;
        let left = deadline.saturating_duration_since(Instant::now());
        if let Ok(Ok(())) = timeout(MOST_PING.min(left / 4), connection.ping()).await {
            return Some(connection);
        }
        self.idle().clear();
        None
    }

    fn idle(&self) -> MutexGuard<'_, Vec<C>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> Lease<C> {
    /// Gives back a connection that is in no transaction and has answered all it was asked.
    pub fn give_back(mut self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(self.connection);
        self.place.0.take();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let (Some(place), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(async move {
                sleep(CLOSING).await;
                drop(place);
            });
        }
    }
}

impl<C> Deref for Lease<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.connection
    }
}

impl<C> DerefMut for Lease<C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.connection
    }
}
