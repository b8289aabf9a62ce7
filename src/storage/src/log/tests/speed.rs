//! How fast it is, on a release build:
//! `cargo test --release -p storage -- --ignored --nocapture how_fast`.

use std::time::Duration;

use tokio::time::Instant;

use super::harness::{Server, journal, redis_is_here};
use super::*;

const TIME: Duration = Duration::from_secs(4);

/// Appends batches one after the other, mirrored, as a node does; a line of figures.
async fn measure(name: &str, log: Log, batch: usize) {
    log.recover().await.unwrap();
    let mut at = log.head().await.unwrap();
    // What was measured before was not mirrored by this handle's journal: begin from where that ends.
    let body = vec![b'x'; 400];
    let mut times = Vec::new();
    let began = Instant::now();
    while began.elapsed() < TIME {
        let some = (0..batch)
            .map(|n| Entry {
                id: format!("{name}-{batch}-{}-{n}", times.len()),
                body: body.clone(),
            })
            .collect();
        let start = Instant::now();
        let Append::Appended(a) = log.append(at, some).await.unwrap() else {
            panic!("nobody else is here")
        };
        log.mirror(&a.new).await.unwrap();
        at = a.new.last().unwrap().position();
        times.push(start.elapsed());
    }
    let all = began.elapsed();
    times.sort_unstable();
    let of = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1000.0;
    println!(
        "{name:<34} batch {batch:>2}: {:>7.0} records/s, {:>6.0} appends/s, p50 {:.2} ms, p99 {:.2} ms",
        (times.len() * batch) as f64 / all.as_secs_f64(),
        times.len() as f64 / all.as_secs_f64(),
        of(50),
        of(99)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: takes half a minute, and wants a release build and a quiet machine"]
async fn how_fast() {
    for batch in [1, 8, 64] {
        let (_dir, journal) = journal();
        let clock = std::sync::Arc::new(base::SystemClock::new());
        let log = Log::embedded(journal, clock, "a", Keep::default()).unwrap();
        measure("embedded", log, batch).await;
    }
    if !redis_is_here() {
        return;
    }
    for fsync in ["always", "everysec"] {
        for batch in [1, 8, 64] {
            let server = Server::start(&["--appendfsync", fsync]).await;
            let (_dir, journal) = journal();
            let options = RedisOptions {
                grace: Duration::ZERO,
                ..RedisOptions::new(server.url())
            };
            let log = Log::redis(journal, "a", &options).unwrap();
            measure(&format!("redis {fsync}, with mirror"), log, batch).await;
        }
    }
}
