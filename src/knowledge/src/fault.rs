//! What is wrong, where, and what to do about it.

use std::cmp::Ordering;
use std::fmt;

/// Whether a fault keeps a release from being served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The release is refused.
    Error,
    /// The article is left out of the release, and `check` fails: its time is over.
    Expired,
    /// The release is served; somebody should look.
    Warning,
}

/// One fault in one file. `line` starts at 1; 0 means the file as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub severity: Severity,
    pub file: String,
    pub line: usize,
    pub field: String,
    pub message: String,
}

impl Fault {
    /// The order in which faults are told.
    pub(crate) fn place(&self, other: &Self) -> Ordering {
        (&self.file, self.line, &self.field).cmp(&(&other.file, other.line, &other.field))
    }

    pub(crate) fn error(
        file: &str,
        line: usize,
        field: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Error,
            file: file.to_owned(),
            line,
            field: field.into(),
            message: message.into(),
        }
    }

    pub(crate) fn expired(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Expired,
            ..Self::error(file, line, "valid_to", message)
        }
    }

    pub(crate) fn warning(
        file: &str,
        line: usize,
        field: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(file, line, field, message)
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.severity {
            Severity::Error => "error",
            Severity::Expired => "expired",
            Severity::Warning => "warning",
        };
        write!(
            f,
            "{}:{}: {kind}: {}: {}",
            self.file, self.line, self.field, self.message
        )
    }
}
