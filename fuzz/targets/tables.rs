//! What is read within the service itself when editors bring knowledge in: tables (CSV, JSON, Rasa's YAML) and sitemaps.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    server::fuzzing::sitemap(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        server::fuzzing::table(text);
    }
});
