//! A reading that may take long, kept for those who ask soon after: whoever reads spends at most a
//! tenth of the time on it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

/// For how many times as long as it took a reading is kept.
const TIMES_KEPT: u32 = 9;

/// For how long a reading is told at most when no later one could be had.
const MAX_AGE: Duration = Duration::from_secs(5 * 60);

/// The latest reading, of which one is made at a time.
#[derive(Debug)]
pub struct Kept<T> {
    turn: Arc<tokio::sync::Mutex<()>>,
    latest: Arc<Mutex<Option<Reading<T>>>>,
}

#[derive(Debug)]
struct Reading<T> {
    begun: Instant,
    took: Duration,
    value: Arc<T>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self {
            turn: Arc::default(),
            latest: Arc::default(),
        }
    }
}

impl<T: Send + Sync + 'static> Kept<T> {
    /// Returns the latest reading if it may still be told, or makes one. What is not made by the
    /// deadline goes on, for whoever asks next; nothing is returned after one that failed.
    pub async fn get(
        &self,
        deadline: Instant,
        read: impl Future<Output = Option<T>> + Send + 'static,
    ) -> Option<Arc<T>> {
        let asked = Instant::now();
        let fresh =
            || self.latest(|reading| asked < reading.begun + reading.took * (TIMES_KEPT + 1));
        if let Some(value) = fresh() {
            return Some(value);
        }
        let Ok(turn) = timeout_at(deadline, Arc::clone(&self.turn).lock_owned()).await else {
            return self.latest(|reading| reading.begun.elapsed() < MAX_AGE);
        };
        // Another may have been made meanwhile.
        if let Some(value) = fresh() {
            return Some(value);
        }
        let latest = Arc::clone(&self.latest);
        let made = tokio::spawn(async move {
            let begun = Instant::now();
            let reading = read.await.map(|value| Reading {
                begun,
                took: begun.elapsed(),
                value: Arc::new(value),
            });
            *latest.lock().unwrap_or_else(PoisonError::into_inner) = reading;
            drop(turn);
        });
        // At the deadline an older one has to do.
        let _ = timeout_at(deadline, made).await;
        self.latest(|reading| reading.begun.elapsed() < MAX_AGE)
    }

    fn latest(&self, is_good: impl Fn(&Reading<T>) -> bool) -> Option<Arc<T>> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = latest.as_ref().filter(|reading| is_good(reading))?;
        Some(Arc::clone(&reading.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(1)
    }

    async fn slow(value: i32) -> Option<i32> {
        tokio::time::sleep(Duration::from_secs(2)).await;
        Some(value)
    }

    #[tokio::test(start_paused = true)]
    async fn a_reading_is_kept_for_as_long_as_it_cost() {
        let kept = Kept::default();
        assert_eq!(kept.get(soon(), slow(1)).await, None);
        tokio::time::sleep(Duration::from_secs(18)).await;
        assert_eq!(kept.get(soon(), slow(2)).await.as_deref(), Some(&1));
        tokio::time::sleep(Duration::from_secs(2)).await;
        // The next one is begun, and the one before is told until it is there.
        assert_eq!(kept.get(soon(), slow(3)).await.as_deref(), Some(&1));
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(kept.get(soon(), slow(4)).await.as_deref(), Some(&3));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_told_after_a_reading_that_failed() {
        let kept = Kept::default();
        assert_eq!(
            kept.get(soon(), async { Some(1) }).await.as_deref(),
            Some(&1)
        );
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(kept.get(soon(), async { None }).await, None);
    }
}
