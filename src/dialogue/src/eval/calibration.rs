//! How far a confidence can be trusted, and what another threshold would give.

use crate::outcome::Outcome;
use crate::turn::Record;

use super::{Question, right};

/// What the curves need of one question: how sure the turn was, and whether its first article was right.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    pub confidence: f32,
    /// Never true of a question that no article answers.
    pub right: bool,
    pub answerable: bool,
    /// Ends otherwise than by the threshold: read as a greeting, as a cry for help, or failed.
    pub settled: bool,
}

impl Trial {
    /// `None` when nothing was ranked, and so nothing was believed.
    pub fn of(question: &Question, record: &Record) -> Option<Self> {
        let first = record.candidates.first()?;
        Some(Self {
            confidence: record.confidence,
            right: right(question, &first.article_id),
            answerable: !question.expected.is_empty(),
            settled: record.intent.is_some() || record.outcome == Outcome::Failed,
        })
    }
}

/// The questions whose confidence lies in one tenth.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bin {
    pub n: u32,
    pub right: u32,
    total: f64,
}

impl Bin {
    /// The mean confidence in per cent; not a number when the bin is empty.
    pub fn mean(&self) -> f64 {
        100.0 * self.total / f64::from(self.n)
    }
}

/// Ten bins of equal width, from unsure to sure.
pub fn bins(trials: &[Trial]) -> [Bin; 10] {
    let mut out = [Bin::default(); 10];
    for t in trials {
        let bin = &mut out[((t.confidence * 10.0) as usize).min(9)];
        bin.n += 1;
        bin.right += u32::from(t.right);
        bin.total += f64::from(t.confidence);
    }
    out
}

/// The expected calibration error (Naeini 2015) in points: how far confidence and share of right lie apart,
/// over the bins by their size.
pub fn calibration_error(bins: &[Bin]) -> Option<f64> {
    let n: u32 = bins.iter().map(|b| b.n).sum();
    let apart: f64 = bins
        .iter()
        .map(|b| (f64::from(b.right) - b.total).abs())
        .sum();
    (n > 0).then(|| 100.0 * apart / f64::from(n))
}

/// What a threshold lets through.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    pub threshold: f32,
    pub answered: u32,
    /// Of the answered, those with a wrong article.
    pub wrong: u32,
    /// Answered although no article answers them.
    pub anyway: u32,
}

/// Every threshold at which something changes, falling, with what it and all above let through.
pub fn curve(trials: &[Trial]) -> Vec<Point> {
    let mut open: Vec<&Trial> = trials.iter().filter(|t| !t.settled).collect();
    open.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let mut sum = Point::default();
    let mut out = Vec::new();
    // Equal confidences are let through together or not at all.
    for tied in open.chunk_by(|a, b| a.confidence == b.confidence) {
        for t in tied {
            sum.answered += u32::from(t.answerable);
            sum.wrong += u32::from(t.answerable && !t.right);
            sum.anyway += u32::from(!t.answerable);
        }
        sum.threshold = tied[0].confidence;
        out.push(sum);
    }
    out
}

/// What any threshold lets through.
pub fn reached(curve: &[Point], threshold: f32) -> Point {
    let above = curve.partition_point(|p| p.threshold >= threshold);
    Point {
        threshold,
        ..above
            .checked_sub(1)
            .map_or_else(Point::default, |i| curve[i])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(confidence: f32, right: bool) -> Trial {
        Trial {
            confidence,
            right,
            answerable: true,
            settled: false,
        }
    }

    #[test]
    fn the_error_is_the_distance_from_what_was_believed() {
        // Ten at 0.95 with nine right are 5 points too sure; two at 0.3 with one right are 20 too unsure.
        let mut trials: Vec<Trial> = (0..10).map(|i| trial(0.95, i > 0)).collect();
        trials.extend([trial(0.3, true), trial(0.3, false)]);
        let bins = bins(&trials);
        assert_eq!((bins[9].n, bins[9].right, bins[3].n), (10, 9, 2));
        assert!((bins[9].mean() - 95.0).abs() < 1e-4);
        let wanted = (10.0 * 5.0 + 2.0 * 20.0) / 12.0;
        let error = calibration_error(&bins).unwrap();
        assert!((error - wanted).abs() < 1e-4, "{error}");
        assert_eq!(calibration_error(&[Bin::default(); 10]), None);
        // Certainty belongs to the last bin.
        assert_eq!(super::bins(&[trial(1.0, true)])[9].n, 1);
    }

    #[test]
    fn a_threshold_lets_through_all_that_is_as_sure() {
        let outside = Trial {
            answerable: false,
            ..trial(0.7, false)
        };
        let crisis = Trial {
            settled: true,
            ..trial(0.99, true)
        };
        let trials = [
            trial(0.4, false),
            trial(0.9, true),
            outside,
            trial(0.7, false),
            crisis,
        ];
        let curve = curve(&trials);
        let thresholds: Vec<f32> = curve.iter().map(|p| p.threshold).collect();
        assert_eq!(thresholds, [0.9, 0.7, 0.4]);
        let at = |t| {
            let p = reached(&curve, t);
            (p.answered, p.wrong, p.anyway)
        };
        assert_eq!(at(0.95), (0, 0, 0));
        assert_eq!(at(0.8), (1, 0, 0));
        assert_eq!(at(0.7), (2, 1, 1));
        assert_eq!(at(0.0), (3, 2, 1));
        assert_eq!(reached(&[], 0.5).answered, 0);
    }
}
