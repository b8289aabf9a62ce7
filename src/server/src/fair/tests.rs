use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::task::{JoinHandle, JoinSet, yield_now};

use super::*;

fn network(n: u8) -> Flow {
    Flow::Network(Network::V4([198, 18, 0, n]))
}

/// Asks, notes its name when its turn comes, and is done at once; 40 to 49 are in haste.
fn ask(line: &Arc<Line>, book: &Arc<Mutex<Vec<u8>>>, n: u8) -> JoinHandle<()> {
    let (line, book) = (Arc::clone(line), Arc::clone(book));
    tokio::spawn(async move {
        let turn = line.turn(network(n), (40..50).contains(&n)).await;
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
    let first = line.turn(network(1), false).await;
    let second = line.turn(network(1), false).await;
    assert_eq!((line.questions(), line.flows()), (0, 0));
    let third = tokio::spawn({
        let line = Arc::clone(&line);
        async move { drop(line.turn(network(1), false).await) }
    });
    settled().await;
    assert_eq!((line.questions(), line.flows()), (1, 1));
    drop(first);
    third.await.unwrap();
    drop(second);
    assert!(line.lock().running == 0 && line.lock().waiting == 0);
}

#[tokio::test]
async fn networks_take_turns() {
    let line = Line::new(1);
    let book: Arc<Mutex<Vec<u8>>> = Arc::default();
    let at_hand = line.turn(network(0), false).await;
    let mut all: Vec<_> = (0..10).map(|_| ask(&line, &book, 1)).collect();
    settled().await;
    all.extend([2, 3, 2].map(|n| ask(&line, &book, n)));
    settled().await;
    assert_eq!((line.questions(), line.flows()), (13, 3));
    drop(at_hand);
    for one in all {
        one.await.unwrap();
    }
    assert_eq!(book.lock().unwrap()[..7], [1, 2, 3, 1, 2, 1, 1]);
}

#[tokio::test]
async fn those_in_haste_come_up_now_and_then() {
    let line = Line::new(1);
    let book: Arc<Mutex<Vec<u8>>> = Arc::default();
    let at_hand = line.turn(network(0), false).await;
    let mut all: Vec<_> = [40, 41].map(|n| ask(&line, &book, n)).into();
    all.extend((0..20).map(|n| ask(&line, &book, n)));
    settled().await;
    assert_eq!(line.flows(), 20);
    drop(at_hand);
    for one in all {
        one.await.unwrap();
    }
    assert_eq!(book.lock().unwrap()[..9], [0, 1, 2, 40, 3, 4, 5, 41, 6]);
}

#[tokio::test]
async fn who_is_in_haste_goes_behind_who_is_not() {
    let line = Line::new(1);
    let book: Arc<Mutex<Vec<u8>>> = Arc::default();
    let at_hand = line.turn(network(0), false).await;
    let mut all: Vec<_> = (40..50).map(|n| ask(&line, &book, n)).collect();
    settled().await;
    all.push(ask(&line, &book, 1));
    all.push(ask(&line, &book, 2));
    settled().await;
    drop(at_hand);
    for one in all {
        one.await.unwrap();
    }
    assert_eq!(book.lock().unwrap()[..4], [1, 2, 40, 41]);
}

#[test]
fn a_dialogue_is_in_haste_until_it_pauses() {
    let mut pace = Pace::default();
    let at = |s: u64| Duration::from_secs(s);
    let asked: Vec<bool> = [0, 1, 5, 9, 18, 28, 29].map(|s| pace.asks(at(s))).to_vec();
    assert_eq!(asked, [false, false, false, true, true, false, false]);
}

#[tokio::test]
async fn who_leaves_is_passed_over_and_nothing_is_kept() {
    let line = Line::new(1);
    let book = Arc::default();
    let at_hand = line.turn(network(1), false).await;
    let gone: Vec<_> = (0..45).map(|n| ask(&line, &book, n)).collect();
    settled().await;
    let stays = ask(&line, &book, 60);
    settled().await;
    assert_eq!(line.questions(), 46);
    for one in gone {
        one.abort();
    }
    settled().await;
    assert_eq!((line.questions(), line.flows()), (1, 1));
    drop(at_hand);
    stays.await.unwrap();
    assert_eq!(*book.lock().unwrap(), [60]);
    // One that leaves just as its turn comes gives it back.
    let at_hand = line.turn(network(1), false).await;
    let late = ask(&line, &book, 2);
    settled().await;
    drop(at_hand);
    late.abort();
    let _ = late.await;
    settled().await;
    drop(line.turn(network(3), false).await);
    let state = line.lock();
    assert_eq!((state.running, state.waiting), (0, 0));
    assert!(state.pausing.ring.is_empty() && state.pausing.flows.is_empty());
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
            let asking = line.turn(
                network((n.wrapping_mul(2_654_435_761) >> 29) as u8),
                n % 3 == 0,
            );
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
