use super::case::{Case, Expected, Refusal, SQLITE, judge_all};

const SEOUL: &str = "queue: {naive_timestamps: Asia/Seoul}";

/// Makes every timestamp one without a zone, as a clock there shows it.
macro_rules! naive {
    ($zone:literal) => {
        concat!(
            "ALTER TABLE processing_queue
                ALTER created_at TYPE timestamp USING created_at AT TIME ZONE '",
            $zone,
            "',
                ALTER started_at TYPE timestamp USING started_at AT TIME ZONE '",
            $zone,
            "',
                ALTER completed_at TYPE timestamp USING completed_at AT TIME ZONE '",
            $zone,
            "';
             ALTER TABLE background_jobs
                ALTER started_at TYPE timestamp USING started_at AT TIME ZONE '",
            $zone,
            "',
                ALTER updated_at TYPE timestamp USING updated_at AT TIME ZONE '",
            $zone,
            "',
                ALTER finished_at TYPE timestamp USING finished_at AT TIME ZONE '",
            $zone,
            "'"
        )
    };
}

/// The same in SQLite, whose text may have any form.
macro_rules! written {
    ($form:literal, $shift:literal) => {
        concat!(
            "UPDATE processing_queue SET created_at = strftime('",
            $form,
            "', created_at, '",
            $shift,
            "'),
                started_at = strftime('",
            $form,
            "', started_at, '",
            $shift,
            "'),
                completed_at = strftime('",
            $form,
            "', completed_at, '",
            $shift,
            "');
             UPDATE background_jobs SET started_at = strftime('",
            $form,
            "', started_at, '",
            $shift,
            "'),
                updated_at = strftime('",
            $form,
            "', updated_at, '",
            $shift,
            "'),
                finished_at = strftime('",
            $form,
            "', finished_at, '",
            $shift,
            "')"
        )
    };
}

const UNSAID: Refusal = Refusal {
    collectors: &["stages", "trend", "outlook"],
    words: &["created_at", "future", "naive_timestamps"],
    mend: ("", SEOUL),
};

/// What a skip writes is what a clock in Seoul shows, as the other rows have it.
const SKIPPED_THERE: (&str, &[&str]) = (
    "SELECT CAST(completed_at = clock.now() AT TIME ZONE 'Asia/Seoul' AS text)
     FROM processing_queue WHERE id = 186",
    &["true"],
);

const OF_POSTGRES: [Case; 4] = [
    Case {
        name: "naive timestamps in UTC",
        sql: naive!("UTC"),
        after: &[(
            "SELECT CAST(completed_at = clock.now() AT TIME ZONE 'UTC' AS text)
             FROM processing_queue WHERE id = 186",
            &["true"],
        )],
        ..Case::RIGHT
    },
    Case {
        name: "naive timestamps in UTC on a server in Seoul",
        sql: concat!(
            naive!("UTC"),
            ";DO $$ BEGIN
                EXECUTE format('ALTER DATABASE %I SET timezone = ''Asia/Seoul''', current_database());
              END $$"
        ),
        ..Case::RIGHT
    },
    Case {
        name: "naive timestamps in Seoul, said",
        sql: naive!("Asia/Seoul"),
        configuration: SEOUL,
        after: &[SKIPPED_THERE],
        ..Case::RIGHT
    },
    Case {
        name: "naive timestamps in Seoul, not said",
        sql: naive!("Asia/Seoul"),
        expected: Expected::Refused(UNSAID),
        after: &[SKIPPED_THERE],
        ..Case::RIGHT
    },
];

const OF_SQLITE: [Case; 5] = [
    Case {
        name: "naive text in UTC",
        engines: SQLITE,
        sql: written!("%Y-%m-%d %H:%M:%S", "0 hours"),
        ..Case::RIGHT
    },
    Case {
        name: "naive text in Seoul, said",
        engines: SQLITE,
        sql: written!("%Y-%m-%d %H:%M:%S", "+9 hours"),
        configuration: SEOUL,
        ..Case::RIGHT
    },
    Case {
        name: "naive text in Seoul with a T and a fraction, said",
        engines: SQLITE,
        sql: written!("%Y-%m-%dT%H:%M:%f", "+9 hours"),
        configuration: SEOUL,
        ..Case::RIGHT
    },
    Case {
        name: "naive text in Seoul, not said",
        engines: SQLITE,
        sql: written!("%Y-%m-%d %H:%M:%S", "+9 hours"),
        expected: Expected::Refused(UNSAID),
        ..Case::RIGHT
    },
    Case {
        name: "text with an offset, whatever is said of naive text",
        engines: SQLITE,
        sql: written!("%Y-%m-%dT%H:%M:%S+09:00", "+9 hours"),
        configuration: "queue: {naive_timestamps: America/New_York}",
        ..Case::RIGHT
    },
];

/// A timestamp with a zone is what it is, whatever is said of those without.
const WITH_A_ZONE: Case = Case {
    name: "timestamptz, whatever is said of naive timestamps",
    configuration: SEOUL,
    ..Case::RIGHT
};

#[tokio::test]
async fn naive_timestamps_are_utc_or_their_zone_is_said() {
    judge_all(&OF_POSTGRES).await;
    judge_all(&[WITH_A_ZONE]).await;
}

#[tokio::test]
async fn naive_text_is_utc_or_its_zone_is_said() {
    judge_all(&OF_SQLITE).await;
}
