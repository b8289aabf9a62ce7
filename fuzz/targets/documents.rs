//! Documents of others: web pages, Word, PDF. In the service they are read by a process of its own, for the libraries
//! that read them are not ours: what is found here is a fault of theirs to report, or of ours in what we make of it.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    server::fuzzing::document(bytes);
});
