//! Colours that can be read: contrast as WCAG 2.2 defines it.

/// Relative luminance of `#rrggbb`, 0 to 1; 0 for anything else.
fn luminance(colour: &str) -> f64 {
    let channel = |i: usize| {
        let byte = colour
            .get(1 + 2 * i..3 + 2 * i)
            .and_then(|h| u8::from_str_radix(h, 16).ok())
            .unwrap_or(0);
        let c = f64::from(byte) / 255.0;
        if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * channel(0) + 0.7152 * channel(1) + 0.0722 * channel(2)
}

fn contrast(a: f64, b: f64) -> f64 {
    let (light, dark) = if a > b { (a, b) } else { (b, a) };
    (light + 0.05) / (dark + 0.05)
}

/// White or black, whichever reads better on `colour`, and its contrast, 1 to 21.
pub fn text_on(colour: &str) -> (&'static str, f64) {
    let l = luminance(colour);
    let (white, black) = (contrast(l, 1.0), contrast(l, 0.0));
    if white >= black {
        ("#ffffff", white)
    } else {
        ("#000000", black)
    }
}

#[cfg(test)]
mod tests {
    use super::text_on;

    #[test]
    fn every_colour_has_a_readable_text() {
        assert_eq!(text_on("#000000"), ("#ffffff", 21.0));
        assert_eq!(text_on("#ffff00").0, "#000000");
        for r in (0..=255).step_by(51) {
            for g in (0..=255).step_by(51) {
                for b in (0..=255).step_by(51) {
                    assert!(text_on(&format!("#{r:02x}{g:02x}{b:02x}")).1 >= 4.5);
                }
            }
        }
    }
}
