use std::pin::pin;
use std::sync::Condvar;
use std::task::{Context, Poll, Wake, Waker};

use super::*;

/// A model whose vectors are the lengths of its texts, and which waits at a gate.
#[derive(Default)]
struct Fake {
    state: Mutex<FakeState>,
    changed: Condvar,
}

#[derive(Default)]
struct FakeState {
    /// Batches begun: priority and the tokens of each text.
    begun: Vec<(Priority, Vec<usize>)>,
    /// While true, batches of that lane wait inside `encode`.
    hold_interactive: bool,
    hold_background: bool,
}

impl Fake {
    fn new(hold_interactive: bool, hold_background: bool) -> Arc<Self> {
        let fake = Self::default();
        {
            let mut state = fake.state.lock().unwrap();
            state.hold_interactive = hold_interactive;
            state.hold_background = hold_background;
        }
        Arc::new(fake)
    }

    fn release(&self) {
        let mut state = self.state.lock().unwrap();
        state.hold_interactive = false;
        state.hold_background = false;
        self.changed.notify_all();
    }

    fn begun(&self) -> Vec<(Priority, Vec<usize>)> {
        self.state.lock().unwrap().begun.clone()
    }

    fn wait_for_batches(&self, count: usize) {
        let state = self.state.lock().unwrap();
        drop(
            self.changed
                .wait_while(state, |state| state.begun.len() < count)
                .unwrap(),
        );
    }
}

impl Encode for Fake {
    fn tokens(&self, _kind: Kind, text: &str) -> Result<Vec<u32>> {
        match text {
            "untokenizable" => Err(Error::Tokenizer("refused".into())),
            _ => Ok(vec![0; text.len()]),
        }
    }

    fn encode(&self, priority: Priority, batch: &[Vec<u32>]) -> Result<Vec<Vector>> {
        let mut state = self.state.lock().unwrap();
        state
            .begun
            .push((priority, batch.iter().map(Vec::len).collect()));
        self.changed.notify_all();
        let state = self
            .changed
            .wait_while(state, |state| match priority {
                Priority::Interactive => state.hold_interactive,
                Priority::Background => state.hold_background,
            })
            .unwrap();
        drop(state);
        match batch[0].len() {
            13 => Err(Error::Failed("thirteen".into())),
            17 => panic!("seventeen"),
            19 => Ok(Vec::new()),
            _ => Ok(batch
                .iter()
                .map(|tokens| Arc::from([tokens.len() as f32]))
                .collect()),
        }
    }
}

fn start(fake: &Arc<Fake>, options: SchedulerOptions) -> Handle {
    let model: Arc<dyn Encode> = Arc::<Fake>::clone(fake);
    Scheduler::start_with(&model, options).unwrap()
}

fn text(length: usize) -> String {
    "x".repeat(length)
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        std::thread::park();
    }
}

fn ask(handle: &Handle, length: usize) -> impl Future<Output = Result<Vector>> + Send + 'static {
    handle.encode(Priority::Interactive, Kind::Query, text(length))
}

#[test]
fn a_text_alone_is_not_kept_waiting() {
    let fake = Fake::new(false, false);
    let handle = start(&fake, SchedulerOptions::default());
    assert_eq!(*block_on(ask(&handle, 5)).unwrap(), [5.0]);
    assert_eq!(fake.begun(), [(Priority::Interactive, vec![5])]);
}

#[test]
fn what_waits_is_batched_up_to_the_budget() {
    let fake = Fake::new(true, false);
    let handle = start(
        &fake,
        SchedulerOptions {
            max_batch_tokens: 10,
            ..SchedulerOptions::default()
        },
    );
    let first = ask(&handle, 1);
    fake.wait_for_batches(1);
    let rest: Vec<_> = [4, 3, 5, 2, 30, 6]
        .map(|length| ask(&handle, length))
        .into();
    fake.release();
    assert_eq!(*block_on(first).unwrap(), [1.0]);
    for (future, length) in rest.into_iter().zip([4.0, 3.0, 5.0, 2.0, 30.0, 6.0]) {
        assert_eq!(*block_on(future).unwrap(), [length]);
    }
    let sizes: Vec<Vec<usize>> = fake.begun().into_iter().map(|(_, sizes)| sizes).collect();
    assert_eq!(sizes, [vec![1], vec![4, 3], vec![5, 2], vec![30], vec![6]]);
}

