use std::path::Path;
use std::sync::OnceLock;

use contact::Hours;
use contact::centre::{Audience, Brief, Centre, Class, Handover, Input, Moment};
use contact::sim::{id, link, profile};
use jiff::Timestamp;
use knowledge::Release;

use super::super::wire::Kind;
use super::*;

fn release() -> &'static Release {
    static RELEASE: OnceLock<Release> = OnceLock::new();
    RELEASE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knowledge");
        let files = knowledge::load(&folder).unwrap();
        let today = jiff::civil::date(2026, 11, 22);
        Release::build(&files, today).unwrap().0
    })
}

/// A centre and the desks of some agents.
struct Bench {
    centre: Centre,
    shown: Shown,
    seq: u64,
}

impl Bench {
    fn new(agents: &[&str]) -> Self {
        let mut b = Self {
            centre: Centre::new(),
            shown: Shown::default(),
            seq: 0,
        };
        b.fold(Command::SetMunicipality {
            code: id("0751"),
            hours: Box::new(Hours::always()),
            fair_share_permille: None,
        });
        for name in agents {
            let profile = Box::new(profile(name, 3));
            b.fold(Command::SetAgent { profile });
            let agent = id(name);
            let link = link("n", name);
            b.fold(Command::AgentPresent { agent, link });
            b.shown.add(&id(name));
        }
        b
    }

    fn fold(&mut self, command: Command) -> Step {
        self.seq += 1;
        let input = Input {
            id: format!("i-{}", self.seq).parse().unwrap(),
            recovered: false,
            command,
            carried: None,
        };
        let at = Timestamp::from_millisecond(1_000 * self.seq.cast_signed()).unwrap();
        Step::of(&mut self.centre, self.seq, input, at)
    }

    fn follow(&mut self, step: &Step) -> Vec<String> {
        let mut told = Vec::new();
        let show = Show {
            centre: &self.centre,
            release: release(),
        };
        self.shown.follow(show, step, &mut told);
        told.iter().map(said).collect()
    }

    fn does(&mut self, command: Command) -> Vec<String> {
        let step = self.fold(command);
        self.follow(&step)
    }
}

fn said((agent, frame): &Told) -> String {
    match frame {
        ToDesk::Card { card } => {
            let kind = match card.state.kind {
                Kind::Offered { .. } => "offered",
                Kind::Owned { .. } => "owned",
                Kind::WrapUp { .. } => "wrap_up",
                _ => "other",
            };
            format!("{agent} card {kind}")
        }
        ToDesk::CardGone { why, .. } => format!("{agent} gone {why:?}"),
        ToDesk::Line { line, .. } => format!("{agent} line {}", line.text),
        ToDesk::Agent(s) => format!("{agent} {:?}", s.state),
        other => format!("{agent} {other:?}"),
    }
}

fn request() -> Command {
    Command::Request {
        handover: Box::new(Handover {
            item: id("a"),
            dialogue: base::DialogueId::random(),
            municipality: id("0751"),
            area: None,
            language: Lang::Da,
            audience: Audience::Citizen,
            class: Class::Normal,
            brief: Brief::default(),
        }),
        link: Some(link("n", "c")),
        asked_at: Moment::default(),
    }
}

fn accept(offer: u64) -> Command {
    let (item, agent) = (id("a"), id("anna"));
    Command::Accept { item, agent, offer }
}

#[test]
fn a_desk_hears_of_its_own_and_no_one_elses() {
    let mut b = Bench::new(&["anna", "bo"]);
    let away = "bo".parse().unwrap();
    b.does(Command::SignOut { agent: away });
    assert_eq!(b.does(request()), ["anna card offered"]);
    let owned = b.does(accept(1));
    assert_eq!(owned[0], "anna card owned");
    assert!(
        owned[1..].iter().all(|s| s.starts_with("anna line")),
        "{owned:?}"
    );
    let present = Command::CitizenPresent {
        item: id("a"),
        link: link("n", "c"),
    };
    assert!(b.does(present).is_empty(), "nothing is another");
    let absent = Command::CitizenAbsent {
        item: id("a"),
        connection: id("c"),
    };
    assert_eq!(b.does(absent), ["anna card owned"]);
    let leave = b.does(Command::Leave { item: id("a") });
    assert!(leave.contains(&"anna card wrap_up".to_owned()), "{leave:?}");
    let done = Command::WrapUpDone {
        item: id("a"),
        agent: id("anna"),
    };
    let done = b.does(done);
    assert!(done.contains(&"anna gone Settled".to_owned()), "{done:?}");
    assert_eq!(b.shown.viewers(&id("a")).count(), 0);
}

#[test]
fn steps_that_are_heard_late_end_where_the_centre_is() {
    let mut b = Bench::new(&["anna"]);
    let steps = [
        b.fold(request()),
        b.fold(accept(1)),
        b.fold(Command::Leave { item: id("a") }),
        b.fold(Command::WrapUpDone {
            item: id("a"),
            agent: id("anna"),
        }),
    ];
    let told: Vec<String> = steps.iter().flat_map(|s| b.follow(s)).collect();
    assert!(
        !told
            .iter()
            .any(|s| s.contains("card") || s.contains("gone")),
        "{told:?}"
    );
    let mut b = Bench::new(&["anna"]);
    let steps = [b.fold(request()), b.fold(accept(1))];
    let told: Vec<String> = steps.iter().flat_map(|s| b.follow(s)).collect();
    let cards: Vec<&String> = told.iter().filter(|s| s.contains("card")).collect();
    assert_eq!(cards, ["anna card owned"], "once, as it is now");
}

#[test]
fn a_snapshot_is_everything_and_what_was_missed_is_tidied() {
    let mut b = Bench::new(&["anna"]);
    b.fold(request());
    let show = |b: &Bench| -> (Centre, &'static Release) { (b.centre.clone(), release()) };
    let (centre, release) = show(&b);
    let now = Show {
        centre: &centre,
        release,
    };
    let ToDesk::Snapshot { me, cards } = b.shown.snapshot(now, &id("anna")) else {
        panic!()
    };
    assert_eq!((cards.len(), me.is_some()), (1, true));
    // The offer ended, and nobody said so.
    b.fold(Command::Leave { item: id("a") });
    let (centre, release) = show(&b);
    let now = Show {
        centre: &centre,
        release,
    };
    let mut told = Vec::new();
    b.shown.tidy(now, &mut told);
    assert_eq!(
        told.iter().map(said).collect::<Vec<_>>(),
        ["anna gone Released"]
    );
    told.clear();
    b.shown.tidy(now, &mut told);
    assert!(told.is_empty());
}
