//! What a link to the page asks for. An old link is no mistake of whoever follows it: what is not
//! known in it is as if it were absent, and a stage or a machine that is gone has no rows. Pure.

use crate::config::Pipeline;
use crate::snapshot::FailedQuestion;

use super::filter::Filter;
use super::{FailedRequest, limit, position};

/// From how many pages a link knows the way back to the page before.
const MOST_CURSORS: usize = 20;

/// A page of failed rows and the way to it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Link {
    /// What the rows have in common.
    pub filter: Filter,
    /// Where the pages begin, from the second one to the one that is asked for.
    pub cursors: Vec<String>,
    limit: Option<i64>,
}

impl Link {
    /// Reads the query of a link, in which each `after` leads one page on.
    pub fn read(query: &str) -> Self {
        let mut link = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                _ if value.is_empty() => {}
                "limit" => link.limit = limit(&value).ok(),
                "after" if position(&value).is_ok() => link.cursors.push(value.into_owned()),
                name => link.filter.set_anyhow(name, &value),
            }
        }
        let surplus = link.cursors.len().saturating_sub(MOST_CURSORS);
        link.cursors.drain(..surplus);
        link
    }

    /// Returns what the database is asked.
    pub fn question(&self, pipeline: &Pipeline) -> FailedQuestion {
        let after = self.cursors.last();
        let request = FailedRequest {
            filter: self.filter.clone(),
            limit: self.limit,
            after: after.and_then(|cursor| position(cursor).ok()),
        };
        request.question(pipeline)
    }
}

#[cfg(test)]
mod tests {
    use super::super::cursor;
    use super::*;
    use crate::snapshot::Position;

    fn page(id: i64) -> String {
        cursor(&Position {
            stage: "ocr".into(),
            failed_at: Some(1.5),
            id: id.into(),
        })
    }

    #[test]
    fn what_is_not_known_is_as_if_it_were_absent() {
        let known = Link::read("stage=ocr&machine=gone");
        let query = "utm_source=mail&stage=ocr&limit=many&after=nonsense&machine=gone&x";
        assert_eq!(Link::read(query), known);
        assert_eq!(known.filter.machine.as_deref(), Some("gone"));
        let odd = Link::read("stage=a%00").filter;
        assert_eq!(odd.stage.as_deref(), Some("a\u{fffd}"));
    }

    #[test]
    fn each_page_leads_on_from_the_one_before() {
        let query = format!("after={}&after={}", page(1), page(2));
        assert_eq!(Link::read(&query).cursors, [page(1), page(2)]);
        let many: Vec<String> = (0..30).map(|id| format!("after={}", page(id))).collect();
        let cursors = Link::read(&many.join("&")).cursors;
        assert_eq!((cursors.len(), cursors.last()), (20, Some(&page(29))));
    }
}
