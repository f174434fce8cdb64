use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::{dashboards, text};
use crate::support::repository_file;

/// Links between dashboards, and from the alerts to them, lead to one that is there.
#[test]
fn links_lead_to_dashboards() {
    let dashboards = dashboards();
    let uids: BTreeSet<&str> = dashboards
        .values()
        .map(|known| text(&known["uid"]))
        .collect();
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("alerts/rules.yml");
    let rules = std::fs::read_to_string(rules).unwrap_or_default();
    let pages = dashboards.values().map(Value::to_string).chain([rules]);
    let mut links = 0;
    for page in pages {
        for link in page.split("/d/").skip(1) {
            let end = link.find(|letter: char| !letter.is_alphanumeric() && letter != '-');
            let uid = &link[..end.unwrap_or(link.len())];
            assert!(uids.contains(uid), "no dashboard {uid}");
            links += 1;
        }
    }
    assert!(links > 1);
}

#[test]
fn provisioning_loads_the_files_that_are_there() {
    let sources = repository_file("dashboards/provisioning/datasources/queueboard.yml");
    let provider = repository_file("dashboards/provisioning/dashboards/queueboard.yml");
    for file in [&sources, &provider] {
        assert!(file.contains("\napiVersion: 1\n"), "{file}");
        // Grafana would put variables of its environment in.
        assert!(!file.contains('$'), "{file}");
    }
    assert!(sources.contains("type: prometheus"));
    assert!(provider.contains("type: file"));
}
