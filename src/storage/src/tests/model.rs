//! Any sequence of operations, against a model of maps and lists.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Op {
    Create(usize),
    End(usize),
    /// Client ids, None for an event without one.
    Append(usize, Vec<Option<u8>>),
    Callback(usize, Option<u8>, u8),
    Turn(usize, usize),
    Load(usize, u64, u32),
    Reopen,
}

#[derive(Default)]
struct Dialogue {
    events: Vec<String>,
    client_ids: BTreeMap<u8, u64>,
    ended: Option<Timestamp>,
}

#[derive(Default)]
struct Model {
    dialogues: BTreeMap<usize, Dialogue>,
    references: BTreeMap<u8, usize>,
    turns: BTreeSet<usize>,
}

impl Model {
    fn append(
        &mut self,
        d: usize,
        client_ids: &[Option<u8>],
        text: &str,
    ) -> Result<Appended, Error> {
        let dialogue = self.dialogues.get_mut(&d).ok_or(Error::UnknownDialogue)?;
        let known = client_ids
            .iter()
            .flatten()
            .find_map(|c| dialogue.client_ids.get(c));
        if let Some(&seq) = known {
            return Ok(Appended::Known { seq });
        }
        let first = dialogue.events.len() as u64 + 1;
        for c in client_ids {
            dialogue.events.push(event(None, text).json);
            if let Some(c) = c {
                let seq = dialogue.events.len() as u64;
                dialogue.client_ids.entry(*c).or_insert(seq);
            }
        }
        Ok(Appended::Written {
            seqs: first..dialogue.events.len() as u64 + 1,
        })
    }

    fn callback(
        &mut self,
        d: usize,
        client_id: Option<u8>,
        reference: u8,
        text: &str,
    ) -> Result<Appended, Error> {
        let dialogue = self.dialogues.get(&d).ok_or(Error::UnknownDialogue)?;
        let known = client_id.is_some_and(|c| dialogue.client_ids.contains_key(&c));
        if !known && self.references.contains_key(&reference) {
            return Err(Error::Taken("callback reference"));
        }
        if !known {
            self.references.insert(reference, d);
        }
        self.append(d, &[client_id], text)
    }
}

fn op() -> impl Strategy<Value = Op> {
    let d = || 0_usize..3;
    let client = || prop::option::of(0_u8..6);
    prop_oneof![
        2 => d().prop_map(Op::Create),
        1 => d().prop_map(Op::End),
        8 => (d(), prop::collection::vec(client(), 0..4)).prop_map(|(d, c)| Op::Append(d, c)),
        3 => (d(), client(), 0_u8..4).prop_map(|(d, c, r)| Op::Callback(d, c, r)),
        2 => (d(), 0_usize..3).prop_map(|(d, t)| Op::Turn(d, t)),
        4 => (d(), 0_u64..12, 0_u32..6).prop_map(|(d, a, l)| Op::Load(d, a, l)),
        1 => Just(Op::Reopen),
    ]
}

async fn run(ops: Vec<Op>) -> Result<(), TestCaseError> {
    let (dir, mut journal) = in_folder(&Options::default());
    let ids: [DialogueId; 3] = std::array::from_fn(|_| DialogueId::random());
    let turns: [TurnId; 3] = std::array::from_fn(|_| TurnId::random());
    let token = Secret::random();
    let mut model = Model::default();
    for (n, op) in (0_i64..).zip(ops) {
        let text = n.to_string();
        let with_id = |c: &Option<u8>| event(c.map(|c| c.to_string()).as_deref(), &text);
        match op {
            Op::Create(d) => {
                let new = NewDialogue {
                    id: ids[d].clone(),
                    token: &token,
                    municipality: aarhus(),
                    lang: Lang::Da,
                    at: at(n),
                };
                let fresh = !model.dialogues.contains_key(&d);
                let expected = if fresh {
                    Ok(())
                } else {
                    Err(Error::Taken("dialogue id"))
                };
                model.dialogues.entry(d).or_default();
                prop_assert_eq!(journal.create(new).await, expected);
            }
            Op::End(d) => {
                let known = model
                    .dialogues
                    .get_mut(&d)
                    .map(|m| m.ended.get_or_insert(at(n)));
                prop_assert_eq!(journal.end(&ids[d], at(n)).await.is_ok(), known.is_some());
            }
            Op::Append(d, clients) => {
                let events = clients.iter().map(with_id).collect();
                let got = journal.append(&ids[d], events, at(n)).await;
                prop_assert_eq!(got, model.append(d, &clients, &text));
            }
            Op::Callback(d, client, r) => {
                let got = journal
                    .append_callback(&ids[d], with_id(&client), callback(&r.to_string()), at(n))
                    .await;
                prop_assert_eq!(got, model.callback(d, client, r, &text));
            }
            Op::Turn(d, t) => {
                let got = journal.record_turn(&turns[t], &ids[d], text, at(n)).await;
                if model.turns.contains(&t) {
                    prop_assert!(got.is_err());
                } else if model.dialogues.contains_key(&d) {
                    model.turns.insert(t);
                    prop_assert_eq!(got, Ok(()));
                } else {
                    prop_assert_eq!(got, Err(Error::UnknownDialogue));
                }
            }
            Op::Load(d, after, limit) => {
                let got = journal.load(&ids[d], after, limit).await.unwrap();
                let Some(m) = model.dialogues.get(&d) else {
                    prop_assert_eq!(got, None);
                    continue;
                };
                let got = got.unwrap();
                let expected: Vec<(u64, &String)> = (1..)
                    .zip(&m.events)
                    .filter(|(s, _)| *s > after)
                    .take(limit as usize)
                    .collect();
                let events: Vec<(u64, &String)> =
                    got.events.iter().map(|e| (e.seq, &e.json)).collect();
                prop_assert_eq!(events, expected);
                prop_assert_eq!(
                    (got.meta.newest, got.meta.ended),
                    (m.events.len() as u64, m.ended)
                );
            }
            Op::Reopen => {
                journal.close().await.unwrap();
                journal =
                    Journal::open(&dir.path().join("journal.db"), &Options::default()).unwrap();
            }
        }
    }
    let counts = journal.counts().await.unwrap();
    let events: usize = model.dialogues.values().map(|d| d.events.len()).sum();
    prop_assert_eq!(counts.events, events as u64);
    prop_assert_eq!(counts.dialogues, model.dialogues.len() as u64);
    prop_assert_eq!(
        (counts.callbacks, counts.turns),
        (model.references.len() as u64, model.turns.len() as u64)
    );
    for (d, m) in &model.dialogues {
        for (c, seq) in &m.client_ids {
            prop_assert_eq!(
                journal.find_client_id(&ids[*d], &c.to_string()).await,
                Ok(Some(*seq))
            );
        }
    }
    let rows = journal.callbacks(aarhus(), 100).await.unwrap();
    let owners: BTreeMap<u8, &DialogueId> = rows
        .iter()
        .map(|r| (r.reference.parse().unwrap(), &r.dialogue))
        .collect();
    prop_assert_eq!(
        owners,
        model
            .references
            .iter()
            .map(|(r, d)| (*r, &ids[*d]))
            .collect()
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_journal_does_what_the_model_does(ops in prop::collection::vec(op(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(ops))?;
    }
}
