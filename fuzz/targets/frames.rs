//! Frames of the two sockets: of a citizen, who may be anybody, and of a desk.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(said) = server::fuzzing::chat_frame(text) {
        assert_eq!(base::redact(&said).text, said, "a fault quotes a number");
    }
    if let Some(said) = server::fuzzing::desk_frame(text) {
        assert!(said.chars().count() <= 200);
    }
});
