//! What the libraries make of documents. Those that end their reader are tested with the program, in tests/it.

use std::io::{Cursor, Write as _};

use super::*;

const DOCX: &[u8] = include_bytes!("../../../../tests/it/fixtures/haandbog.docx");
const PDF: &[u8] = include_bytes!("../../../../tests/it/fixtures/vejledning.pdf");
const SCAN: &[u8] = include_bytes!("../../../../tests/it/fixtures/skannet.pdf");

fn read(kind: Kind, bytes: &[u8]) -> Result<Document, String> {
    document(kind, bytes, "https://www.testby.dk/borger/kano", "")
}

#[test]
fn a_word_file_has_headings_lists_links_and_tables() {
    let text = read(Kind::Docx, DOCX).unwrap().markdown;
    for part in [
        "# Håndbog for borgerservice",
        "## Må jeg låne en kano af kommunen?",
        "### Det skal du have med",
        "**Husk redningsvest**",
        "[kanosiden](https://www.example.dk/kano)",
        "- Redningsvest",
        "| Søbakken",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_pdf_has_text_and_headings_and_a_scan_is_refused_in_words_that_help() {
    let text = read(Kind::Pdf, PDF).unwrap().markdown;
    assert!(text.contains("Hvad må vi på pladsen?"), "{text}");
    assert!(text.lines().any(|l| l.starts_with('#')), "{text}");
    let why = read(Kind::Pdf, SCAN).unwrap_err();
    assert!(why.contains("skannet") && why.contains("OCR"), "{why}");
}

#[test]
fn a_page_is_its_text_without_menus_and_with_links_that_lead_somewhere() {
    let text =
        "Du kan låne en kano ved søens bådhus fra maj til september, og den er gratis at låne. "
            .repeat(3);
    let page = format!(
        "<html><head><title>Lån en kano | Testby Kommune</title></head><body><nav><a href='/x'>Forside</a></nav><main><h1>Lån en kano</h1>\
         <p>{text}</p><h2>Pris</h2><ul><li>Se <a href='../takster'>takster</a></li><li>{text}</li></ul></main><footer>Torvet 1</footer></body></html>"
    );
    let d = read(Kind::Html, page.as_bytes()).unwrap();
    assert_eq!(d.title, "Lån en kano");
    assert!(d.markdown.contains("## Pris"), "{}", d.markdown);
    assert!(
        d.markdown.contains("(https://www.testby.dk/takster)"),
        "{}",
        d.markdown
    );
    assert!(
        !d.markdown.contains("Forside") && !d.markdown.contains("Torvet"),
        "{}",
        d.markdown
    );
    // Letters as the server says them, or the page, or as everybody writes them.
    let old = page.replace("<head>", "<head><meta charset=\"iso-8859-1\">");
    let latin: Vec<u8> = old
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    assert_eq!(read(Kind::Html, &latin).unwrap().title, "Lån en kano");
    let said = document(Kind::Html, page.as_bytes(), "https://a.dk/", "utf-8").unwrap();
    assert_eq!(said.title, "Lån en kano");
}

#[test]
fn a_bomb_is_refused() {
    let mut whole = zip::ZipArchive::new(Cursor::new(DOCX)).unwrap();
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for n in 0..whole.len() {
        let part = whole.by_index(n).unwrap();
        if part.name().unwrap() == "word/document.xml" {
            continue;
        }
        zip.raw_copy_file(part).unwrap();
    }
    let packed = zip::write::SimpleFileOptions::default();
    zip.start_file("word/document.xml", packed).unwrap();
    let open = "<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body><w:p><w:r><w:t>";
    zip.write_all(open.as_bytes()).unwrap();
    let words = b"bombe ".repeat(1 << 18);
    for _ in 0..40 {
        zip.write_all(&words).unwrap();
    }
    zip.write_all(b"</w:t></w:r></w:p></w:body></w:document>")
        .unwrap();
    let bytes = zip.finish().unwrap().into_inner();
    assert!(bytes.len() < 1 << 20, "{}", bytes.len());
    assert!(read(Kind::Docx, &bytes).is_err());
    let old = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
    assert!(read(Kind::Docx, &old).unwrap_err().contains(".docx"));
}
