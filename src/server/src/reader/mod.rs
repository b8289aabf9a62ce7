//! Documents of others: a web page, a Word file, a PDF, as Markdown.
//!
//! They are read in a process of their own, with bounds on memory and time: what such a file does to the library
//! that reads it (endless loops, deep nesting, a bomb of compressed data) ends that process and not the service.

mod inside;

use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

pub(crate) use self::inside::run;

/// For `fuzz/` alone: title, lead and Markdown, read in this process.
#[cfg(any(fuzzing, test))]
pub(crate) fn fuzz(kind: Kind, bytes: &[u8]) -> Result<(String, String, String), String> {
    let read = inside::document(kind, bytes, "https://www.aarhus.dk/pas", "")?;
    Ok((read.title, read.lead, read.markdown))
}

/// Bytes of a document at most.
pub(crate) const LARGEST: usize = 20 << 20;
/// Bytes of what comes of it.
const ANSWER: u64 = 8 << 20;
/// How long one may take. The processor time is bounded in the process itself.
const PATIENCE: Duration = Duration::from_secs(60);
/// How the hidden command is called.
pub(crate) const COMMAND: &str = "read-document";

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    Html,
    Docx,
    Pdf,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Docx => "docx",
            Self::Pdf => "pdf",
        }
    }
}

/// What a document says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Document {
    /// As it calls itself; empty where it does not.
    pub title: String,
    /// One or two sentences of what it is about, where it has them.
    pub lead: String,
    /// CommonMark with tables.
    pub markdown: String,
}

/// How the process answers: one line of JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Read(Document),
    /// In Danish.
    Refused(String),
}

/// Reads a document. Of a web page: `address` is where it was found, so that its links lead somewhere, and
/// `charset` what the server said of its letters; both empty where there is nothing to say.
///
/// # Errors
/// In Danish, for people: what the document is not, or that it asks too much.
pub(crate) async fn read(
    kind: Kind,
    bytes: &[u8],
    address: &str,
    charset: &str,
) -> Result<Document, String> {
    if bytes.len() > LARGEST {
        return Err(format!(
            "Filen er for stor. Den må højst fylde {} MB.",
            LARGEST >> 20
        ));
    }
    let broken = |e: std::io::Error| {
        tracing::error!("a document cannot be read in a process of its own: {e}");
        "Filer kan ikke læses lige nu. Prøv igen om lidt.".to_owned()
    };
    // Also when the program was replaced by a newer one meanwhile.
    let mut child = Command::new("/proc/self/exe")
        .args([COMMAND, "--kind", kind.name()])
        // What a server says may begin with anything.
        .arg(format!("--address={address}"))
        .arg(format!("--charset={charset}"))
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(broken)?;
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(broken(std::io::ErrorKind::BrokenPipe.into()));
    };
    let mut answer = Vec::new();
    let mut output = output.take(ANSWER);
    let talk = async {
        let write = async {
            // A reader that has seen enough closes its end.
            let _ = input.write_all(bytes).await;
            drop(input);
        };
        let (_, read) = tokio::join!(write, output.read_to_end(&mut answer));
        read?;
        child.wait().await
    };
    let ended = tokio::time::timeout(PATIENCE, talk).await;
    let too_much = "Filen kunne ikke læses: den er beskadiget, eller den kræver for meget at læse. \
                    Åbn den, gem den på ny, eller del den op.";
    match ended {
        Ok(Ok(status)) if status.success() => match serde_json::from_slice(&answer) {
            Ok(Answer::Read(document)) => Ok(document),
            Ok(Answer::Refused(why)) => Err(why),
            Err(_) => Err(too_much.to_owned()),
        },
        Ok(Ok(status)) => {
            tracing::info!("a {} ended its reader: {status}", kind.name());
            Err(too_much.to_owned())
        }
        Ok(Err(e)) => Err(broken(e)),
        Err(_) => Err(too_much.to_owned()),
    }
}
