//! What is left undone when there is more to do than this machine can.
//!
//! In this order: indexing and learning (the background lane and nicer threads: whenever nobody else wants the
//! processors), writing answers, new dialogues. The questions of citizens who are here are never refused: they wait in
//! the line (`fair`), which is no longer than sockets are open. That line is the measure.

use crate::app::App;

/// Questions that wait, from which on answers are shown verbatim: some 50 ms of one core.
const NOTHING_WRITTEN: usize = 16;
/// Networks that wait, from which on nobody new is taken in: half a second before whoever comes is answered. Not
/// questions: a network that sends many waits for them itself.
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

pub(crate) fn load(app: &App) -> Load {
    of(app.line.questions(), app.line.flows())
}

fn of(questions: usize, networks: usize) -> Load {
    match (questions, networks) {
        (_, NOBODY_NEW..) => Load::Full,
        (NOTHING_WRITTEN.., _) => Load::Busy,
        _ => Load::Light,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_goes_first_and_one_network_keeps_nobody_new_out() {
        assert_eq!(of(0, 0), Load::Light);
        assert_eq!(of(NOTHING_WRITTEN - 1, NOTHING_WRITTEN - 1), Load::Light);
        assert_eq!(of(NOTHING_WRITTEN, 1), Load::Busy);
        assert_eq!(of(10 * NOBODY_NEW, NOBODY_NEW - 1), Load::Busy);
        assert_eq!(of(NOBODY_NEW, NOBODY_NEW), Load::Full);
    }
}