#[test]
fn a_full_lane_is_overloaded_and_the_other_is_not() {
    let fake = Fake::new(true, true);
    let handle = start(
        &fake,
        SchedulerOptions {
            queue_capacity: 2,
            ..SchedulerOptions::default()
        },
    );
    let running = ask(&handle, 1);
    fake.wait_for_batches(1);
    let waiting = [ask(&handle, 2), ask(&handle, 3)];
    assert!(matches!(block_on(ask(&handle, 4)), Err(Error::Overloaded)));
    assert!(
        matches!(block_on(ask(&handle, 2)), Err(Error::Overloaded)),
        "equal texts take a place too"
    );
    let background = handle.encode(Priority::Background, Kind::Query, text(4));
    assert_eq!(handle.waiting(), 3);
    fake.release();
    for future in waiting.into_iter().chain([running]) {
        block_on(future).unwrap();
    }
    block_on(background).unwrap();
}

#[test]
fn who_gives_up_makes_room_and_is_not_encoded() {
    let fake = Fake::new(true, false);
    let handle = start(
        &fake,
        SchedulerOptions {
            queue_capacity: 2,
            ..SchedulerOptions::default()
        },
    );
    let running = ask(&handle, 1);
    fake.wait_for_batches(1);
    drop(ask(&handle, 2));
    let kept = ask(&handle, 3);
    let late = ask(&handle, 4);
    fake.release();
    for future in [running, kept, late] {
        block_on(future).unwrap();
    }
    let texts: Vec<usize> = fake
        .begun()
        .into_iter()
        .flat_map(|(_, sizes)| sizes)
        .collect();
    assert_eq!(texts, [1, 3, 4]);
}

#[test]
fn equal_texts_are_encoded_once() {
    let fake = Fake::new(true, false);
    let handle = start(&fake, SchedulerOptions::default());
    let running = ask(&handle, 1);
    fake.wait_for_batches(1);
    let same: Vec<_> = (0..5).map(|_| ask(&handle, 7)).collect();
    let other_side = handle.encode(Priority::Interactive, Kind::Passage, text(7));
    fake.release();
    let vectors: Vec<Vector> = same
        .into_iter()
        .map(|future| block_on(future).unwrap())
        .collect();
    assert!(
        vectors
            .iter()
            .all(|vector| Arc::ptr_eq(vector, &vectors[0]))
    );
    block_on(running).unwrap();
    block_on(other_side).unwrap();
    assert_eq!(fake.begun()[1].1, [7, 7], "one query and one passage");
}

#[test]
fn a_question_does_not_wait_for_indexing() {
    let fake = Fake::new(false, true);
    let handle = start(
        &fake,
        SchedulerOptions {
            threads: 2,
            ..SchedulerOptions::default()
        },
    );
    let indexing = std::thread::spawn({
        let handle = handle.clone();
        move || {
            handle.encode_blocking(
                Kind::Passage,
                &(1..=40).map(|n| text(n + 50)).collect::<Vec<_>>(),
                &mut |_, _| {},
            )
        }
    });
    fake.wait_for_batches(2);
    // Both background threads are held, and yet:
    assert_eq!(*block_on(ask(&handle, 5)).unwrap(), [5.0]);
    fake.release();
    assert_eq!(indexing.join().unwrap().unwrap().len(), 40);
    let largest = fake
        .begun()
        .into_iter()
        .filter(|(priority, _)| *priority == Priority::Background);
    assert!(
        largest
            .map(|(_, sizes)| sizes.iter().sum::<usize>())
            .max()
            .unwrap()
            <= BACKGROUND_TOKENS
    );
}

#[test]
fn indexing_starts_nothing_while_a_question_runs() {
    let fake = Fake::new(true, false);
    let handle = start(&fake, SchedulerOptions::default());
    let question = ask(&handle, 5);
    fake.wait_for_batches(1);
    let background = handle.encode(Priority::Background, Kind::Query, text(6));
    let second = ask(&handle, 7);
    fake.release();
    for future in [question, second] {
        block_on(future).unwrap();
    }
    block_on(background).unwrap();
    let order: Vec<Priority> = fake
        .begun()
        .into_iter()
        .map(|(priority, _)| priority)
        .collect();
    assert_eq!(
        order,
        [
            Priority::Interactive,
            Priority::Interactive,
            Priority::Background
        ]
    );
}

