//! The codes of errors that citizens' pages are sent.

use serde::Serialize;

/// The closed list of error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Code {
    BadFrame,
    TooLarge,
    UnknownMunicipality,
    UnsupportedVersion,
    HelloExpected,
    UnknownDialogue,
    RateLimited,
    Overloaded,
    /// The operator has closed this municipality's chat for now.
    Closed,
    /// Not now, or not any more: sending it again is of no use.
    NotPossible,
    Internal,
}

impl Code {
    pub(crate) const ALL: [Code; 11] = [
        Self::BadFrame,
        Self::TooLarge,
        Self::UnknownMunicipality,
        Self::UnsupportedVersion,
        Self::HelloExpected,
        Self::UnknownDialogue,
        Self::RateLimited,
        Self::Overloaded,
        Self::Closed,
        Self::NotPossible,
        Self::Internal,
    ];

    /// As it is sent.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BadFrame => "bad_frame",
            Self::TooLarge => "too_large",
            Self::UnknownMunicipality => "unknown_municipality",
            Self::UnsupportedVersion => "unsupported_version",
            Self::HelloExpected => "hello_expected",
            Self::UnknownDialogue => "unknown_dialogue",
            Self::RateLimited => "rate_limited",
            Self::Overloaded => "overloaded",
            Self::Closed => "closed",
            Self::NotPossible => "not_possible",
            Self::Internal => "internal",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn a_code_is_counted_under_the_name_that_is_sent() {
        for code in Code::ALL {
            let sent = serde_json::to_value(code).unwrap();
            assert_eq!(sent, code.name());
        }
    }
}
