//! What every request works with.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use base::{Clock, DialogueId, MunicipalityCode};
use contact::{CUSTOMARILY_CLOSED, Hours, Span, Status};
use dialogue::Turn;
use index::Snapshot;
use inference::Handle;
use knowledge::Municipality;
use storage::Journal;
use tokio::sync::{Mutex, Semaphore, broadcast, watch};

use crate::auth::Auth;
use crate::centre;
use crate::chat::{Crowd, Dialogue};
use crate::composer::Composer;
use crate::config::PerNetwork;
use crate::desk::Desk;
use crate::drain::Drain;
use crate::editor::Studio;
use crate::embed::Embed;
use crate::fair::Line;
use crate::metrics::Metrics;
use crate::switches::Switches;
use crate::telemetry::Telemetry;
use crate::tls::Tls;
use crate::transcript::{Reveal, Typing};
use crate::websites::Websites;

/// Turns at hand at once, a core: one is computed while another is encoded.
const AT_HAND: usize = 2;

/// The running service. Cheap to clone.
pub(crate) type App = Arc<Inner>;

pub(crate) struct Inner {
    pub clock: Arc<dyn Clock>,
    pub turn: Arc<ArcSwap<Turn>>,
    pub encoder: Handle,
    pub journal: Journal,
    pub centre: centre::Handle,
    pub auth: Arc<Auth>,
    pub desk: Desk,
    /// Set when the service has its knowledge and its folder; not in tests of the rest.
    pub studio: OnceLock<Arc<Studio>>,
    /// Says answers in other words than the approved ones; not set where all are verbatim.
    pub composer: OnceLock<Arc<Composer>>,
    /// What the service speaks TLS with; not set where a proxy in front does.
    pub tls: OnceLock<Arc<Tls>>,
    /// Makes traces; not set where no collector is named.
    pub telemetry: OnceLock<Arc<Telemetry>>,
    /// Whose numbers the events of dialogues have here.
    pub stream: String,
    /// Who writes just now; not stored, and heard at this node alone.
    pub typing: broadcast::Sender<Typing>,
    /// What citizens let an agent see; not stored either.
    pub reveals: broadcast::Sender<Reveal>,
    /// Dialogues with at least one open connection. Everything else of a dialogue is in the journal.
    pub live: Mutex<HashMap<DialogueId, Arc<Dialogue>>>,
    /// Whose turn is next; the encoder and the cores see no more than it lets through.
    pub line: Arc<Line>,
    /// Turns computed at once: one a core.
    pub cores: Semaphore,
    /// How much of the chat each network has.
    pub crowd: Arc<Crowd>,
    pub pages: crate::pages::Pages,
    /// Which websites may open a chat.
    pub websites: Websites,
    /// What their pages embed.
    pub embed: Embed,
    pub metrics: Arc<Metrics>,
    /// What the operator has switched off.
    pub switches: Switches,
    /// Who is here, and whether everybody is to go.
    pub drain: Drain,
    /// Set when the service stops.
    stop: watch::Sender<bool>,
    /// Other nodes share the contact centre.
    pub shared: bool,
    /// See [`crate::config::Config::always_open`].
    always_open: bool,
}

/// What the service is made of.
pub(crate) struct Parts {
    pub clock: Arc<dyn Clock>,
    pub turn: Arc<ArcSwap<Turn>>,
    pub encoder: Handle,
    pub journal: Journal,
    pub centre: centre::Handle,
    /// See [`Inner::stream`].
    pub stream: String,
    pub auth: Arc<Auth>,
    pub desk: Desk,
    /// The folder with the built pages.
    pub widget: PathBuf,
    /// See [`Inner::shared`].
    pub shared: bool,
    pub always_open: bool,
    pub per_network: PerNetwork,
    pub websites: Websites,
    pub embed: Embed,
}

impl Inner {
    pub(crate) fn new(parts: Parts) -> App {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Arc::new(Self {
            clock: parts.clock,
            turn: parts.turn,
            encoder: parts.encoder,
            journal: parts.journal,
            centre: parts.centre,
            auth: parts.auth,
            desk: parts.desk,
            studio: OnceLock::new(),
            composer: OnceLock::new(),
            tls: OnceLock::new(),
            telemetry: OnceLock::new(),
            drain: Drain::new(),
            stop: watch::Sender::new(false),
            stream: parts.stream,
            typing: broadcast::Sender::new(256),
            reveals: broadcast::Sender::new(256),
            live: Mutex::new(HashMap::new()),
            line: Line::new(cores * AT_HAND),
            cores: Semaphore::new(cores),
            crowd: Crowd::new(parts.per_network),
            pages: crate::pages::Pages::new(parts.widget),
            websites: parts.websites,
            embed: parts.embed,
            metrics: Arc::default(),
            switches: Switches::default(),
            shared: parts.shared,
            always_open: parts.always_open,
        })
    }

    /// Tells every task that cares to hear it that the service stops. Sockets hear of [`Inner::drain`] before.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// The live release's snapshot.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.turn.load().snapshot.clone()
    }

    /// Whether the contact centre answers for that municipality now.
    pub(crate) fn open(&self, code: MunicipalityCode) -> bool {
        let snapshot = self.snapshot();
        let Some(m) = snapshot.release.municipalities.get(&code) else {
            return false;
        };
        matches!(
            contact::status(&hours(m, self.always_open), self.clock.now()),
            Status::Open { .. }
        )
    }
}

/// A municipality's hours as the contact centre counts them. A span that cannot be is left out: the check of
/// a release has refused it long before.
pub(crate) fn hours(m: &Municipality, always_open: bool) -> Hours {
    if always_open {
        return Hours::always();
    }
    let week = m.hours.week.map(|day| {
        day.and_then(|o| Span::new(o.from, o.to).ok())
            .into_iter()
            .collect()
    });
    Hours::new(week)
        .closed_on(m.hours.closed.iter().copied())
        .closed_yearly(CUSTOMARILY_CLOSED)
}

/// A desk that nobody serves, and accounts of nobody: for tests of the rest.
#[cfg(test)]
pub(crate) async fn nobody(clock: Arc<dyn Clock>, folder: &std::path::Path) -> (Arc<Auth>, Desk) {
    let path = folder.join(crate::auth::FILE);
    let accounts = storage::Accounts::open(&path, &storage::Options::default()).unwrap();
    let auth = Auth::new(
        accounts,
        clock,
        crate::auth::Origins::default(),
        crate::auth::Staff::default(),
        Vec::new(),
    );
    let settings = contact::centre::Settings::default();
    let (desk, _) = Desk::new(&settings, crate::desk::Patience::default());
    (auth.await.unwrap(), desk)
}
