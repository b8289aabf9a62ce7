//! Progress bars on a terminal, plain lines elsewhere, all on standard error.

use std::io::IsTerminal;

use index::Stage;
use indicatif::{ProgressBar, ProgressStyle};
use inference::fetch::Progress;

/// Makes bars, or nothing when quiet.
#[derive(Clone, Copy)]
pub(crate) struct Bars {
    quiet: bool,
}

impl Bars {
    pub(crate) fn shown() -> Self {
        Self { quiet: false }
    }

    pub(crate) fn quiet() -> Self {
        Self { quiet: true }
    }

    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            tracing::info!("{text}");
        }
    }

    fn bar(self, length: u64, template: &str, name: &str) -> ProgressBar {
        if self.quiet || !std::io::stderr().is_terminal() {
            self.note(name);
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(length);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(name.to_owned());
        bar
    }

    pub(crate) fn build(self) -> Building {
        Building {
            bars: self,
            now: None,
        }
    }

    /// A bar of `length` steps of one kind.
    pub(crate) fn counted(self, length: u64, name: &str) -> ProgressBar {
        self.bar(length, COUNTED, name)
    }

    /// A bar of so many bytes.
    pub(crate) fn sized(self, bytes: u64, name: &str) -> ProgressBar {
        self.bar(bytes, BYTES, name)
    }
}

const COUNTED: &str = "{msg} [{bar:30}] {pos}/{len} {eta}";
const BYTES: &str = "{msg} [{bar:30}] {bytes}/{total_bytes} {eta}";

/// The bar of an index build.
pub(crate) struct Building {
    bars: Bars,
    now: Option<(Stage, ProgressBar)>,
}

impl Building {
    pub(crate) fn step(&mut self, stage: Stage, done: usize, total: usize) {
        if self.now.as_ref().is_none_or(|(s, _)| *s != stage) {
            self.done();
            let name = match stage {
                Stage::Encoding => "encoding the knowledge",
                Stage::Training => "training the ranker",
            };
            self.now = Some((stage, self.bars.bar(total as u64, COUNTED, name)));
        }
        if let Some((_, bar)) = &self.now {
            bar.set_position(done as u64);
        }
    }

    pub(crate) fn done(&mut self) {
        if let Some((_, bar)) = self.now.take() {
            bar.finish_and_clear();
        }
    }
}

/// The bar of a model fetch.
pub(crate) struct Fetching {
    bars: Bars,
    bar: Option<ProgressBar>,
}

impl Fetching {
    pub(crate) fn new(bars: &Bars) -> Self {
        Self {
            bars: *bars,
            bar: None,
        }
    }
}

impl Progress for Fetching {
    fn begin(&mut self, step: &str, bytes: Option<u64>) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        self.bar = Some(self.bars.bar(bytes.unwrap_or(0), BYTES, step));
    }

    fn advance(&mut self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(bytes);
        }
    }
}

impl Drop for Fetching {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
