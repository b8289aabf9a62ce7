//! `{{…}}`: the places where changing facts enter a text.

/// A piece of a text with slots.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Text(&'a str),
    /// What stands between the braces, trimmed.
    Slot(&'a str),
}

/// Splits a text at its slots. An opening brace pair without its end is text, which `check` refuses.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((slot, tail)) = after.split_once("}}") else {
            break;
        };
        if !before.is_empty() {
            out.push(Piece::Text(before));
        }
        out.push(Piece::Slot(slot.trim()));
        rest = tail;
    }
    if !rest.is_empty() {
        out.push(Piece::Text(rest));
    }
    out
}

/// The slots of a text, in their order.
pub fn slots_in(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).into_iter().filter_map(|p| match p {
        Piece::Slot(slot) => Some(slot),
        Piece::Text(_) => None,
    })
}

/// Fills every slot through `value`, which is told whether the slot stands where a link's address does;
/// what it does not know is left out.
pub(crate) fn fill(text: &str, value: impl Fn(&str, bool) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    for piece in pieces(text) {
        match piece {
            Piece::Text(t) => out.push_str(t),
            Piece::Slot(s) => {
                let address = out.ends_with("](");
                out.push_str(&value(s, address).unwrap_or_default());
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_found_and_broken_ones_are_text() {
        assert_eq!(
            pieces("a {{ x.y }}b{{z}}"),
            [
                Piece::Text("a "),
                Piece::Slot("x.y"),
                Piece::Text("b"),
                Piece::Slot("z")
            ]
        );
        assert_eq!(pieces("a {{ x"), [Piece::Text("a {{ x")]);
        let text = fill("{{a}}-{{b}} [x]({{a}})", |s, address| {
            (s == "a").then(|| if address { "2" } else { "1" }.to_owned())
        });
        assert_eq!(text, "1- [x](2)");
    }
}
