//! Whether a table is read right, or refused in words that mend it.

use serde_json::json;

use super::case::{Expected, Refusal};
use super::table::Table;
use super::{acts, judge};
use crate::support::Exporter;

impl Table {
    /// Everything of it is as the case expects.
    pub(super) async fn judge(&mut self) {
        let configuration = self.case.configuration;
        let exporter = self.serve(configuration);
        match self.case.expected {
            Expected::Right => self.is_right(&exporter, configuration).await,
            Expected::ReadOnly => self.is_read_only(&exporter, configuration).await,
            Expected::Refused(refusal) => self.is_refused(exporter, refusal).await,
            Expected::RightOrRefused(words) => {
                let page = exporter.scrape();
                let is_right = page[r#"queueboard_collector_success{collector="stages"}"#] == 1.0;
                if is_right {
                    return self.is_right(&exporter, configuration).await;
                }
                self.shows_nothing(&exporter, &["stages"], words).await;
            }
        }
    }

    /// Every number, list, action and row is right, and `check` finds nothing to complain of.
    pub(super) async fn is_right(&mut self, exporter: &Exporter, configuration: &str) {
        let (is_sound, broken) = self.check(configuration, true).await;
        judge::numbers(self, exporter);
        judge::failures(self, exporter);
        acts::actions(self, exporter).await;
        judge::numbers(self, exporter);
        judge::failures(self, exporter);
        for (query, expected) in self.case.after {
            assert_eq!(self.database.texts(query).await, *expected, "{query}");
        }
        assert!(is_sound, "all is right, but check says:\n{broken}");
    }

    async fn is_read_only(&mut self, exporter: &Exporter, configuration: &str) {
        judge::numbers(self, exporter);
        judge::failures(self, exporter);
        let before = acts::contents(self).await;
        for action in ["retry", "skip"] {
            let body = json!({"ids": [self.case.names.queue.json(181)]}).to_string();
            let answer = exporter.act(&format!("/api/queue/{action}"), &body);
            let text = answer.text();
            assert!(answer.status >= 400, "{action}: {} {text}", answer.status);
            let error = answer.json()["error"].as_str().map(str::to_owned);
            let error = error.unwrap_or_default();
            assert!(error.contains("nothing was changed"), "{action}: {text}");
            // Whoever asked can do nothing with "see the log".
            let reasons = ["processing_queue", "status", "view"];
            let is_reasoned = reasons.iter().any(|reason| error.contains(reason));
            assert!(is_reasoned, "{action}: {} {text}", answer.status);
        }
        assert_eq!(acts::contents(self).await, before);
        judge::numbers(self, exporter);
        let (is_sound, broken) = self.check(configuration, false).await;
        assert!(is_sound, "nobody acts on it, but check says:\n{broken}");
        let (is_sound, broken) = self.check(configuration, true).await;
        assert!(
            !is_sound && broken.contains("retry and skip"),
            "check says:\n{broken}"
        );
    }

    /// It is refused, and right when it has been mended.
    pub(super) async fn is_refused(&mut self, exporter: Exporter, refusal: Refusal) {
        self.shows_nothing(&exporter, refusal.collectors, refusal.words)
            .await;
        let (script, configuration) = refusal.mend;
        if configuration.is_empty() {
            // Nobody starts an exporter anew because of what was mended elsewhere.
            self.script(script).await;
            return self.is_right(&exporter, self.case.configuration).await;
        }
        drop(exporter);
        let exporter = self.serve(configuration);
        self.is_right(&exporter, configuration).await;
    }

    /// No number of the collectors is shown, and `check` says why.
    pub(super) async fn shows_nothing(
        &mut self,
        exporter: &Exporter,
        collectors: &[&str],
        words: &[&str],
    ) {
        let (is_sound, broken) = self.check(self.case.configuration, true).await;
        judge::nothing(exporter, collectors);
        assert!(!is_sound, "it is refused, but check finds nothing broken");
        for word in words {
            let is_said = broken.to_lowercase().contains(&word.to_lowercase());
            assert!(is_said, "check does not say {word}:\n{broken}");
        }
    }
}
