//! A language model's file: one that is damaged or made to harm is refused, within the memory that it may have.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    fuzz::with_file(bytes, inference::fuzzing::generator);
});
