//! The page that a person finds at the metrics listener.

use maud::{DOCTYPE, html};

use super::words::titled;

/// Renders the landing page of a system.
pub fn render(name: &str, telemetry_path: &str) -> String {
    let title = titled(name, "Queueboard exporter");
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
            }
            body {
                main {
                    h1 { (title) }
                    p { "A work queue in numbers, for Prometheus. Version " (env!("CARGO_PKG_VERSION")) "." }
                    ul {
                        li { a href={ "." (telemetry_path) } { "Metrics" } }
                        li { a href="./-/healthy" { "Health" } ": this process serves" }
                        li { a href="./-/ready" { "Readiness" } ": its configuration is loaded" }
                    }
                }
            }
        }
    };
    page.into_string()
}
