//! Bytes of tokens to text that may be shown: whole characters, and nothing of a stop string.

/// Text on its way out.
pub(super) struct Text {
    stops: Vec<String>,
    /// Not yet a character.
    bytes: Vec<u8>,
    /// Characters that may become part of a stop string.
    held: String,
    over: bool,
}

impl Text {
    /// Empty stop strings stop nothing.
    pub(super) fn new(stops: &[String]) -> Self {
        Self {
            stops: stops.iter().filter(|s| !s.is_empty()).cloned().collect(),
            bytes: Vec::new(),
            held: String::new(),
            over: false,
        }
    }

    /// Where bytes of the next token are added.
    pub(super) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// What may be shown now, and whether a stop string was found: then nothing comes any more.
    pub(super) fn take(&mut self) -> (String, bool) {
        self.characters();
        if let Some(at) = self
            .stops
            .iter()
            .filter_map(|stop| self.held.find(stop))
            .min()
        {
            self.held.truncate(at);
            self.over = true;
        }
        let keep = if self.over { 0 } else { self.may_be_a_stop() };
        let shown = self.held.len() - keep;
        let rest = self.held.split_off(shown);
        (std::mem::replace(&mut self.held, rest), self.over)
    }

    /// What is left when an answer ends; of half a character, nothing.
    pub(super) fn rest(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// Moves whole characters on; what can be none is replaced.
    fn characters(&mut self) {
        loop {
            match std::str::from_utf8(&self.bytes) {
                Ok(text) => {
                    self.held.push_str(text);
                    return self.bytes.clear();
                }
                Err(error) => {
                    let whole = self.bytes.drain(..error.valid_up_to());
                    self.held
                        .push_str(&String::from_utf8_lossy(whole.as_slice()));
                    drop(whole);
                    let Some(wrong) = error.error_len() else {
                        return;
                    };
                    self.bytes.drain(..wrong);
                    self.held.push(char::REPLACEMENT_CHARACTER);
                }
            }
        }
    }

    /// Bytes at the end that a stop string starts with.
    fn may_be_a_stop(&self) -> usize {
        let longest = |stop: &String| {
            let ends = (1..stop.len()).rev().filter(|n| stop.is_char_boundary(*n));
            ends.into_iter()
                .find(|n| self.held.ends_with(&stop[..*n]))
                .unwrap_or(0)
        };
        self.stops.iter().map(longest).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(parts: &[&[u8]], stops: &[&str]) -> (Vec<String>, bool, String) {
        let stops: Vec<String> = stops.iter().map(|s| (*s).to_owned()).collect();
        let mut text = Text::new(&stops);
        let (mut shown, mut over) = (Vec::new(), false);
        for part in parts {
            assert!(!over, "something came after the stop");
            text.bytes().extend_from_slice(part);
            let (now, stopped) = text.take();
            shown.push(now);
            over = stopped;
        }
        (shown, over, text.rest())
    }

    #[test]
    fn half_a_character_waits_for_its_other_half() {
        let (shown, _, rest) = all(&[b"sm\xC3", b"\xB8r", b"\xE2\x82"], &[]);
        assert_eq!(shown, ["sm", "ør", ""]);
        assert_eq!(rest, "");
    }

    #[test]
    fn bytes_that_are_no_character_are_replaced() {
        let (shown, _, _) = all(&[b"a\xFFb\xC3", b"c"], &[]);
        assert_eq!(shown.concat(), "a\u{FFFD}b\u{FFFD}c");
    }

    #[test]
    fn nothing_of_a_stop_string_is_shown() {
        let (shown, over, rest) = all(&[b"Ja.", b"\n", b"\nQ"], &["\n\n"]);
        assert_eq!(shown, ["Ja.", "", ""]);
        assert!(over);
        assert_eq!(rest, "");
    }

    #[test]
    fn what_only_began_like_a_stop_string_is_shown() {
        let (shown, over, rest) = all(&[b"a\n", b"b", b" \xC3", b"\xA6"], &["\n\n", " \u{e5}"]);
        assert_eq!(shown, ["a", "\nb", "", " \u{e6}"]);
        assert!(!over && rest.is_empty());
        let (_, _, rest) = all(&[b"a\n"], &["\n\n"]);
        assert_eq!(rest, "\n");
    }

    #[test]
    fn the_first_of_several_stop_strings_counts() {
        let (shown, over, _) = all(&[b"one END two STOP"], &["STOP", "END", ""]);
        assert_eq!(shown, ["one "]);
        assert!(over);
    }
}
