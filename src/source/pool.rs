//! A few connections, lent one at a time.
//!
//! A connection goes back only when its borrower says that it is sound. Whatever else happens,
//! an error or a future dropped in mid-query, closes it: nothing waits for a peer that may be
//! gone, and no place is lost.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::{ConnectOptions, Connection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How long an idle connection may take to show that it lives.
const PING_TIMEOUT: Duration = Duration::from_secs(1);

/// Connections to one database.
#[derive(Debug)]
pub struct Pool<C: Connection> {
    options: C::Options,
    places: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<C>>>,
}

/// A borrowed connection.
#[derive(Debug)]
pub struct Lease<C> {
    connection: C,
    idle: Arc<Mutex<Vec<C>>>,
    _place: OwnedSemaphorePermit,
}

impl<C: Connection> Pool<C> {
    /// Makes a pool of at most `most` connections; connects to nothing yet.
    pub fn new(options: C::Options, most: usize) -> Self {
        Self {
            options,
            places: Arc::new(Semaphore::new(most)),
            idle: Arc::default(),
        }
    }

    /// Lends an idle connection that answers, or a new one.
    ///
    /// # Errors
    ///
    /// Why no connection could be made.
    pub async fn lease(&self) -> sqlx::Result<Lease<C>> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| sqlx::Error::PoolClosed)?;
        let connection = match self.answering().await {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        Ok(Lease {
            connection,
            idle: Arc::clone(&self.idle),
            _place: place,
        })
    }

    async fn answering(&self) -> Option<C> {
        loop {
            let mut connection = pop(&self.idle)?;
            if let Ok(Ok(())) = timeout(PING_TIMEOUT, connection.ping()).await {
                return Some(connection);
            }
        }
    }
}

impl<C> Lease<C> {
    /// Gives back a connection that is in no transaction and has answered all it was asked.
    pub fn give_back(self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(self.connection);
    }
}

fn pop<C>(idle: &Mutex<Vec<C>>) -> Option<C> {
    idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
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
