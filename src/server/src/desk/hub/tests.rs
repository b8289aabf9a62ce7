use super::*;

fn window(
    windows: &mut Windows,
    agent: &str,
    number: u64,
) -> (mpsc::Receiver<Out>, Arc<AtomicBool>) {
    let (out, coming) = mpsc::channel(OUTBOX);
    let slow = Arc::new(AtomicBool::new(false));
    let session = Session {
        out,
        slow: Arc::clone(&slow),
        lists: Lists::new([(); 3].map(|()| watch::channel(None).0)),
        stale: false,
    };
    windows.0.insert((agent.parse().unwrap(), number), session);
    (coming, slow)
}

/// Scenario 20: what waits for a slow reader is bounded; it alone goes, and hears why.
#[test]
fn scenario_20_a_slow_desk_is_let_go_and_no_other_embedded() {
    let mut windows = Windows::default();
    let (mut slow, is_slow) = window(&mut windows, "anna", 1);
    let (mut quick, is_quick) = window(&mut windows, "anna", 2);
    let (mut other, _) = window(&mut windows, "bo", 1);
    let anna: AgentId = "anna".parse().unwrap();
    let mut read = 0;
    let mut gone = Vec::new();
    for n in 0..=OUTBOX {
        for key in windows.send(&anna, &n.to_string().into()) {
            windows.0.remove(&key);
            gone.push((n, key.1));
        }
        while let Ok(Out::Frame(f)) = quick.try_recv() {
            assert_eq!(f.as_str(), read.to_string(), "in order");
            read += 1;
        }
    }
    assert_eq!(gone, [(OUTBOX, 1)], "when it was full, and not before");
    assert!(is_slow.load(Ordering::Acquire) && !is_quick.load(Ordering::Acquire));
    assert_eq!(read, OUTBOX + 1);
    assert!(other.try_recv().is_err(), "nothing of anna's");
    let waiting = std::iter::from_fn(|| slow.try_recv().ok()).count();
    assert_eq!(
        waiting, OUTBOX,
        "what it had is still to be read, then the end"
    );
    assert!(matches!(
        slow.try_recv(),
        Err(mpsc::error::TryRecvError::Disconnected)
    ));
}

#[test]
fn a_desk_without_its_snapshot_hears_nothing_yet() {
    let mut windows = Windows::default();
    let (mut coming, _) = window(&mut windows, "anna", 1);
    let anna: AgentId = "anna".parse().unwrap();
    windows.0.values_mut().for_each(|s| s.stale = true);
    assert!(windows.send(&anna, &"x".into()).is_empty());
    assert!(coming.try_recv().is_err());
}
