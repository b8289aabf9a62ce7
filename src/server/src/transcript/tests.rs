//! Steps become lines, once, at every node.

use base::{DialogueId, Lang, ManualClock, Secret};
use contact::centre::*;
use contact::sim::{id, link, office, profile};
use storage::{Journal, Kept, NewDialogue};

use super::carried::{Carried, CarriedEvent, citizen_message};
use super::line::{self, By, Line};
use super::write::writes;
use crate::centre::Step;
use crate::wire::Event;

/// A centre whose steps are written into journals, as nodes do it.
struct Desk {
    centre: Centre,
    steps: Vec<Step>,
    clock: ManualClock,
}

fn at() -> jiff::Timestamp {
    let at: jiff::civil::DateTime = "2091-03-05T09:00".parse().unwrap();
    let at = at.to_zoned(contact::copenhagen().clone());
    at.unwrap().timestamp()
}

impl Desk {
    fn new() -> Self {
        let mut desk = Self {
            centre: Centre::new(),
            steps: Vec::new(),
            clock: ManualClock::at(at()),
        };
        desk.ok(Command::SetMunicipality {
            code: id("0751"),
            hours: office().into(),
            fair_share_permille: None,
        });
        desk.ok(Command::SetAgent {
            profile: profile("anna", 2).into(),
        });
        desk
    }

    fn step(&mut self, command: Command, carried: Option<&Carried>) -> Step {
        let n = self.steps.len() + 1;
        let input = Input {
            id: id(&format!("in-{n}")),
            recovered: false,
            command,
            carried: carried.map(Carried::text),
        };
        let step = Step::of(
            &mut self.centre,
            n as u64,
            input,
            base::Clock::now(&self.clock),
        );
        self.steps.push(step.clone());
        step
    }

    #[track_caller]
    fn ok(&mut self, command: Command) -> Step {
        let step = self.step(command, None);
        assert!(step.done(), "{:?}", step.effects);
        step
    }

    fn come(&mut self) {
        self.ok(Command::AgentPresent {
            agent: id("anna"),
            link: link("n", "s"),
        });
    }

    fn request(&mut self, dialogue: &DialogueId, carried: &Carried) -> Step {
        let step = self.step(
            Command::Request {
                handover: Box::new(Handover {
                    item: id("i1"),
                    dialogue: dialogue.clone(),
                    municipality: id("0751"),
                    area: None,
                    language: Lang::Da,
                    audience: Audience::Citizen,
                    class: Class::Normal,
                    brief: Brief::default(),
                }),
                link: Some(link("n", "c")),
                asked_at: at().into(),
            },
            Some(carried),
        );
        assert!(step.done(), "{:?}", step.effects);
        step
    }

    fn epoch(&mut self) -> u64 {
        let item = self.centre.item(&id("i1")).unwrap();
        match item.state.clone() {
            ItemState::Offered { agent, offer, .. } => {
                self.ok(Command::Accept {
                    item: id("i1"),
                    agent,
                    offer,
                });
                self.epoch()
            }
            _ => item.epoch,
        }
    }

    fn say(&mut self, message: &str, from: Sender, carried: Option<&Carried>) -> Step {
        self.step(
            Command::Message {
                item: id("i1"),
                message: id(message),
                from,
                text: format!("text of {message}").as_str().into(),
            },
            carried,
        )
    }

    async fn write(&self, journal: &Journal) {
        let say = |key: &str, _: Lang, _: &[(&str, &str)]| key.to_owned();
        let kept: Vec<Kept> = self
            .steps
            .iter()
            .flat_map(|s| writes(s, &say))
            .map(|(_, k)| k)
            .collect();
        journal.keep(kept).await.unwrap();
    }
}

async fn begin(journal: &Journal) -> DialogueId {
    let dialogue = DialogueId::random();
    let new = NewDialogue {
        id: dialogue.clone(),
        token: &Secret::random(),
        municipality: id("0751"),
        lang: Lang::Da,
        at: at(),
    };
    journal.create(new).await.unwrap();
    dialogue
}

async fn lines(journal: &Journal, dialogue: &DialogueId) -> Vec<Line> {
    line::of_transcript(journal.transcript(dialogue).await.unwrap().unwrap())
}

fn carried(dialogue: &DialogueId, event: &Event<'_>, key: &str) -> Carried {
    Carried::new(dialogue.clone(), vec![CarriedEvent::of(event, Some(key))])
}

