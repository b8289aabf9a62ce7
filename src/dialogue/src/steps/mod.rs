//! The steps of a turn. Each is a function from what is known to a little more.

pub(crate) mod answer;
pub(crate) mod check;
pub(crate) mod decide;
pub(crate) mod guard;
pub(crate) mod rank;
pub(crate) mod reread;
pub(crate) mod retrieve;
pub(crate) mod understand;
