//! For `fuzz/` alone: what reads bytes of others, without the sockets and processes around it.

use contact::Phone;

use crate::reader::Kind;
use crate::wire::{FromCitizen, wrong_field};

/// A frame of a citizen, as the chat reads it. Returns what is said of its fault.
pub fn chat_frame(text: &str) -> Option<String> {
    match serde_json::from_str(text) {
        Ok(FromCitizen::Callback { phone, .. }) => {
            let _ = Phone::parse(&phone);
            None
        }
        Ok(_) => None,
        Err(e) => {
            let value: Option<serde_json::Value> = serde_json::from_str(text).ok();
            let said = value.as_ref().and_then(wrong_field);
            let said = said.unwrap_or_else(|| e.to_string());
            Some(base::redact(&said).text)
        }
    }
}

/// A frame of a desk. Returns what is said of its fault.
pub fn desk_frame(text: &str) -> Option<String> {
    crate::desk::fuzz(text)
}

/// A table of questions and answers, in each of the three forms, and what becomes of its answers.
pub fn table(text: &str) {
    crate::editor::fuzz_table(text);
}

/// A sitemap.
pub fn sitemap(bytes: &[u8]) {
    let _ = crate::web::sitemap::read(bytes);
}

/// A document, as the reader's process reads it, and the articles that would be made of it.
pub fn document(bytes: &[u8]) {
    let kind = if bytes.starts_with(b"%PDF") {
        Kind::Pdf
    } else if bytes.starts_with(b"PK") {
        Kind::Docx
    } else {
        Kind::Html
    };
    if let Ok((title, lead, markdown)) = crate::reader::fuzz(kind, bytes) {
        crate::editor::fuzz_markdown(&title, &lead, &markdown);
    }
}

#[cfg(test)]
mod tests;
