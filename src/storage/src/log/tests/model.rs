//! Any sequence of operations of two nodes, against a model that is a list.

use proptest::prelude::*;

use super::harness::{Bench, Server, redis_is_here};
use super::*;

const TAIL: usize = 5;

#[derive(Clone, Debug)]
enum Op {
    /// From how many records behind the head, and the ids.
    Append(usize, usize, Vec<u8>),
    /// From which number, and how many.
    Read(usize, usize, usize),
    /// At how many records behind the head.
    Snapshot(usize, usize),
    /// A node is started anew.
    Restart(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let node = || 0_usize..2;
    let behind = prop_oneof![4 => Just(0_usize), 1 => 1_usize..8];
    prop_oneof![
        8 => (node(), behind, prop::collection::vec(0_u8..40, 0..5)).prop_map(|(n, b, i)| Op::Append(n, b, i)),
        4 => (node(), 0_usize..30, 1_usize..6).prop_map(|(n, a, l)| Op::Read(n, a, l)),
        2 => (node(), 0_usize..10).prop_map(|(n, b)| Op::Snapshot(n, b)),
        1 => node().prop_map(Op::Restart),
    ]
}

async fn run(bench: &Bench, ops: Vec<Op>) -> Result<(), TestCaseError> {
    let mut logs = [bench.log("0").await, bench.log("1").await];
    // All that was ever appended; the first `base` have been dropped.
    let mut all: Vec<Record> = Vec::new();
    let (mut base, mut snapshot) = (0, 0);
    let position = |all: &[Record], seq: usize| match seq {
        0 => Position::START,
        n => all[n - 1].position(),
    };
    for op in ops {
        match op {
            Op::Append(node, behind, ids) => {
                let after = all.len().saturating_sub(behind);
                let some: Vec<Entry> = ids.iter().map(|i| entry(&i.to_string())).collect();
                let got = logs[node]
                    .append(position(&all, after), some)
                    .await
                    .unwrap();
                let mut seqs = Vec::new();
                let mut new: Vec<String> = Vec::new();
                for id in ids.iter().map(u8::to_string) {
                    let kept = all[base..].iter().find(|r| r.id == id).map(|r| r.seq);
                    let now = new
                        .iter()
                        .position(|n| *n == id)
                        .map(|n| (all.len() + n + 1) as u64);
                    seqs.push(kept.or(now).unwrap_or_else(|| {
                        new.push(id);
                        (all.len() + new.len()) as u64
                    }));
                }
                if !new.is_empty() && after < all.len() {
                    let head = all.len() as u64;
                    prop_assert_eq!(got, Append::Conflict { head });
                    continue;
                }
                let Append::Appended(got) = got else {
                    return Err(TestCaseError::fail(format!("{got:?}")));
                };
                prop_assert_eq!(got.seqs, seqs);
                prop_assert_eq!(
                    got.new.iter().map(|r| r.id.clone()).collect::<Vec<_>>(),
                    new
                );
                prop_assert!(got.new.iter().all(|r| r.node == node.to_string()));
                all.extend(got.new);
            }
            Op::Read(node, after, limit) => {
                let after = after.min(all.len());
                let got = logs[node].read(position(&all, after), limit).await.unwrap();
                let expected = if after < base {
                    Read::Compacted { base: base as u64 }
                } else {
                    Read::Records(all[after..].iter().take(limit).cloned().collect())
                };
                prop_assert_eq!(got, expected);
            }
            Op::Snapshot(node, behind) => {
                let seq = all.len().saturating_sub(behind);
                let made = Snapshot {
                    position: position(&all, seq),
                    at: crate::tests::at(seq as i64),
                    bytes: seq.to_string().into_bytes(),
                };
                prop_assert_eq!(logs[node].save_snapshot(made.clone()).await, Ok(Put::Done));
                let none = logs[node].load_snapshot().await.unwrap();
                if seq > snapshot || (seq == 0 && base == 0 && snapshot == 0) {
                    snapshot = seq;
                    base = base.max(seq.saturating_sub(TAIL));
                    prop_assert_eq!(none, Some(made));
                } else {
                    prop_assert_eq!(none.map(|s| s.position.seq), Some(snapshot as u64));
                }
            }
            Op::Restart(node) => logs[node] = bench.log(&node.to_string()).await,
        }
    }
    prop_assert_eq!(read_all(&logs[0], position(&all, base)).await, &all[base..]);
    prop_assert_eq!(logs[1].head().await, Ok(position(&all, all.len())));
    assert!(all.is_sorted_by_key(|r| r.at));
    assert!(all.iter().map(|r| r.seq).eq(1..=all.len() as u64));
    Ok(())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn check(bench: impl Fn(u64) -> Bench) {
    let mut case = 0;
    let runner_config = ProptestConfig {
        // No file for failures: the seed is printed.
        failure_persistence: None,
        ..ProptestConfig::with_cases(40)
    };
    let mut runner = proptest::test_runner::TestRunner::new(runner_config);
    let cases = std::cell::RefCell::new(&mut case);
    runner
        .run(&prop::collection::vec(op(), 1..40), |ops| {
            **cases.borrow_mut() += 1;
            let bench = bench(**cases.borrow());
            runtime().block_on(run(&bench, ops))
        })
        .unwrap();
}

#[test]
fn embedded_does_what_the_model_does() {
    check(|_| Bench::embedded().unwrap());
}

#[test]
fn redis_does_what_the_model_does() {
    if !redis_is_here() {
        return;
    }
    let server = std::sync::Arc::new(runtime().block_on(Server::start(&[])));
    check(|case| Bench::Redis {
        server: std::sync::Arc::clone(&server),
        prefix: format!("case{case}"),
    });
}
