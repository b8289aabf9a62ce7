//! From scores to a probability that the first article is the right one, and the thresholds that keep the
//! error budget: a logistic regression, which is a choice between two.

use serde::{Deserialize, Serialize};

use super::stack::{Choice, logit};

/// What is known of a ranked query besides its order.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Signals {
    /// Softmax probability of the best article among all candidates, and of the runner-up.
    pub first: f32,
    pub second: f32,
    /// Summed probability of the out-of-scope kinds.
    pub outside: f32,
    pub intent: f32,
    /// Of the best article.
    pub nearest: f32,
    pub section: f32,
    pub lexical: f32,
    pub vector: f32,
    /// Whether lexical, vector and nearest-example evidence each have it first.
    pub agree: f32,
    /// Share of words never seen in training, 0 to 1.
    pub unknown: f32,
    pub words: f32,
    /// Not Danish: lexical evidence and unknown words mean less.
    pub foreign: f32,
}

const N: usize = 16;

impl Signals {
    fn numbers(&self) -> [f32; N] {
        let odds = |p: f32| (p.clamp(1e-4, 0.9999) / (1.0 - p.clamp(1e-4, 0.9999))).ln();
        [
            1.0,
            odds(self.first) * 0.3,
            (self.first / self.second.max(1e-4)).ln().clamp(-8.0, 8.0) * 0.3,
            odds(self.outside.max(1e-4)) * 0.3,
            odds(self.intent.max(1e-4)) * 0.3,
            self.nearest * 2.0,
            self.section * 2.0,
            self.lexical,
            self.vector,
            self.agree,
            self.unknown * (1.0 - self.foreign) * 2.0,
            (1.0 / self.words.max(1.0)).min(1.0),
            self.foreign,
            self.foreign * self.lexical,
            self.foreign * self.nearest,
            self.unknown * self.first * (1.0 - self.foreign),
        ]
    }
}

/// A query of the calibration set.
pub(crate) struct Trial {
    pub signals: Signals,
    /// The first article was the right one. Never true of a sentence that no article answers.
    pub right: bool,
    /// Some article answers it.
    pub answerable: bool,
    pub weight: f32,
}

/// What may go wrong, as shares.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorBudget {
    /// Of the questions some article answers, the share shown a wrong one.
    pub wrong: f32,
    /// Of the messages no article answers, the share answered.
    pub unanswerable: f32,
}

impl Default for ErrorBudget {
    /// The budget of the service: 3.5 % wrong, 6 % of the unanswerable answered, on cross-fitted example
    /// sentences, which are harder than what citizens write: of those that show it, far fewer are wrong.
    fn default() -> Self {
        Self {
            wrong: 0.035,
            unanswerable: 0.06,
        }
    }
}

/// Logistic calibration and the working point.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Confidence {
    weights: Vec<f32>,
    /// At or above: answer.
    pub answer: f32,
    /// At or above, and below `answer`: ask which of two or three.
    pub clarify: f32,
}

/// Clarify down to this share of the answer threshold: below it the titles would be guesses.
const CLARIFY_SHARE: f32 = 0.35;

impl Confidence {
    pub(crate) fn fit(trials: &[Trial], budget: ErrorBudget, threads: usize) -> Self {
        // Between being right and being wrong, where nothing speaks for the latter.
        let choices: Vec<Choice<N>> = trials
            .iter()
            .map(|t| Choice {
                group: 0,
                candidates: vec![t.signals.numbers(), [0.0; N]],
                right: usize::from(!t.right),
                weight: t.weight,
            })
            .collect();
        let all: Vec<&Choice<N>> = choices.iter().filter(|c| c.weight > 0.0).collect();
        let weights = logit::fit(&all, &[0.0; N], 1e-6, threads);
        let mut this = Self {
            weights: weights.to_vec(),
            answer: 1.0,
            clarify: 1.0,
        };
        this.answer = this.threshold(trials, budget);
        this.clarify = this.answer * CLARIFY_SHARE;
        this
    }

    pub(crate) fn probability(&self, s: &Signals) -> f32 {
        sigmoid(dot(&self.weights, &s.numbers()))
    }

    /// The lowest threshold within the budget.
    fn threshold(&self, trials: &[Trial], budget: ErrorBudget) -> f32 {
        let mut scored: Vec<(f32, &Trial)> = trials
            .iter()
            .map(|t| (self.probability(&t.signals), t))
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        let answerable: f32 = trials
            .iter()
            .filter(|t| t.answerable)
            .map(|t| t.weight)
            .sum();
        let unanswerable: f32 = trials
            .iter()
            .filter(|t| !t.answerable)
            .map(|t| t.weight)
            .sum();
        let (mut wrong, mut outside, mut best) = (0.0, 0.0, 1.0);
        // Equal probabilities are shown together or not at all.
        for tied in scored.chunk_by(|a, b| a.0 == b.0) {
            for (_, t) in tied {
                if t.answerable && !t.right {
                    wrong += t.weight;
                } else if !t.answerable {
                    outside += t.weight;
                }
            }
            if wrong > budget.wrong * answerable || outside > budget.unanswerable * unanswerable {
                break;
            }
            best = tied[0].0;
        }
        best
    }
}

fn dot(w: &[f32], x: &[f32]) -> f32 {
    w.iter().zip(x).map(|(w, x)| w * x).sum()
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_keeps_the_budget() {
        let trials: Vec<Trial> = (0..1000)
            .map(|i| {
                let first = (i % 100) as f32 / 100.0;
                Trial {
                    signals: Signals {
                        first,
                        second: 1.0 - first,
                        words: 5.0,
                        ..Signals::default()
                    },
                    right: (i / 100 * 37 + i) % 100 < i % 100,
                    answerable: true,
                    weight: 1.0,
                }
            })
            .collect();
        let c = Confidence::fit(
            &trials,
            ErrorBudget {
                wrong: 0.02,
                unanswerable: 0.05,
            },
            1,
        );
        let shown = trials
            .iter()
            .filter(|t| c.probability(&t.signals) >= c.answer);
        let (n, wrong) = shown.fold((0, 0), |(n, w), t| (n + 1, w + usize::from(!t.right)));
        assert!(n > 50 && wrong <= 20, "{n} shown, {wrong} wrong");
        let p = |first| {
            c.probability(&Signals {
                first,
                second: 1.0 - first,
                words: 5.0,
                ..Signals::default()
            })
        };
        assert!(p(0.9) > p(0.5) && p(0.5) > p(0.2));
    }
}
