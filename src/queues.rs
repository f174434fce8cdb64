//! Other systems' queues in PostgreSQL, which views can show as the tables that are read here.

/// A system that keeps a queue.
#[derive(Debug)]
pub struct Queue {
    /// What commands and the configuration call it.
    pub name: &'static str,
    /// What its users call it.
    pub title: &'static str,
}

/// Every system that is known, by name.
pub const QUEUES: [Queue; 9] = [
    queue("celery-results", "Celery"),
    queue("good-job", "GoodJob"),
    queue("graphile-worker", "Graphile Worker"),
    queue("oban", "Oban"),
    queue("pg-boss", "pg-boss"),
    queue("pgqueuer", "PgQueuer"),
    queue("procrastinate", "Procrastinate"),
    queue("river", "River"),
    queue("solid-queue", "Solid Queue"),
];

const fn queue(name: &'static str, title: &'static str) -> Queue {
    Queue { name, title }
}

/// Returns the system of a name.
pub fn find(name: &str) -> Option<&'static Queue> {
    QUEUES.iter().find(|queue| queue.name == name)
}

/// Returns the names of all of them, for people.
pub fn names() -> String {
    QUEUES.map(|queue| queue.name).join(", ")
}
