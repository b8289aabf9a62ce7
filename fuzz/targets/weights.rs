//! Files of the encoder: its own container of weights, and an adapter's tensors.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if bytes.starts_with(b"BLWEIGHT") {
        fuzz::with_file(bytes, inference::fuzzing::weights);
    } else {
        inference::fuzzing::adapter(bytes);
    }
});
