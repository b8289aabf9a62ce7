use std::collections::BTreeMap;

use super::*;
use crate::centre::{Centre, Effect, Fault};

/// Seeds and days from outside for a longer run: `CONTACT_SOAK_SEEDS=100 CONTACT_SOAK_DAYS=30`, from
/// `CONTACT_SOAK_FROM` on.
fn from_env(name: &str, otherwise: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.and_then(|v| v.parse().ok()).unwrap_or(otherwise)
}

/// Runs a plan; looks at the whole state after every so many steps.
fn run(plan: Plan, every: u64) -> Sim {
    let mut sim = Sim::new(plan);
    let mut steps = 0;
    sim.run(|centre| {
        steps += 1;
        if steps % every == 0 {
            assert_eq!(centre.faults(), Vec::<String>::new(), "step {steps}");
        }
    });
    sim
}

#[track_caller]
fn is_sound(sim: &Sim) {
    assert_eq!(violations(&sim.bench.history), Vec::<String>::new());
}

/// The name of an effect, with the reason where there is one.
fn kind(effect: &Effect) -> String {
    let text = format!("{effect:?}");
    let name: String = text.chars().take_while(|c| c.is_alphanumeric()).collect();
    match effect {
        Effect::Refused { why, .. } => {
            let why = format!("{why:?}");
            format!(
                "{name} {}",
                why.split([' ', '(', '{']).next().unwrap_or_default()
            )
        }
        Effect::Closed { outcome, .. } => {
            let outcome = format!("{outcome:?}");
            format!("{name} {}", outcome.split(' ').next().unwrap_or_default())
        }
        Effect::OfferEnded { why, .. } => format!("{name} {why:?}"),
        Effect::Released { why, .. } => format!("{name} {why:?}"),
        Effect::DialEnded { why, .. } => format!("{name} {why:?}"),
        Effect::CallbackOffered { why, .. } => format!("{name} {why:?}"),
        Effect::Waiting { why, .. } => format!("{name} {why:?}"),
        _ => name,
    }
}

fn kinds(history: &[Record]) -> BTreeMap<String, u64> {
    let mut kinds = BTreeMap::new();
    for effect in history.iter().flat_map(|r| &r.effects) {
        *kinds.entry(kind(effect)).or_default() += 1;
    }
    kinds
}

#[test]
fn days_full_of_trouble_break_nothing() {
    let (seeds, days) = (
        from_env("CONTACT_SOAK_SEEDS", 3),
        from_env("CONTACT_SOAK_DAYS", 28),
    );
    let from = from_env("CONTACT_SOAK_FROM", 1);
    for seed in from..from + seeds {
        let sim = run(Plan::new(seed, days), 1999);
        let found = violations(&sim.bench.history);
        assert_eq!(found, Vec::<String>::new(), "seed {seed}");
        if seed == from {
            println!(
                "{} records, {:#?}",
                sim.bench.history.len(),
                kinds(&sim.bench.history)
            );
        }
    }
}

#[test]
fn a_small_and_tired_centre_breaks_nothing() {
    let from = from_env("CONTACT_SOAK_FROM", 100);
    for seed in from..from + from_env("CONTACT_SOAK_SEEDS", 2) {
        let mut plan = Plan::new(seed, from_env("CONTACT_SOAK_DAYS", 28));
        plan.agents = 3;
        is_sound(&run(plan, 1999));
    }
}

#[test]
fn a_broken_router_is_found_by_the_history_checker() {
    for fault in [
        Fault::AcceptUnchecked,
        Fault::EpochUnchecked,
        Fault::RightRelaxed,
    ] {
        let mut plan = Plan::new(7, 7);
        plan.fault = Some(fault);
        let mut sim = Sim::new(plan);
        sim.run(|_| {});
        let found = violations(&sim.bench.history);
        assert!(!found.is_empty(), "{fault:?} was not found");
        println!("{fault:?}: {} for example", found[0]);
    }
}

#[test]
fn the_same_log_gives_the_same_state_and_effects_also_through_snapshots() {
    let sim = run(Plan::new(11, 3), u64::MAX);
    let mut other = Centre::new();
    for (n, record) in sim.bench.history.iter().enumerate() {
        let effects = other.step(&record.input, record.at.timestamp());
        assert_eq!(effects, record.effects, "record {n}");
        if n % 499 == 0 {
            let text = serde_json::to_string(&other).unwrap();
            other = serde_json::from_str(&text).unwrap();
            assert_eq!(serde_json::to_string(&other).unwrap(), text);
        }
    }
    assert_eq!(other, sim.bench.centre);
    let text = serde_json::to_string(&sim.bench.history).unwrap();
    assert_eq!(
        serde_json::from_str::<Vec<Record>>(&text).unwrap(),
        sim.bench.history
    );
}

/// Shares in thousandths of the true waits: below the band, in it, above it, above the median.
fn coverage(promised: &[Promised]) -> (u64, u64, u64, u64) {
    let (mut below, mut inside, mut above, mut late) = (0, 0, 0, 0);
    for p in promised {
        let minutes = |m: u32| u64::from(m) * 60_000;
        if p.wait_ms < minutes(p.band.low_min) {
            below += 1;
        } else if p.wait_ms <= minutes(p.band.high_min) {
            inside += 1;
        } else {
            above += 1;
        }
        late += u64::from(p.wait_ms > minutes(p.band.median_min));
    }
    let share = |n: u64| n * 1_000 / (promised.len() as u64).max(1);
    (share(below), share(inside), share(above), share(late))
}

#[test]
fn the_wait_band_covers_what_it_says() {
    for (seed, per_hour, trouble) in [(21, 60, false), (22, 85, false), (24, 45, true)] {
        let mut plan = Plan::new(seed, 21);
        plan.per_hour = per_hour;
        plan.trouble = trouble;
        let mut sim = Sim::new(plan);
        sim.run(|_| {});
        // The first week is for learning.
        let promised = &sim.promised[sim.promised.len() / 4..];
        let waits: u64 = promised.iter().map(|p| p.wait_ms).sum();
        let (below, inside, above, late) = coverage(promised);
        println!(
            "seed {seed}: {} waits of {} s, below {below}, inside {inside}, above {above}, above the median {late}",
            promised.len(),
            waits / 1_000 / promised.len() as u64,
        );
        assert!(promised.len() > 500, "{} waits", promised.len());
        assert!((750..=900).contains(&inside), "seed {seed}: {inside}");
        assert!((30..=170).contains(&above), "seed {seed}: {above}");
        assert!((350..=650).contains(&late), "seed {seed}: {late}");
    }
}
