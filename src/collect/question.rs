//! What is asked in one question: mostly what one collector wants to know.

use crate::snapshot::Collector;

/// A question, and so the collectors that it answers: one, or those that share a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    collectors: Vec<Collector>,
}

impl Question {
    /// Returns the questions that answer each collector by itself, in their order.
    pub(super) fn apart(collectors: &[Collector]) -> Vec<Self> {
        let of = |collector: &Collector| Self {
            collectors: vec![*collector],
        };
        collectors.iter().map(of).collect()
    }

    /// Returns the questions that answer the collectors, in one those that `share` a pass over the
    /// whole queue. They ride with the stages, whose pass looks at most of it.
    pub(super) fn together(collectors: &[Collector], share: &[Collector]) -> Vec<Self> {
        if !collectors.contains(&Collector::Stages) {
            return Self::apart(collectors);
        }
        let shares = |collector: &&Collector| share.contains(collector);
        let (shared, apart): (Vec<_>, Vec<_>) = collectors.iter().partition(shares);
        let place = apart.partition_point(|collector| *collector < Collector::Stages);
        let mut questions = Self::apart(&apart);
        questions.insert(place, Self { collectors: shared });
        questions
    }

    /// Returns the collectors that it answers.
    pub(super) fn collectors(&self) -> &[Collector] {
        &self.collectors
    }

    /// Returns whether it answers more than one.
    pub(super) fn is_shared(&self) -> bool {
        self.collectors.len() > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(questions: Vec<Question>) -> Vec<Vec<Collector>> {
        let asked = questions.into_iter();
        asked.map(|question| question.collectors).collect()
    }

    #[test]
    fn those_share_a_pass_that_would_each_make_one() {
        use Collector::{BackgroundJobs, Current, Outlook, Stages, Trend};
        let together = |collectors: &[_], share: &[_]| asked(Question::together(collectors, share));
        let all = &[Trend, Stages, Outlook];
        let ride = [vec![BackgroundJobs], vec![Current], all.to_vec()];
        let wanted = [BackgroundJobs, Current, Trend, Stages, Outlook];
        assert_eq!(together(&wanted, all), ride);
        let last = [
            vec![BackgroundJobs],
            vec![Current],
            vec![Trend, Stages],
            vec![Outlook],
        ];
        assert_eq!(together(&wanted, &[Trend, Stages]), last);
        let [current, stages] = [vec![Current], vec![Stages]];
        assert_eq!(together(&[Current, Stages], all), [current, stages]);
        assert_eq!(
            together(&[Trend, Outlook], all),
            [vec![Trend], vec![Outlook]]
        );
        assert_eq!(
            asked(Question::apart(&[Trend, Stages])),
            [vec![Trend], vec![Stages]]
        );
    }
}
