//! The log, on standard error: a line an event, for people or for machines.

use std::io;
use std::panic::PanicHookInfo;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Plain,
    /// One JSON object: `timestamp`, `level`, `target`, `message`, and each field under its own name.
    Json,
}

impl Format {
    fn read(env: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        match env("BORGERLINJE_LOG_FORMAT").as_deref() {
            None | Some("plain") => Ok(Self::Plain),
            Some("json") => Ok(Self::Json),
            Some(other) => Err(format!(
                "BORGERLINJE_LOG_FORMAT: «{other}» must be plain or json"
            )),
        }
    }
}

/// Begins to log to standard error. `BORGERLINJE_LOG` chooses what, as in `info,server=debug`, and
/// `BORGERLINJE_LOG_FORMAT` how.
///
/// # Errors
/// The format is none; plain lines are logged then.
pub(crate) fn log(env: &dyn Fn(&str) -> Option<String>, default: &str) -> Result<(), String> {
    let filter = env("BORGERLINJE_LOG").unwrap_or_else(|| default.to_owned());
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let format = Format::read(env);
    let json = format == Ok(Format::Json);
    // Where there is a logger already, as in tests, it stays.
    let _ = tracing::dispatcher::set_global_default(subscriber(json, filter, io::stderr));
    std::panic::set_hook(Box::new(panicked));
    format.map(|_| ())
}

fn subscriber<W>(json: bool, filter: EnvFilter, writer: W) -> tracing::Dispatch
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer);
    if json {
        let lines = lines.json().flatten_event(true);
        lines.with_span_list(false).into()
    } else {
        lines.with_target(false).into()
    }
}

/// A panic as a line like any other. The usual report quotes what the fault was about, and a slice cut within a letter
/// quotes the whole text: what was put together when it happened is not repeated, only what the program's source says.
fn panicked(info: &PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string);
    let said = info.payload().downcast_ref::<&'static str>();
    let said = said.copied().unwrap_or("what it said is not repeated");
    tracing::error!(
        place = place.unwrap_or_default(),
        "a thread panicked: {said}"
    );
    let way = std::backtrace::Backtrace::capture();
    if way.status() == std::backtrace::BacktraceStatus::Captured {
        tracing::error!("{way}");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::Value;

    use super::*;

    /// What was written, for the test to read.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_of_json_has_each_field_under_its_name() {
        let kept = Kept::default();
        let into = kept.clone();
        let log = subscriber(true, EnvFilter::new("info"), move || into.clone());
        tracing::dispatcher::with_default(&log, || {
            tracing::warn!(dialogue = "d1", tries = 3, "«a»\nin two lines");
            tracing::debug!("not this");
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 1, "{text}");
        let line: Value = serde_json::from_str(lines[0]).unwrap();
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["message"], "«a»\nin two lines");
        assert_eq!(
            (&line["dialogue"], &line["tries"]),
            (&"d1".into(), &3.into())
        );
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
        assert!(line["target"].as_str().unwrap().contains("server"));
    }

    #[test]
    fn a_panic_is_a_line_that_quotes_nobody() {
        // The process has one hook: what falls in other tests goes where it went.
        let (before, here) = (std::panic::take_hook(), std::thread::current().id());
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().id() == here {
                panicked(info);
            } else {
                before(info);
            }
        }));
        let kept = Kept::default();
        let into = kept.clone();
        for json in [false, true] {
            let into = into.clone();
            let log = subscriber(json, EnvFilter::new("info"), move || into.clone());
            for text in ["kaldt ø 150785-4321", "ærø \u{200b}15\u{200b}0785 4321"] {
                let fall = || {
                    tracing::dispatcher::with_default(&log, || {
                        std::panic::catch_unwind(|| text[..text.find('ø').unwrap() + 1].len())
                    })
                };
                assert!(fall().is_err());
            }
            let literal = || std::panic::catch_unwind(|| panic!("the line is full"));
            assert!(tracing::dispatcher::with_default(&log, literal).is_err());
        }
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches("a thread panicked: ").count(), 6, "{text}");
        assert_eq!(text.matches("the line is full").count(), 2, "{text}");
        assert!(text.matches("runtime/log.rs").count() >= 6, "{text}");
        // A time of day can end in any four digits, but not in these.
        for part in ["0785-4321", "0785 4321", "kaldt", "ærø"] {
            assert!(!text.contains(part), "{text}");
        }
    }

    #[test]
    fn the_format_is_one_of_two() {
        let read = |value: &'static str| {
            Format::read(&move |_| Some(value.to_owned()).filter(|v| !v.is_empty()))
        };
        assert_eq!(read(""), Ok(Format::Plain));
        assert_eq!(read("plain"), Ok(Format::Plain));
        assert_eq!(read("json"), Ok(Format::Json));
        assert!(read("yaml").unwrap_err().contains("must be plain or json"));
    }
}
