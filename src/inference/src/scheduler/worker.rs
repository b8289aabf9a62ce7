//! The loop of one model thread: take what waits, encode, answer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::queue::{Job, Queue};
use super::{Encode, Priority};
use crate::error::{Error, Result};

/// Runs until the queue is closed.
pub(super) fn run(queue: &Queue, model: &dyn Encode, priority: Priority, budget: usize) {
    while let Some(first) = queue.next(priority) {
        let batch = fill(queue, model, priority, budget, first);
        answer(queue, model, priority, batch);
        queue.finish(priority);
    }
}

/// A job and its tokens.
type Ready = (Job, Vec<u32>);

/// Adds waiting jobs while their tokens fit; the first fits always.
fn fill(
    queue: &Queue,
    model: &dyn Encode,
    priority: Priority,
    budget: usize,
    first: Job,
) -> Vec<Ready> {
    let mut batch = Vec::new();
    let mut used = 0;
    let mut next = Some(first);
    while let Some(mut job) = next {
        let tokens = match job.tokens.take() {
            Some(tokens) => Ok(tokens),
            None => guarded(|| model.tokens(job.kind, &job.text)),
        };
        match tokens {
            Ok(tokens) if !batch.is_empty() && used + tokens.len() > budget => {
                job.tokens = Some(tokens);
                queue.put_back(priority, job);
                return batch;
            }
            Ok(tokens) => {
                used += tokens.len();
                queue.begin(priority, &job);
                batch.push((job, tokens));
            }
            Err(error) => refuse(job, &error),
        }
        next = if used < budget {
            queue.more(priority)
        } else {
            None
        };
    }
    batch
}

fn answer(queue: &Queue, model: &dyn Encode, priority: Priority, batch: Vec<Ready>) {
    if batch.is_empty() {
        return;
    }
    let (jobs, tokens): (Vec<Job>, Vec<Vec<u32>>) = batch.into_iter().unzip();
    let vectors = guarded(|| model.encode(priority, &tokens)).and_then(|vectors| {
        if vectors.len() == jobs.len() {
            Ok(vectors)
        } else {
            Err(Error::Failed(format!(
                "{} vectors for {} texts",
                vectors.len(),
                jobs.len()
            )))
        }
    });
    match vectors {
        Ok(vectors) => {
            for (mut job, vector) in jobs.into_iter().zip(vectors) {
                let late = queue.done(priority, &job, Some(&vector));
                job.replies.extend(late);
                job.replies
                    .into_iter()
                    .for_each(|reply| reply.send(Ok(vector.clone())));
            }
        }
        Err(error) => {
            tracing::error!(%error, texts = jobs.len(), "a batch failed");
            for mut job in jobs {
                let late = queue.done(priority, &job, None);
                job.replies.extend(late);
                refuse(job, &error);
            }
        }
    }
}

fn refuse(job: Job, error: &Error) {
    for reply in job.replies {
        // The text itself is not repeated: it may be a citizen's.
        reply.send(Err(match error {
            Error::Tokenizer(fault) => Error::Tokenizer(fault.clone()),
            Error::Failed(fault) => Error::Failed(fault.clone()),
            other => Error::Failed(other.to_string()),
        }));
    }
}

/// Turns a panic into an error, so that one bad batch does not end the thread. Of what it said only words of the source
/// are kept: what was put together may quote a citizen.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&'static str>();
        let said = said.copied().unwrap_or("panicked");
        Err(Error::Failed(said.to_owned()))
    })
}
