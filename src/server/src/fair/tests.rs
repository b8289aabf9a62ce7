use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::task::{JoinHandle, JoinSet, yield_now};

use super::*;

fn network(n: u8) -> Flow {
    Flow::Network(Network::V4([198, 18, 0, n]))
}

/// Asks, notes its name when its turn comes, and is done at once.
fn ask(line: &Arc<Line>, book: &Arc<Mutex<Vec<u8>>>, n: u8) -> JoinHandle<()> {
    let (line, book) = (Arc::clone(line), Arc::clone(book));
    tokio::spawn(async move {
        let turn = line.turn(network(n)).await;
        book.lock().unwrap().push(n);
        drop(turn);
    })
}

async fn settled() {
    for _ in 0..10 {
        yield_now().await;
    }
}

#[tokio::test]
async fn nobody_waits_while_there_is_room() {
    let line = Line::new(2);
    let first = line.turn(network(1)).await;
    let second = line.turn(network(1)).await;
    assert_eq!((line.questions(), line.flows()), (0, 0));
    let third = tokio::spawn({
        let line = Arc::clone(&line);
        async move { drop(line.turn(network(1)).await) }
    });
    settled().await;
    assert_eq!((line.questions(), line.flows()), (1, 1));
    drop(first);
    third.await.unwrap();
    drop(second);
    assert!(line.lock().running == 0 && line.lock().waiting == 0);
}

#[tokio::test]
async fn who_asks_seldom_goes_before_who_asks_without_pause() {
    let line = Line::new(1);
    let book = Arc::default();
    let at_hand = line.turn(network(1)).await;
    let mut all: Vec<_> = (0..10).map(|_| ask(&line, &book, 1)).collect();
    settled().await;
    all.push(ask(&line, &book, 2));
    all.push(ask(&line, &book, 3));
    settled().await;
    assert_eq!((line.questions(), line.flows()), (12, 3));
    drop(at_hand);
    for one in all {
        one.await.unwrap();
    }
    let book = book.lock().unwrap();
    assert_eq!(book[..4], [1, 2, 3, 1]);
}

#[tokio::test]
async fn known_networks_take_turns_and_fresh_ones_do_not_keep_them_out() {
    let line = Line::new(1);
    let book: Arc<Mutex<Vec<u8>>> = Arc::default();
    let at_hand = line.turn(network(0)).await;
    let mut all = Vec::new();
    for n in [1, 1, 1, 2, 2, 2] {
        all.push(ask(&line, &book, n));
    }
    for n in 100..112 {
        all.push(ask(&line, &book, n));
    }
    settled().await;
    drop(at_hand);
    for one in all {
        one.await.unwrap();
    }
    let book = book.lock().unwrap();
    let places = |n: u8| -> Vec<usize> { (0..book.len()).filter(|i| book[*i] == n).collect() };
    // Both were fresh once; then each fourth place is for one that is known.
    assert_eq!(places(1), [0, 3, 11]);
    assert_eq!(places(2), [1, 7, 15]);
}

#[tokio::test]
async fn who_leaves_is_passed_over_and_nothing_is_kept() {
    let line = Line::new(1);
    let book = Arc::default();
    let at_hand = line.turn(network(1)).await;
    let gone: Vec<_> = (0..50).map(|n| ask(&line, &book, n)).collect();
    settled().await;
    let stays = ask(&line, &book, 60);
    settled().await;
    assert_eq!(line.questions(), 51);
    for one in gone {
        one.abort();
    }
    settled().await;
    assert_eq!((line.questions(), line.flows()), (1, 1));
    drop(at_hand);
    stays.await.unwrap();
    assert_eq!(*book.lock().unwrap(), [60]);
    // One that leaves just as its turn comes gives it back.
    let at_hand = line.turn(network(1)).await;
    let late = ask(&line, &book, 2);
    settled().await;
    drop(at_hand);
    late.abort();
    let _ = late.await;
    settled().await;
    drop(line.turn(network(3)).await);
    let state = line.lock();
    assert_eq!((state.running, state.waiting), (0, 0));
    assert!(state.flows.len() <= 1 && state.fresh.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_are_served_once_and_never_more_than_so_many_together() {
    let line = Line::new(3);
    let (inside, served) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    for n in 0..2_000_u32 {
        let (line, inside, served) = (Arc::clone(&line), Arc::clone(&inside), Arc::clone(&served));
        tasks.spawn(async move {
            for _ in 0..n % 7 {
                yield_now().await;
            }
            let asking = line.turn(network((n.wrapping_mul(2_654_435_761) >> 29) as u8));
            // Every fifth gives up at some time.
            let turn = if n.is_multiple_of(5) {
                tokio::select! {
                    biased;
                    turn = asking => Some(turn),
                    () = yield_now() => None,
                }
            } else {
                Some(asking.await)
            };
            let Some(_turn) = turn else { return false };
            assert!(inside.fetch_add(1, Relaxed) < 3);
            yield_now().await;
            inside.fetch_sub(1, Relaxed);
            served.fetch_add(1, Relaxed);
            true
        });
    }
    let had = tasks
        .join_all()
        .await
        .into_iter()
        .filter(|had| *had)
        .count();
    assert_eq!(served.load(Relaxed), had);
    assert!(had >= 1_600, "{had}");
    let state = line.lock();
    assert_eq!((state.running, state.waiting), (0, 0));
}
