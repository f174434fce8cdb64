use chrono::{DateTime, TimeDelta, Utc};

use crate::support::{Database, Engine, Exporter, Options};

const STARTED: &str = "2026-11-24T00:00:00Z";

/// Lets the job be so far at an instant, which is now.
async fn advance(database: &mut Database, minutes: i64, processed: i64) {
    let started: DateTime<Utc> = STARTED.parse().expect("an instant");
    let now = started + TimeDelta::minutes(minutes);
    database.set_clock(now).await;
    let now = now.format("%Y-%m-%dT%H:%M:%SZ");
    database
        .run(&format!(
            "UPDATE background_jobs SET processed = {processed}, updated_at = '{now}'"
        ))
        .await;
}

fn eta_minutes(exporter: &Exporter) -> f64 {
    let page = exporter.scrape();
    let is_eta = |key: &&String| key.starts_with("queueboard_background_job_eta_seconds");
    let key = page.keys().find(is_eta).expect("an ETA");
    page[key] / 60.0
}

#[tokio::test]
async fn a_job_that_slept_goes_on_at_the_pace_of_its_heartbeats() {
    for engine in Engine::ALL {
        let mut database = Database::create(engine).await;
        database.run("DROP TABLE background_jobs").await;
        database
            .run(&format!(
                "CREATE TABLE background_jobs (id bigint PRIMARY KEY, kind text, label text,
                    state text, processed bigint, total bigint, started_at timestamptz,
                    updated_at timestamptz, finished_at timestamptz, error text);
                 INSERT INTO background_jobs (id, kind, state, total, started_at)
                    VALUES (1, 'reindex', 'running', 1000, '{STARTED}')"
            ))
            .await;
        advance(&mut database, 300, 100).await;
        let serve = |database: &Database| {
            let options = Options {
                clock: database.clock(),
                ..Options::default()
            };
            Exporter::serve(database.url(), &options)
        };
        let exporter = serve(&database);
        assert_eq!(eta_minutes(&exporter), 2700.0, "{engine:?}: as so far");
        advance(&mut database, 310, 200).await;
        assert_eq!(eta_minutes(&exporter), 1240.0, "{engine:?}: as so far");
        advance(&mut database, 320, 300).await;
        let eta = eta_minutes(&exporter);
        assert_eq!(eta, 70.0, "{engine:?}: ten items a minute");
        assert_eq!(eta_minutes(&exporter), eta, "{engine:?}: nothing is new");

        let restarted = eta_minutes(&serve(&database));
        let so_far = 320.0 * 700.0 / 300.0;
        assert!((restarted - so_far).abs() < 1e-6, "{restarted}");
        advance(&mut database, 321, 10).await;
        let anew = eta_minutes(&exporter);
        assert_eq!(anew, 321.0 * 99.0, "{engine:?}: processed goes backwards");
    }
}
