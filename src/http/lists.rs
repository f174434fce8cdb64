//! Lists of failed rows that are being built: each takes some megabytes until it is answered.

use std::time::Duration;

use hyper::StatusCode;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::response::{self, Response};

/// How many are built at once.
const MOST: usize = 2;

/// How long a list waits for others at most.
const MOST_WAIT: Duration = Duration::from_secs(10);

/// The places that lists are built in.
#[derive(Debug)]
pub struct Lists {
    places: Semaphore,
    most_wait: Duration,
}

impl Default for Lists {
    fn default() -> Self {
        Self {
            places: Semaphore::new(MOST),
            most_wait: MOST_WAIT,
        }
    }
}

impl Lists {
    /// Builds a list when it is its turn, or asks to try again later.
    pub async fn build(&self, list: impl Future<Output = Response>) -> Response {
        match self.place().await {
            Some(_place) => list.await,
            None => busy(),
        }
    }

    async fn place(&self) -> Option<SemaphorePermit<'_>> {
        let place = timeout(self.most_wait, self.places.acquire()).await;
        place.ok()?.ok()
    }
}

fn busy() -> Response {
    let reason = "too many lists of failed rows are being built; try again";
    let refusal = response::error(StatusCode::SERVICE_UNAVAILABLE, reason);
    response::retry_after(refusal, MOST_WAIT)
}

#[cfg(test)]
mod tests {
    use hyper::header::RETRY_AFTER;

    use super::*;

    #[tokio::test]
    async fn a_third_list_waits_for_the_first_two() {
        let lists = Lists {
            most_wait: Duration::from_millis(20),
            ..Lists::default()
        };
        let list = async || {
            lists
                .build(async { response::text(StatusCode::OK, "rows") })
                .await
        };
        let _first = lists.place().await;
        let second = lists.place().await;
        let third = list().await;
        assert_eq!(third.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(third.headers().contains_key(RETRY_AFTER));
        drop(second);
        assert_eq!(list().await.status(), StatusCode::OK);
    }
}
