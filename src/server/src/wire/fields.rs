//! Which field of a frame has the wrong form.

use base::Lang;

use super::ClientId;

/// What each field must be, for an error that names it: serde's own does not, for tagged frames.
const FIELDS: [(&str, Kind); 16] = [
    ("v", Kind::Number),
    ("municipality", Kind::Text),
    ("lang", Kind::Lang),
    ("resume", Kind::Object),
    ("client_id", Kind::ClientId),
    ("text", Kind::Text),
    ("epoch", Kind::Number),
    ("article_id", Kind::Text),
    ("phone", Kind::Text),
    ("topic", Kind::MaybeText),
    ("slot", Kind::MaybeNumber),
    ("reference", Kind::Text),
    ("turn", Kind::MaybeText),
    ("score", Kind::Number),
    ("comment", Kind::MaybeText),
    ("n", Kind::Number),
];

#[derive(Clone, Copy)]
enum Kind {
    Text,
    MaybeText,
    Number,
    MaybeNumber,
    Object,
    Lang,
    ClientId,
}

/// Names the first field of a frame that has the wrong form, and the form it must have.
pub(crate) fn wrong_field(frame: &serde_json::Value) -> Option<String> {
    use serde_json::Value;
    FIELDS.iter().find_map(|(name, kind)| {
        let value = frame.get(name)?;
        let (fits, must) = match kind {
            Kind::Text => (value.is_string(), "a string"),
            Kind::MaybeText => (value.is_string() || value.is_null(), "a string, or absent"),
            Kind::Number => (value.is_u64(), "a whole number, 0 or more"),
            Kind::MaybeNumber => (
                value.is_u64() || value.is_null(),
                "a whole number, or absent",
            ),
            Kind::Object => (value.is_object() || value.is_null(), "an object, or absent"),
            Kind::Lang => (
                value.as_str().is_some_and(|l| l.parse::<Lang>().is_ok()),
                "one of da, en, de, uk, ar, pl and tr",
            ),
            Kind::ClientId => (
                matches!(value, Value::String(s) if ClientId::try_from(s.clone()).is_ok()),
                "1 to 64 of A-Z a-z 0-9 and -",
            ),
        };
        (!fits).then(|| format!("{name}: must be {must}"))
    })
}
