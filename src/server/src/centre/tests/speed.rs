//! How fast a node is: a measurement, run by hand.
//!
//! `cargo test --release -p server --lib speed -- --ignored --nocapture --test-threads 1`

use std::time::Duration;

use contact::centre::Sender;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::bench::*;
use super::people::*;

async fn measure(kind: Kind, pages: usize) {
    let Some(b) = Bench::new(kind, |o| o.look = Duration::from_secs(1)).await else {
        return;
    };
    for n in 0..pages {
        b.ask(0, &format!("i{n}"), AARHUS).await;
    }
    let end = Instant::now() + Duration::from_secs(4);
    let mut all = JoinSet::new();
    for page in 0..pages {
        // Half the pages at each node, and all listen at the other.
        let node = b.on(page);
        all.spawn(async move {
            let mut took = Vec::new();
            while Instant::now() < end {
                let message = format!("m{}", took.len());
                let begun = Instant::now();
                let says = says(&format!("i{page}"), &message, Sender::Citizen);
                node.send(says).await.unwrap();
                took.push(begun.elapsed());
            }
            took
        });
    }
    let mut took: Vec<Duration> = all.join_all().await.into_iter().flatten().collect();
    took.sort();
    println!(
        "{kind:?}, {pages} pages: {} messages a second, p50 {:?}, p99 {:?}",
        took.len() / 4,
        took[took.len() / 2],
        took[took.len() * 99 / 100],
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn speed_embedded() {
    for pages in [1, 16, 256] {
        measure(Kind::Embedded, pages).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn speed_redis() {
    for pages in [1, 16, 256] {
        measure(Kind::Redis, pages).await;
    }
}
