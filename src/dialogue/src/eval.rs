//! Question sets, and how well they are answered.

use std::collections::BTreeMap;

use base::{Lang, MunicipalityCode};

use crate::outcome::Outcome;

pub mod calibration;

/// One row of a question set.
#[derive(Clone, Debug)]
pub struct Question {
    pub text: String,
    pub municipality: MunicipalityCode,
    /// Acceptable article ids; empty when no article should be shown as the answer.
    pub expected: Vec<String>,
    pub lang: Lang,
    pub slice: String,
}

/// Parses `question, municipality, expected, lang, slice`, tab-separated, with a header line.
///
/// # Errors
/// The first faulty line: its number and what is wrong.
pub fn parse(text: &str) -> Result<Vec<Question>, String> {
    let mut lines = text.lines().enumerate();
    match lines.next() {
        Some((_, h))
            if h.trim_start_matches('\u{feff}')
                .starts_with("question\tmunicipality\texpected") => {}
        _ => {
            return Err(
                "line 1: the header must be question, municipality, expected, lang, slice"
                    .to_owned(),
            );
        }
    }
    let mut out = Vec::new();
    for (n, line) in lines {
        if line.trim().is_empty() {
            continue;
        }
        let at = |what: String| format!("line {}: {what}", n + 1);
        let f: Vec<&str> = line.split('\t').collect();
        let &[text, municipality, expected, lang, slice] = f.as_slice() else {
            return Err(at(format!("{} fields, expected 5", f.len())));
        };
        out.push(Question {
            text: text.to_owned(),
            municipality: municipality.parse().map_err(at)?,
            expected: if expected == "-" {
                Vec::new()
            } else {
                expected.split('|').map(str::to_owned).collect()
            },
            lang: lang.parse().map_err(at)?,
            slice: slice.to_owned(),
        });
    }
    Ok(out)
}

/// What one way of answering gave for one question.
#[derive(Clone, Debug)]
pub struct Given {
    /// Article ids, best first.
    pub ranked: Vec<String>,
    /// Article ids whose titles were shown to choose from, with help lines too.
    pub offered: Vec<String>,
    /// `None` for a search that decides nothing.
    pub outcome: Option<Outcome>,
    pub lang: Option<Lang>,
}

fn right(q: &Question, article_id: &str) -> bool {
    q.expected.iter().any(|e| e == article_id)
}

/// How a question ended, held against what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The right article was shown.
    Right,
    /// A wrong article was shown.
    Wrong,
    /// The right article was first and was not shown as the answer.
    Unsure,
    /// Another article was first, and was not shown as the answer.
    Missed,
    /// No article answers it, and one was shown.
    Anyway,
    /// No article answers it, and none was shown.
    Quiet,
}

impl Verdict {
    pub fn of(q: &Question, g: &Given) -> Self {
        let answered = g.outcome == Some(Outcome::Answered);
        let first = g.ranked.first().is_some_and(|id| right(q, id));
        match (q.expected.is_empty(), answered, first) {
            (true, true, _) => Verdict::Anyway,
            (true, false, _) => Verdict::Quiet,
            (false, true, true) => Verdict::Right,
            (false, true, false) => Verdict::Wrong,
            (false, false, true) => Verdict::Unsure,
            (false, false, false) => Verdict::Missed,
        }
    }
}

/// A share with its 95 % interval (Wilson 1927), in per cent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    pub n: u32,
    pub percent: f64,
    pub low: f64,
    pub high: f64,
}

impl Share {
    pub fn of(hits: u32, n: u32) -> Self {
        if n == 0 {
            return Self {
                n,
                percent: f64::NAN,
                low: 0.0,
                high: 100.0,
            };
        }
        let (z, n_f) = (1.96_f64, f64::from(n));
        let p = f64::from(hits) / n_f;
        let denominator = 1.0 + z * z / n_f;
        let centre = (p + z * z / (2.0 * n_f)) / denominator;
        let half = z * (p * (1.0 - p) / n_f + z * z / (4.0 * n_f * n_f)).sqrt() / denominator;
        Self {
            n,
            percent: 100.0 * p,
            low: 100.0 * (centre - half).max(0.0),
            high: 100.0 * (centre + half).min(1.0),
        }
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.n == 0 {
            return f.write_str("—");
        }
        write!(f, "{:.1} [{:.1}–{:.1}]", self.percent, self.low, self.high)
    }
}

/// Sums over the questions of one slice.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub answerable: u32,
    pub first: u32,
    pub third: u32,
    pub reciprocal: f64,
    pub answered: u32,
    /// Answered with an article that is not an expected one.
    pub wrong: u32,
    /// Right at once, or among the titles offered.
    pub one_click: u32,
    pub unanswerable: u32,
    pub unanswerable_answered: u32,
    pub language: u32,
}

