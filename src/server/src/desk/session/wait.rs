//! What a session waits for.

use std::future::pending;

use axum::extract::ws::Utf8Bytes;
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// What is under way; without anything it never ends.
pub(super) async fn running<T>(slot: &mut Option<BoxFuture<'static, T>>) -> T {
    match slot {
        Some(future) => future.await,
        None => pending().await,
    }
}

/// Resolves then; without a time it never ends.
pub(super) async fn at(then: Option<Instant>) {
    match then {
        Some(then) => sleep_until(then).await,
        None => pending().await,
    }
}

/// The next list.
pub(super) async fn changed(list: &mut watch::Receiver<Option<Utf8Bytes>>) -> Option<Utf8Bytes> {
    match list.changed().await {
        Ok(()) => list.borrow_and_update().clone(),
        Err(_) => pending().await,
    }
}
