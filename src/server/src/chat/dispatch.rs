//! One task of a node hears what happens in the contact centre and sends it to the citizens it concerns.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use base::DialogueId;
use futures_util::stream;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::dialogue::Dialogue;
use super::people;
use crate::app::App;
use crate::centre::{News, Subscription};
use crate::transcript::Typist;
use crate::wire::ToCitizen;

/// How often places are looked at; a citizen is told of one that changed.
const WAITS_EVERY: Duration = Duration::from_secs(5);
/// Dialogues that are served at once: their reads of the journal are one round of it.
const AT_ONCE: usize = 64;

/// Starts the task; again, should it fall. Beside it, what was left for the centre is handed in.
pub(crate) fn begin(app: &App) {
    tokio::spawn(super::hand_in::run(Arc::clone(app)));
    let app = Arc::clone(app);
    tokio::spawn(async move {
        loop {
            let task = tokio::spawn(run(Arc::clone(&app)));
            match task.await {
                Err(e) if e.is_panic() => {
                    tracing::error!("the task that serves the citizens fell: it is started again");
                    sleep(Duration::from_millis(200)).await;
                }
                _ => return,
            }
        }
    });
}

/// What is to be done.
#[derive(Default)]
struct Due {
    dialogues: BTreeSet<DialogueId>,
    /// Something was missed: everybody.
    all: bool,
}

impl Due {
    fn add(&mut self, news: News) {
        match news {
            News::Missed => self.all = true,
            News::Step(step) => {
                self.dialogues
                    .extend(step.about.iter().map(|a| a.dialogue.clone()));
            }
        }
    }
}

/// Tells the centre who is here of those it takes for gone: at once when something was missed, and now and then,
/// because a word may be lost. Apart from the other work: it waits for the log.
async fn attend(app: App, missed: Arc<Notify>) {
    loop {
        let (unknown, _) = people::sort(&app, live(&app, None).await, people::unknown).await;
        for_each(unknown, |d| {
            let app = &app;
            async move { people::present(app, &d).await }
        })
        .await;
        // Whichever is first.
        let _ = timeout(WAITS_EVERY, missed.notified()).await;
    }
}

async fn run(app: App) {
    let missed = Arc::new(Notify::new());
    // Ends with this future.
    let mut beside = JoinSet::new();
    beside.spawn(attend(Arc::clone(&app), Arc::clone(&missed)));
    let mut news = app.centre.effects();
    let mut typing = app.typing.subscribe();
    let mut waits = interval(WAITS_EVERY);
    waits.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // What happened before this task heard of anything.
    serve(
        &app,
        Due {
            all: true,
            ..Due::default()
        },
    )
    .await;
    loop {
        tokio::select! {
            first = news.next() => {
                let Some(first) = first else { return };
                let due = gather(&mut news, first);
                if due.all {
                    missed.notify_one();
                }
                serve(&app, due).await;
            }
            _ = waits.tick() => {
                let (waiting, others) = people::sort(&app, live(&app, None).await, people::waits).await;
                for d in others {
                    *d.wait.lock().await = None;
                }
                for_each(waiting, |d| {
                    let app = &app;
                    async move { people::show_wait(app, &d, false).await }
                })
                .await;
            }
            _ = beside.join_next() => {
                // It never ends by itself.
                beside.spawn(attend(Arc::clone(&app), Arc::clone(&missed)));
            }
            typed = typing.recv() => match typed {
                Ok(t) if t.by == Typist::Agent => {
                    for d in live(&app, Some(&BTreeSet::from([t.dialogue]))).await {
                        d.tell(&ToCitizen::AgentTyping);
                    }
                }
                // One that was missed is no loss: another comes while somebody writes.
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
        }
    }
}

/// Everything that is there already, as one piece of work.
fn gather(news: &mut Subscription, first: News) -> Due {
    let mut due = Due::default();
    due.add(first);
    while due.dialogues.len() < 512
        && let Some(Some(more)) = news.next().now_or_never()
    {
        due.add(more);
    }
    due
}

async fn serve(app: &App, due: Due) {
    let concerned = (!due.all).then_some(&due.dialogues);
    for_each(live(app, concerned).await, |d| async move {
        if let Err(e) = d.catch_up(app).await {
            // Whoever sees the next event asks for what is missing before it.
            tracing::warn!(dialogue = %d.id, "events wait to be sent: {e}");
        }
    })
    .await;
}

/// Of the dialogues that somebody is connected to, those that are asked for, or all.
async fn live(app: &App, of: Option<&BTreeSet<DialogueId>>) -> Vec<Arc<Dialogue>> {
    let live = app.live.lock().await;
    match of {
        Some(ids) => ids.iter().filter_map(|id| live.get(id).cloned()).collect(),
        None => live.values().cloned().collect(),
    }
}

async fn for_each<F: Future<Output = ()>>(
    dialogues: Vec<Arc<Dialogue>>,
    work: impl FnMut(Arc<Dialogue>) -> F,
) {
    stream::iter(dialogues)
        .for_each_concurrent(AT_ONCE, work)
        .await;
}
