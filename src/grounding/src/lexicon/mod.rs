//! What words mean to the gate, in Danish and English. Closed classes only: the open ones are stemmed
//! (`content`) and, for English, looked up in a word list of the field.

mod marks;
mod names;
mod numbers;
mod stop;

pub(crate) use marks::{Mark, imperative, marks};
pub(crate) use names::{field, key};
pub(crate) use numbers::{MONTHS, Unit, bound_of, month, often, times, unit, value, weekday};
pub(crate) use stop::{light, stop};

/// The two languages that the gate reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tongue {
    Danish,
    English,
}
