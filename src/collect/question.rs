//! What is asked in one question: mostly what one collector wants to know.

use crate::snapshot::Collector;

/// A question, and so the collectors that it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// One collector's.
    Of(Collector),
    /// That of the two which would each pass over the whole queue.
    Queue,
}

impl Question {
    /// Returns the questions that answer the collectors, in their order. Those who would pass over
    /// the queue are asked `together` or not.
    pub(super) fn all(collectors: &[Collector], together: bool) -> Vec<Self> {
        let both = Self::Queue
            .collectors()
            .all(|one| collectors.contains(&one));
        let of = |collector| match collector {
            Collector::Trend | Collector::Stages if both && together => Self::Queue,
            collector => Self::Of(collector),
        };
        let mut questions: Vec<Self> = collectors.iter().copied().map(of).collect();
        questions.dedup();
        questions
    }

    /// Returns the collectors that it answers.
    pub(super) fn collectors(self) -> impl DoubleEndedIterator<Item = Collector> {
        Collector::ALL.into_iter().filter(move |one| match self {
            Self::Of(collector) => *one == collector,
            Self::Queue => matches!(one, Collector::Trend | Collector::Stages),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_collectors_share_a_pass_where_both_are_wanted() {
        use Collector::{BackgroundJobs, Current, Stages, Trend};
        let of = Question::Of;
        let all = [of(BackgroundJobs), of(Current), Question::Queue];
        assert_eq!(Question::all(&Collector::ALL, true), all);
        let all = [of(BackgroundJobs), of(Current), of(Trend), of(Stages)];
        assert_eq!(Question::all(&Collector::ALL, false), all);
        assert_eq!(
            Question::all(&[Current, Stages], true),
            [of(Current), of(Stages)]
        );
        assert_eq!(Question::all(&[Trend], true), [of(Trend)]);
    }
}
