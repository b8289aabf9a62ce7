//! The process that reads one document: from standard input to one line of JSON.

use std::io::{self, Read as _};

use dom_smoothie::{Config, Readability, TextMode};
use encoding_rs::{Encoding, UTF_8};
use rustix::process::{Resource, Rlimit, setrlimit};

use super::{Answer, Document, Kind, LARGEST};
use crate::runtime::say;

/// Bytes of memory; the allocator sets some aside that it never touches.
const MEMORY: u64 = 3 << 30;
/// Seconds of the processor.
const SECONDS: u64 = 30;
/// Of the thread that reads: documents nest, and libraries follow them down.
const STACK: usize = 128 << 20;
/// Elements of a web page; more is no text for people.
const ELEMENTS: usize = 20_000;

/// Reads standard input and answers. What goes wrong beyond that ends the process, and whoever asked notices.
///
/// # Errors
/// When standard input or output is gone.
pub(crate) fn run(kind: Kind, address: String, charset: String) -> io::Result<()> {
    for (what, most) in [
        (Resource::As, MEMORY),
        (Resource::Cpu, SECONDS),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
    ] {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        setrlimit(what, limit)?;
    }
    inference::nice(inference::BACKGROUND);
    let mut bytes = Vec::new();
    let most = u64::try_from(LARGEST).unwrap_or(u64::MAX);
    io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    let work = move || match document(kind, &bytes, &address, &charset) {
        Ok(document) => Answer::Read(document),
        Err(why) => Answer::Refused(why),
    };
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(work)?;
    let answer = thread
        .join()
        .map_err(|_| io::Error::other("the library that reads it panicked"))?;
    say(&serde_json::to_string(&answer)?)
}

/// # Errors
/// In Danish: what it is not.
pub(super) fn document(
    kind: Kind,
    bytes: &[u8],
    address: &str,
    charset: &str,
) -> Result<Document, String> {
    let mut document = match kind {
        Kind::Html => html(bytes, address, charset),
        Kind::Docx => docx(bytes),
        Kind::Pdf => pdf(bytes),
    }?;
    document.title = base::clean(&document.title);
    document.lead = base::clean(&document.lead);
    if document.markdown.trim().is_empty() {
        return Err("Der er ingen tekst i dokumentet.".to_owned());
    }
    Ok(document)
}

fn html(bytes: &[u8], address: &str, charset: &str) -> Result<Document, String> {
    let text = decoded(bytes, charset);
    let config = Config {
        text_mode: TextMode::Markdown,
        max_elements_to_parse: ELEMENTS,
        // Short pages are pages too.
        char_threshold: 120,
        ..Config::default()
    };
    let none = |_| "Der er ingen tekst på siden, som kan hentes ind.".to_owned();
    let mut page = Readability::new(text, Some(address), Some(config)).map_err(none)?;
    let read = page.parse().map_err(none)?;
    let (mut title, site) = (read.title, read.site_name);
    // "Pas | Aarhus Kommune": whose page it is, is known from its address.
    for mark in [" | ", " - ", " – "] {
        if let Some((before, after)) = title.rsplit_once(mark) {
            let named = site.as_deref().is_some_and(|s| s.trim() == after.trim());
            if named || after.to_lowercase().contains("kommune") {
                title = before.to_owned();
            }
        }
    }
    Ok(Document {
        title,
        lead: read.excerpt.unwrap_or_default(),
        markdown: read.text_content.to_string(),
    })
}

/// The text of a page in whichever letters it was written: as the server says, else the page itself, else UTF-8.
fn decoded(bytes: &[u8], charset: &str) -> String {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(2_048)]).to_lowercase();
    let named = head.split("charset=").nth(1).map(|rest| {
        let rest = rest.trim_start_matches(['"', '\'', ' ']);
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        rest.split(|c| !plain(c)).next().unwrap_or("").to_owned()
    });
    let encoding = Encoding::for_label(charset.as_bytes());
    let encoding = encoding.or_else(|| Encoding::for_label(named?.as_bytes()));
    let encoding = encoding.unwrap_or(UTF_8);
    encoding.decode(bytes).0.into_owned()
}

fn docx(bytes: &[u8]) -> Result<Document, String> {
    if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Err("Filen er i Words gamle format eller har en adgangskode. Gem den som .docx uden adgangskode.".to_owned());
    }
    let wrong = |e: undoc::Error| {
        tracing::debug!("{e}");
        "Filen er ikke et Word-dokument (.docx), eller den er beskadiget.".to_owned()
    };
    let read = undoc::parse_bytes(bytes).map_err(wrong)?;
    let options = undoc::render::RenderOptions::default()
        .with_images(false)
        .with_include_headers_footers(false);
    Ok(Document {
        title: read.metadata.title.clone().unwrap_or_default(),
        lead: String::new(),
        markdown: undoc::render::to_markdown(&read, &options).map_err(wrong)?,
    })
}

fn pdf(bytes: &[u8]) -> Result<Document, String> {
    let wrong = |e: unpdf::Error| match e {
        unpdf::Error::Encrypted => {
            "PDF-filen har en adgangskode. Gem den uden, og prøv igen.".to_owned()
        }
        e => {
            tracing::debug!("{e}");
            "Filen er ikke en PDF, eller den er beskadiget.".to_owned()
        }
    };
    let read = unpdf::Unpdf::new()
        .lenient()
        .sequential()
        .with_images(false);
    let read = read.parse_bytes(bytes).map_err(wrong)?;
    let plain = read.plain_text();
    let letters = plain.chars().filter(|c| c.is_alphabetic()).count();
    let pages = read.document().pages.len().max(1);
    // A scan holds pictures of pages; what is left is a stamp or a page number.
    if letters < 20 * pages.min(50) {
        return Err(
            "Der er (næsten) ingen tekst i PDF-filen: den er nok skannet. Find det oprindelige dokument, eller kør \
             tekstgenkendelse (OCR) på den først."
                .to_owned(),
        );
    }
    Ok(Document {
        title: read.document().metadata.title.clone().unwrap_or_default(),
        lead: String::new(),
        markdown: read.to_markdown().map_err(wrong)?,
    })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
