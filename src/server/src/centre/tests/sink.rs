//! What is handed on of each step before anybody hears of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::bench::*;
use crate::centre::{Options, Sink, Step};

/// What the sinks of one test took, by node.
type Taken = Mutex<BTreeMap<String, Vec<u64>>>;

struct Collector(&'static Taken, String);

impl Sink for Collector {
    fn take<'a>(&'a self, steps: &'a [Step]) -> BoxFuture<'a, Result<(), storage::Error>> {
        Box::pin(async move {
            let mut taken = self.0.lock().unwrap();
            let mine = taken.entry(self.1.clone()).or_default();
            // The first time it cannot: the same steps must come again.
            if mine.is_empty() {
                mine.push(0);
                return Err(storage::Error::Full);
            }
            mine.extend(steps.iter().map(|s| s.seq));
            Ok(())
        })
    }
}

fn collect(options: &mut Options, taken: &'static Taken) {
    options.snapshot_records = 10;
    options.snapshot_pause = Duration::ZERO;
    options.sink = Some(Arc::new(Collector(taken, options.node.to_string())));
}

/// Whatever others save while a node is away, its sink gets each step.
async fn each_step_is_handed_on(b: &mut Bench, taken: &'static Taken) {
    b.shut_down(1).await;
    for n in 0..40 {
        if b.kind == Kind::Redis {
            b.ask(0, &format!("away-{n}"), AARHUS).await;
        }
    }
    b.start(1).await;
    b.ask(1, "here", AARHUS).await;
    b.sync().await;
    let head = b.log().head().await.unwrap().seq;
    let name = b.on(1).node().to_string();
    let mut took = taken.lock().unwrap()[&name].clone();
    took.sort_unstable();
    took.dedup();
    assert_eq!(took, (0..=head).collect::<Vec<_>>());
    b.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_step_is_handed_on_embedded() {
    static TAKEN: Taken = Mutex::new(BTreeMap::new());
    if let Some(mut b) = Bench::new(Kind::Embedded, |o| collect(o, &TAKEN)).await {
        each_step_is_handed_on(&mut b, &TAKEN).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_step_is_handed_on_redis() {
    static TAKEN: Taken = Mutex::new(BTreeMap::new());
    if let Some(mut b) = Bench::new(Kind::Redis, |o| collect(o, &TAKEN)).await {
        each_step_is_handed_on(&mut b, &TAKEN).await;
    }
}
