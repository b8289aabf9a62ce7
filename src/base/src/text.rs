//! Text as it arrives and as it is compared.

use unicode_normalization::UnicodeNormalization;

/// Characters that are not seen but change how a text is matched: zero-width, direction, soft hyphen,
/// tags, and controls other than line feed and tab.
pub(crate) fn invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
        || (c.is_control() && c != '\n' && c != '\t')
}

/// Whether a text holds characters that are not seen, which [`clean`] takes out.
pub fn hides(text: &str) -> bool {
    text.chars().any(|c| invisible(c) && c != '\r')
}

/// Bytes as lowercase hexadecimal digits, two a byte.
pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let bytes = bytes.as_ref();
    let mut out = String::with_capacity(bytes.len() * 2);
    for b in bytes {
        out.push(char::from(DIGITS[usize::from(b >> 4)]));
        out.push(char::from(DIGITS[usize::from(b & 15)]));
    }
    out
}

/// NFC, without invisible characters, line ends as `\n`, trimmed. The form in which everything a citizen
/// writes enters the program, before redaction.
pub fn clean(text: &str) -> String {
    let visible: String = text
        .replace("\r\n", "\n")
        .chars()
        .map(|c| if c == '\r' { '\n' } else { c })
        .filter(|&c| !invisible(c))
        .nfc()
        .collect();
    visible.trim().to_owned()
}

/// The form in which words are compared: NFC, lower case, and the Danish letters and their typed
/// substitutes made equal (æ = ae, ø = oe = ö, å = aa, ä = ae). Other accents are dropped (é = e), so
/// that `entré` and `entre` meet; no Danish letter is folded to a bare vowel, for `bør` is not `bor`.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.nfc().flat_map(char::to_lowercase) {
        if c.is_ascii() {
            out.push(c);
        } else if let Some(typed) = typed(c) {
            out.push_str(typed);
        } else {
            let base = std::iter::once(c)
                .nfd()
                .filter(|&d| !unicode_normalization::char::is_combining_mark(d));
            for d in base {
                // What is left of ǿ is an ø.
                match typed(d) {
                    Some(typed) => out.push_str(typed),
                    None => out.push(d),
                }
            }
        }
    }
    out
}

/// How a letter is typed where the keyboard has none.
fn typed(c: char) -> Option<&'static str> {
    Some(match c {
        'æ' | 'ä' => "ae",
        'ø' | 'ö' => "oe",
        'å' => "aa",
        'ü' => "ue",
        'ß' => "ss",
        'ı' => "i",
        _ => return None,
    })
}

/// The words of a folded text: runs of letters and digits, with inner apostrophes and hyphens split.
pub fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_in_hexadecimal() {
        assert_eq!(hex([0x00, 0x9a, 0xff]), "009aff");
        assert_eq!(hex([]), "");
    }
    use proptest::prelude::*;

    #[test]
    fn substitutes_meet() {
        for (a, b) in [
            ("børnehave", "boernehave"),
            ("ÆLDREBOLIG", "aeldrebolig"),
            ("Århus", "aarhus"),
            ("cafe\u{301}", "cafe"),
            ("\u{1e2} og \u{1fe}", "ae og oe"),
        ] {
            assert_eq!(fold(a), fold(b));
        }
        assert_ne!(fold("bør"), fold("bor"));
    }

    #[test]
    fn hidden_characters_go() {
        assert_eq!(
            clean("  0101\u{200b}90\u{2060}-12\u{ad}34\u{feff}\r\nok\u{0}"),
            "010190-1234\nok"
        );
    }

    proptest! {
        #[test]
        fn cleaning_and_folding_are_idempotent(s in "\\PC{0,60}") {
            let c = clean(&s);
            prop_assert_eq!(&clean(&c), &c);
            let f = fold(&c);
            prop_assert_eq!(fold(&f), f);
        }
    }
}
