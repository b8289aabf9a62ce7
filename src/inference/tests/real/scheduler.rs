use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use inference::{EncoderOptions, Error, Kind, Priority, Scheduler, SchedulerOptions, load};

use crate::{cosine, model, sentences};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The smallest executor there is: this thread sleeps until the future is ready.
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

#[test]
fn questions_are_answered_while_indexing() {
    let (encoder, tokenizer) = load(model(), &EncoderOptions::default()).unwrap();
    let sentences = sentences();
    let expected: Vec<Vec<u32>> = sentences
        .iter()
        .map(|s| tokenizer.encode(Kind::Passage, &s.text).unwrap())
        .collect();
    let expected = encoder.encode(&expected).unwrap();
    let options = SchedulerOptions {
        threads: 2,
        ..SchedulerOptions::default()
    };
    let handle = Scheduler::start(encoder, tokenizer, options).unwrap();

    let texts: Vec<String> = sentences.iter().map(|s| s.text.clone()).collect();
    let indexing = std::thread::spawn({
        let handle = handle.clone();
        move || {
            let mut heard = Vec::new();
            let vectors = handle.encode_blocking(Kind::Passage, &texts, &mut |done, total| {
                heard.push((done, total));
            });
            (vectors.unwrap(), heard)
        }
    });
    for sentence in &sentences[..8] {
        let vector =
            block_on(handle.encode(Priority::Interactive, Kind::Query, sentence.text.clone()))
                .unwrap();
        assert_eq!(vector.len(), 384);
    }
    let (vectors, heard) = indexing.join().unwrap();
    assert_eq!(heard, (1..=50).map(|done| (done, 50)).collect::<Vec<_>>());
    for (vector, expected) in vectors.iter().zip(&expected) {
        assert!(cosine(vector, expected) > 0.99999);
    }
    handle.shutdown();
    let after = block_on(handle.encode(Priority::Interactive, Kind::Query, "for sent".into()));
    assert!(matches!(after, Err(Error::Stopped)));
}