#[test]
fn many_texts_keep_their_order_and_are_counted() {
    let fake = Fake::new(false, false);
    let options = SchedulerOptions {
        queue_capacity: 3,
        threads: 2,
        ..SchedulerOptions::default()
    };
    let handle = start(&fake, options);
    let lengths: Vec<usize> = (0..200).map(|n| 20 + n * 37 % 11).collect();
    let texts: Vec<String> = lengths.iter().map(|&length| text(length)).collect();
    let mut heard = Vec::new();
    let vectors = handle
        .encode_blocking(Kind::Passage, &texts, &mut |done, total| {
            heard.push((done, total));
        })
        .unwrap();
    for (vector, length) in vectors.iter().zip(lengths) {
        assert_eq!(**vector, [length as f32]);
    }
    assert_eq!(heard, (1..=200).map(|done| (done, 200)).collect::<Vec<_>>());
    assert!(
        handle
            .encode_blocking(Kind::Passage, &[], &mut |_, _| {})
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_failure_or_panic_ends_only_its_batch() {
    let fake = Fake::new(false, false);
    let handle = start(&fake, SchedulerOptions::default());
    for (length, said) in [
        (13, "thirteen"),
        (17, "seventeen"),
        (19, "0 vectors for 1 texts"),
    ] {
        for priority in [Priority::Interactive, Priority::Background] {
            let error = block_on(handle.encode(priority, Kind::Query, text(length))).unwrap_err();
            assert!(
                matches!(&error, Error::Failed(fault) if fault.contains(said)),
                "{error}"
            );
        }
    }
    let refused = handle.encode(Priority::Interactive, Kind::Query, "untokenizable".into());
    assert!(matches!(block_on(refused), Err(Error::Tokenizer(_))));
    assert_eq!(*block_on(ask(&handle, 5)).unwrap(), [5.0]);
    let texts = ["a".to_owned(), text(13)];
    assert!(
        handle
            .encode_blocking(Kind::Query, &texts[1..], &mut |_, _| {})
            .is_err()
    );
    assert!(
        handle
            .encode_blocking(Kind::Query, &texts[..1], &mut |_, _| {})
            .is_ok()
    );
}

#[test]
fn shutting_down_answers_all_and_joins() {
    let fake = Fake::new(true, false);
    let handle = start(&fake, SchedulerOptions::default());
    let running = ask(&handle, 1);
    fake.wait_for_batches(1);
    let waiting = ask(&handle, 2);
    let stopping = std::thread::spawn({
        let handle = handle.clone();
        move || handle.shutdown()
    });
    assert!(matches!(block_on(waiting), Err(Error::Stopped)));
    fake.release();
    assert_eq!(
        *block_on(running).unwrap(),
        [1.0],
        "what is being encoded is still answered"
    );
    stopping.join().unwrap();
    assert!(matches!(block_on(ask(&handle, 3)), Err(Error::Stopped)));
    assert!(matches!(
        handle.encode_blocking(Kind::Query, &[text(1)], &mut |_, _| {}),
        Err(Error::Stopped)
    ));
    handle.shutdown();
    drop(handle);
    assert_eq!(Arc::strong_count(&fake), 1, "the threads are gone");
}

#[test]
fn the_last_handle_ends_the_threads() {
    let fake = Fake::new(false, false);
    let handle = start(
        &fake,
        SchedulerOptions {
            threads: 3,
            ..SchedulerOptions::default()
        },
    );
    let other = handle.clone();
    drop(handle);
    assert_eq!(*block_on(ask(&other, 5)).unwrap(), [5.0]);
    drop(other);
    assert_eq!(Arc::strong_count(&fake), 1);
}

#[test]
fn a_text_being_encoded_or_encoded_lately_is_not_encoded_again() {
    let fake = Fake::new(true, false);
    let handle = start(&fake, SchedulerOptions::default());
    let first = ask(&handle, 5);
    fake.wait_for_batches(1);
    let joined = ask(&handle, 5);
    assert_eq!(handle.waiting(), 0);
    fake.release();
    assert_eq!(block_on(first).unwrap()[0], 5.0);
    assert_eq!(block_on(joined).unwrap()[0], 5.0);
    assert_eq!(block_on(ask(&handle, 5)).unwrap()[0], 5.0);
    assert_eq!(fake.begun().len(), 1);
    // A failure is not kept, and reaches those who joined.
    for _ in 0..2 {
        assert!(block_on(ask(&handle, 13)).is_err());
    }
    assert_eq!(fake.begun().len(), 3);
}

#[test]
fn without_room_for_recent_vectors_every_text_is_encoded() {
    let fake = Fake::new(false, false);
    let options = SchedulerOptions {
        recent_bytes: 0,
        ..SchedulerOptions::default()
    };
    let handle = start(&fake, options);
    for _ in 0..2 {
        assert_eq!(block_on(ask(&handle, 5)).unwrap()[0], 5.0);
    }
    assert_eq!(fake.begun().len(), 2);
}