/// A whole conversation; its dialogue began in this journal.
async fn conversation(journal: &Journal) -> (Desk, DialogueId) {
    let mut desk = Desk::new();
    desk.come();
    let dialogue = begin(journal).await;
    let before = CarriedEvent::of(
        &Event::Citizen {
            client_id: "q-1",
            text: "Hvad koster det?",
            masked: &[],
        },
        Some("q-1"),
    );
    journal
        .append(&dialogue, vec![before.new_event()], at())
        .await
        .unwrap();
    let queued = Event::Queued {
        client_id: "k-1",
        text: "i kø",
    };
    let request = carried(&dialogue, &queued, "k-1")
        .with_copy(journal)
        .await
        .unwrap();
    desk.request(&dialogue, &request);
    let epoch = desk.epoch();
    let citizen = Event::Citizen {
        client_id: "q-2",
        text: "Er der nogen?",
        masked: &[],
    };
    let said = carried(&dialogue, &citizen, "q-2");
    let message = citizen_message("q-2");
    assert!(
        desk.say(message.as_str(), Sender::Citizen, Some(&said))
            .done()
    );
    let anna = Sender::Agent {
        agent: id("anna"),
        epoch,
    };
    assert!(desk.say("a-1", anna, None).done());
    desk.ok(Command::Note {
        item: id("i1"),
        agent: id("anna"),
        epoch,
        text: "skal ringes op".into(),
    });
    // Somebody who has it no more: refused, and no line.
    let late = Sender::Agent {
        agent: id("anna"),
        epoch: epoch + 1,
    };
    assert!(!desk.say("a-2", late, None).done());
    desk.ok(Command::Close {
        item: id("i1"),
        agent: id("anna"),
        epoch,
        code: "svar".into(),
    });
    (desk, dialogue)
}

#[tokio::test]
async fn each_step_is_written_once_however_often_it_is_folded() {
    let journal = Journal::in_memory().unwrap();
    let (desk, dialogue) = conversation(&journal).await;
    desk.write(&journal).await;
    let first = journal.transcript(&dialogue).await.unwrap().unwrap();
    desk.write(&journal).await;
    assert_eq!(journal.transcript(&dialogue).await.unwrap().unwrap(), first);
    let kinds: Vec<&str> = first.events.iter().map(|(e, _)| e.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "citizen",
            "queued",
            "agent_joined",
            "citizen",
            "agent",
            "handover_ended"
        ]
    );
    let seqs: Vec<u64> = first.events.iter().map(|(e, _)| e.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn what_staff_write_for_staff_is_no_event_and_a_line() {
    let journal = Journal::in_memory().unwrap();
    let (desk, dialogue) = conversation(&journal).await;
    desk.write(&journal).await;
    let found = journal.transcript(&dialogue).await.unwrap().unwrap();
    assert!(
        !found
            .events
            .iter()
            .any(|(e, _)| e.json.contains("ringes op"))
    );
    let lines = lines(&journal, &dialogue).await;
    let note = lines.iter().find(|l| l.from == By::Note).unwrap();
    assert_eq!(
        (note.text.as_str(), note.name.is_some()),
        ("skal ringes op", true)
    );
}

#[tokio::test]
async fn another_node_gets_the_dialogue_with_the_request() {
    let journal = Journal::in_memory().unwrap();
    let (desk, dialogue) = conversation(&journal).await;
    desk.write(&journal).await;
    let other = Journal::in_memory().unwrap();
    desk.write(&other).await;
    assert_eq!(
        lines(&other, &dialogue).await,
        lines(&journal, &dialogue).await
    );
    let here = journal.load(&dialogue, 0, 0).await.unwrap().unwrap().meta;
    let there = other.load(&dialogue, 0, 0).await.unwrap().unwrap().meta;
    assert_eq!(here, there, "the same citizen owns it, by the same token");
    assert_ne!(
        journal.identity().await.unwrap(),
        other.identity().await.unwrap()
    );
}

#[tokio::test]
async fn lines_that_come_and_lines_that_are_opened_are_the_same() {
    let journal = Journal::in_memory().unwrap();
    let (desk, dialogue) = conversation(&journal).await;
    desk.write(&journal).await;
    let mut opened = lines(&journal, &dialogue).await;
    opened.remove(0);
    let come: Vec<Line> = desk
        .steps
        .iter()
        .flat_map(line::of_step)
        .map(|(_, l)| l)
        .collect();
    let by_id = |mut lines: Vec<Line>| {
        lines.sort_by(|a, b| a.id.cmp(&b.id));
        lines
    };
    assert_eq!(by_id(come), by_id(opened));
}

#[tokio::test]
async fn a_copy_leaves_the_oldest_out_and_fits() {
    let journal = Journal::in_memory().unwrap();
    let dialogue = begin(&journal).await;
    let text = "«\"å\"» ".repeat(300);
    for n in 0..60 {
        let key = format!("q-{n}");
        let event = Event::Citizen {
            client_id: &key,
            text: &text,
            masked: &[],
        };
        let event = CarriedEvent::of(&event, Some(&key)).new_event();
        journal.append(&dialogue, vec![event], at()).await.unwrap();
    }
    let full = Carried::new(dialogue.clone(), Vec::new())
        .with_copy(&journal)
        .await
        .unwrap();
    let body = serde_json::to_vec(&full.text()).unwrap();
    assert!(body.len() < 64 << 10, "{} bytes", body.len());
    let copied = full.copied().unwrap();
    let last = copied.events.last().unwrap().1.client_id.as_deref();
    assert_eq!(last, Some("q-59"));
    assert!(
        (5..60).contains(&copied.events.len()),
        "{}",
        copied.events.len()
    );
}

#[test]
fn keys_of_ours_are_no_id_of_a_citizens() {
    let id = citizen_message(&"x".repeat(64));
    assert_eq!(id.as_str().len(), 34);
    assert_ne!(citizen_message("a"), citizen_message("b"));
    assert!(crate::wire::ClientId::try_from("@in-1.0".to_owned()).is_err());
}
