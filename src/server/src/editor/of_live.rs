//! What was found of something that is live, kept until another is: editors go to and fro.

use std::sync::{Arc, Mutex, PoisonError, Weak};

/// What is known of one `K`, the last that was looked at.
pub(super) struct OfLive<K, T>(Mutex<Option<(Weak<K>, Arc<T>)>>);

impl<K, T> Default for OfLive<K, T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<K, T> OfLive<K, T> {
    pub(super) fn at(&self, live: &Arc<K>) -> Option<Arc<T>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, found) = kept.as_ref()?;
        // No other is at this address as long as it is named here.
        std::ptr::eq(of.as_ptr(), Arc::as_ptr(live)).then(|| Arc::clone(found))
    }

    pub(super) fn keep(&self, live: &Arc<K>, found: &Arc<T>) {
        let kept = (Arc::downgrade(live), Arc::clone(found));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
    }
}