impl Tally {
    fn add(&mut self, q: &Question, g: &Given) {
        let answered = g.outcome == Some(Outcome::Answered);
        self.language += u32::from(g.lang == Some(q.lang));
        if q.expected.is_empty() {
            self.unanswerable += 1;
            self.unanswerable_answered += u32::from(answered);
            return;
        }
        self.answerable += 1;
        let place = g
            .ranked
            .iter()
            .take(10)
            .position(|id| q.expected.contains(id));
        self.first += u32::from(place == Some(0));
        self.third += u32::from(place.is_some_and(|p| p < 3));
        self.reciprocal += place.map_or(0.0, |p| 1.0 / (p as f64 + 1.0));
        self.answered += u32::from(answered);
        self.wrong += u32::from(answered && place != Some(0));
        let offered = g.offered.iter().any(|id| right(q, id));
        self.one_click += u32::from((answered && place == Some(0)) || offered);
    }

    /// The mean reciprocal rank of the first right article among ten.
    pub fn mrr(&self) -> f64 {
        self.reciprocal / f64::from(self.answerable.max(1))
    }
}

/// Sums by slice, `all` and `lang:xx` included.
pub fn tally<'a>(rows: impl Iterator<Item = (&'a Question, &'a Given)>) -> BTreeMap<String, Tally> {
    tally_by(rows, |q| {
        [
            "all".to_owned(),
            format!("lang:{}", q.lang.code()),
            q.slice.clone(),
        ]
    })
}

/// Sums by whatever groups a question belongs to.
pub fn tally_by<'a, K: Ord, G: IntoIterator<Item = K>>(
    rows: impl Iterator<Item = (&'a Question, &'a Given)>,
    groups: impl Fn(&Question) -> G,
) -> BTreeMap<K, Tally> {
    let mut out: BTreeMap<K, Tally> = BTreeMap::new();
    for (q, g) in rows {
        for group in groups(q) {
            out.entry(group).or_default().add(q, g);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_wilsons() {
        let s = Share::of(8, 10);
        assert!(
            (s.low - 49.0).abs() < 0.2 && (s.high - 94.3).abs() < 0.2,
            "{s}"
        );
        assert_eq!(Share::of(0, 0).to_string(), "—");
    }

    #[test]
    fn a_question_counts_once_in_each_of_its_slices() {
        let text = "question\tmunicipality\texpected\tlang\tslice\nA?\t0751\tx|y\tda\tlay\nB?\t0751\t-\tda\tchatter\n";
        let qs = parse(text).unwrap();
        let given = |ranked: &[&str], outcome| Given {
            ranked: ranked.iter().map(|s| (*s).to_owned()).collect(),
            offered: Vec::new(),
            outcome: Some(outcome),
            lang: Some(Lang::Da),
        };
        let gs = [
            given(&["z", "y"], Outcome::Answered),
            given(&["x"], Outcome::Answered),
        ];
        let t = tally(qs.iter().zip(&gs));
        let all = &t["all"];
        assert_eq!(
            (all.answerable, all.first, all.third, all.wrong),
            (1, 0, 1, 1)
        );
        assert_eq!(
            (all.unanswerable, all.unanswerable_answered, all.language),
            (1, 1, 2)
        );
        assert!((all.mrr() - 0.5).abs() < 1e-9);
        let verdicts: Vec<Verdict> = qs.iter().zip(&gs).map(|(q, g)| Verdict::of(q, g)).collect();
        assert_eq!(verdicts, [Verdict::Wrong, Verdict::Anyway]);
        assert_eq!(
            Verdict::of(&qs[0], &given(&["y"], Outcome::Clarify)),
            Verdict::Unsure
        );
        assert_eq!(
            Verdict::of(&qs[0], &given(&[], Outcome::Smalltalk)),
            Verdict::Missed
        );
        // What is on the list but was not shown is no click away.
        let one_click = |g: &Given| tally([(&qs[0], g)].into_iter())["all"].one_click;
        let hidden = given(&["z", "y"], Outcome::Clarify);
        assert_eq!(one_click(&hidden), 0);
        let shown = Given {
            offered: vec!["z".to_owned(), "y".to_owned()],
            ..hidden
        };
        assert_eq!(one_click(&shown), 1);
        assert!(parse("question\tmunicipality\texpected\nA\t0751").is_err());
        assert!(
            parse(&text.replace("0751", "751"))
                .unwrap_err()
                .starts_with("line 2")
        );
    }
}
