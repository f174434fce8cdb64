//! Which words of a table mean which of the four statuses.

/// The words of each status; the first of each is the one that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses {
    /// Rows that wait.
    pub pending: Vec<String>,
    /// Rows being worked on.
    pub processing: Vec<String>,
    /// Rows that are done.
    pub completed: Vec<String>,
    /// Rows that failed for good.
    pub failed: Vec<String>,
}

impl Statuses {
    /// Returns the words of all four.
    pub fn all(&self) -> Vec<String> {
        [
            self.pending.as_slice(),
            &self.processing,
            &self.completed,
            &self.failed,
        ]
        .concat()
    }

    /// Returns them without the words that a table's type does not know.
    pub fn retain(&self, is_known: impl Fn(&str) -> bool) -> Self {
        let known = |words: &[String]| {
            let known = words.iter().filter(|word| is_known(word));
            known.cloned().collect()
        };
        Self {
            pending: known(&self.pending),
            processing: known(&self.processing),
            completed: known(&self.completed),
            failed: known(&self.failed),
        }
    }
}
