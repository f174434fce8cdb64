use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use queueboard_exporter::admin::request::order::Order;
use queueboard_exporter::config;
use queueboard_exporter::snapshot::Id;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::task::block_in_place;

use crate::support::{Database, Engine, Exporter, Options, bearer};

/// How many bytes a body may have.
const MOST_BODY: usize = 64 << 10;

/// What is put into a body to break it.
const SPLINTERS: [&str; 16] = [
    "",
    "",
    "",
    " ",
    "[",
    "]",
    "}",
    ",",
    "\"",
    "1",
    ".0",
    "e1",
    "-",
    "\0",
    "\u{feff}",
    ",\"ids\":[1]",
];

/// Bodies that name rows which are there and which are not, broken here and there.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let ids = prop::collection::vec(-2..50_i64, 0..8);
    let splinter = (any::<Index>(), 0..3_usize, select(&SPLINTERS[..]));
    let short = (ids, prop::collection::vec(splinter, 0..3)).prop_map(|(ids, splinters)| {
        let mut body = format!("{{\"ids\": {ids:?}}}").into_bytes();
        for (at, length, splinter) in splinters {
            let from = at.index(body.len() + 1);
            body.splice(from..(from + length).min(body.len()), splinter.bytes());
        }
        body
    });
    let long = (MOST_BODY - 1..MOST_BODY + 2).prop_map(|length| {
        let mut body = b"{\"ids\":[1]".to_vec();
        body.resize(length - 1, b' ');
        body.push(b'}');
        body
    });
    prop_oneof![20 => short, 1 => long, 2 => prop::collection::vec(any::<u8>(), 0..30)]
}

/// How a body is sent.
#[derive(Debug, Clone)]
enum Framing {
    /// With its length.
    Whole,
    /// In chunks cut at these places.
    Chunks(Vec<Index>),
    /// With a length that is greater, and then nothing more.
    Short,
}

fn framing() -> impl Strategy<Value = Framing> {
    let chunks = prop::collection::vec(any::<Index>(), 0..5).prop_map(Framing::Chunks);
    prop_oneof![4 => Just(Framing::Whole), 2 => chunks, 1 => Just(Framing::Short)]
}

/// Sends a body; returns the status and the answer, unless the connection just ends.
fn send(address: SocketAddr, action: &str, body: &[u8], framing: &Framing) -> Option<(u16, Value)> {
    let (framed, field) = match framing {
        Framing::Whole => (body.to_vec(), format!("Content-Length: {}", body.len())),
        Framing::Short => (body.to_vec(), format!("Content-Length: {}", body.len() + 1)),
        Framing::Chunks(cuts) => (chunked(body, cuts), "Transfer-Encoding: chunked".to_owned()),
    };
    let head = format!(
        "POST /api/queue/{action} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{}\r\n\
         Content-Type: application/json\r\n{field}\r\n\r\n",
        bearer()
    );
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("a time-out");
    // A refusal may come, and the connection end, before all is sent.
    let _ = stream.write_all(&[head.as_bytes(), &framed].concat());
    if matches!(framing, Framing::Short) {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).expect("an answer of text");
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().expect("a status");
    Some((
        status,
        serde_json::from_str(body).expect("an answer of JSON"),
    ))
}

fn chunked(body: &[u8], cuts: &[Index]) -> Vec<u8> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    cuts.sort_unstable();
    cuts.push(body.len());
    let (mut framed, mut start) = (Vec::new(), 0);
    for end in cuts.into_iter().filter(|end| *end > 0) {
        // A chunk of no bytes would be the end.
        if end > start {
            framed.extend(format!("{:x}\r\n", end - start).into_bytes());
            framed.extend(&body[start..end]);
            framed.extend(b"\r\n");
            start = end;
        }
    }
    framed.extend(b"0\r\n\r\n");
    framed
}

/// What becomes of a body: of each row that it names, or the reason why of none.
fn expected(body: &[u8], rows: &mut BTreeMap<i64, bool>, done: &'static str) -> (u16, Value) {
    if body.len() > MOST_BODY {
        return (
            413,
            "the body is larger than 64 KiB: name fewer rows".into(),
        );
    }
    let pipeline = config::load(None).expect("the usual pipeline");
    match Order::parse(body, &pipeline) {
        Err(reason) => (400, reason.into()),
        Ok(Order::Matching(matching)) => panic!("no body has a filter: {matching:?}"),
        Ok(Order::Ids(ids)) => {
            let result = |id: &Id| {
                let row = id.number().and_then(|number| rows.get_mut(&number));
                let failed = row.map(std::mem::take);
                let outcome = match failed {
                    None => "not_found",
                    Some(true) => done,
                    Some(false) => "not_failed",
                };
                serde_json::json!({"id": id, "outcome": outcome})
            };
            (200, ids.iter().map(result).collect())
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_does_what_it_says_or_nothing() {
    let database = Database::create(Engine::Postgres).await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    let database = Mutex::new(database);
    let failed_after = |script: &str| {
        block_in_place(|| {
            Handle::current().block_on(async {
                let mut database = database.lock().await;
                database.run(script).await;
                database.texts(FAILED).await
            })
        })
    };
    proptest!(|(requests in prop::collection::vec((any::<bool>(), body(), framing()), 1..6))| {
        let mut rows: BTreeMap<i64, bool> = (1..=40).map(|id| (id, true)).collect();
        failed_after(FORTY_FAILED_ROWS);
        for (skips, body, framing) in requests {
            let (action, done) = if skips { ("skip", "skipped") } else { ("retry", "retried") };
            let answer = send(exporter.admin, action, &body, &framing);
            if matches!(framing, Framing::Short) {
                prop_assert!(answer.is_none_or(|(status, _)| status == 400 || status == 413));
            } else {
                let (status, answer) = answer.expect("an answer");
                let part = if status == 200 { "results" } else { "error" };
                prop_assert_eq!((status, answer[part].clone()), expected(&body, &mut rows, done));
            }
            let failed: Vec<String> = rows.iter().filter(|(_, failed)| **failed).map(|(id, _)| id.to_string()).collect();
            prop_assert_eq!(failed_after(""), failed);
        }
    });
}

const FORTY_FAILED_ROWS: &str = "TRUNCATE processing_queue;
    INSERT INTO processing_queue (id, document_id, stage, status, created_at)
    SELECT n, n, 'stt', 'failed', now() FROM generate_series(1, 40) AS n";

const FAILED: &str =
    "SELECT q.id::text FROM processing_queue q WHERE status = 'failed' ORDER BY q.id";
