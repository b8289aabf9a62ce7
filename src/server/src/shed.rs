//! What is left undone when there is more to do than this machine can.
//!
//! In this order: indexing and learning (the background lane and nicer threads: whenever nobody else wants the
//! processors), writing answers, new dialogues. Last come the questions of citizens who are here: those are refused only
//! when their own lane is full. The measure is how many of these wait for the encoder.

use inference::{Handle, Priority};

/// Questions that wait, from which on answers are shown verbatim: some 50 ms of one core.
const NOTHING_WRITTEN: usize = 16;
/// From which on nobody new is taken in: half of the lane, and half a second.
const NOBODY_NEW: usize = 128;

/// How much there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Load {
    Light,
    /// Nothing is written by a model.
    Busy,
    /// And nobody new is taken in.
    Full,
}

pub(crate) fn load(encoder: &Handle) -> Load {
    of(encoder.waiting_in(Priority::Interactive))
}

fn of(waiting: usize) -> Load {
    match waiting {
        ..NOTHING_WRITTEN => Load::Light,
        NOTHING_WRITTEN..NOBODY_NEW => Load::Busy,
        NOBODY_NEW.. => Load::Full,
    }
}

#[cfg(test)]
mod tests {
    use inference::SchedulerOptions;

    use super::*;

    #[test]
    fn writing_goes_before_new_dialogues_and_those_before_a_full_lane() {
        assert_eq!(of(0), Load::Light);
        assert_eq!(of(NOTHING_WRITTEN), Load::Busy);
        assert_eq!(of(NOBODY_NEW), Load::Full);
        let lane = SchedulerOptions::default().queue_capacity;
        assert!(of(lane / 2 - 1) < Load::Full && of(lane - 1) == Load::Full);
    }
}
