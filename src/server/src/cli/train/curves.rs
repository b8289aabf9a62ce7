//! What a training came through, as a table and as a picture.

use std::fmt::Write as _;
use std::path::Path;

use inference::train::{Curves, Development};
use plotters::backend::SVGBackend;
use plotters::chart::{ChartBuilder, SeriesLabelPosition};
use plotters::drawing::{DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::PathElement;
use plotters::style::{Color, RGBColor, WHITE};

use super::Failure;

type Drawn = DrawingAreaErrorKind<std::io::Error>;

const SIZE: (u32, u32) = (900, 720);
const COLOURS: [RGBColor; 3] = [
    RGBColor(78, 156, 136),
    RGBColor(208, 106, 69),
    RGBColor(92, 107, 192),
];

/// Writes both files.
pub(super) fn write(
    curves: &Curves,
    main: &str,
    table: &Path,
    picture: &Path,
) -> Result<(), Failure> {
    std::fs::write(table, rows(curves, main))?;
    std::fs::write(picture, drawn(curves, main)?)?;
    Ok(())
}

/// One line a step; the figures of the development part where there are some.
fn rows(curves: &Curves, main: &str) -> String {
    let mut out =
        format!("step\tcontrast\tdrift\trate\tgradient\t{main}\tother_languages\tretrieval\n");
    let figures = |step: u32| -> String {
        let found = curves.development.iter().find(|d| d.0 == step);
        found.map_or("\t\t".to_owned(), |(_, d)| {
            let [first, others, retrieval] = shares(d, main);
            format!("{first:.2}\t{others:.2}\t{retrieval:.2}")
        })
    };
    if curves.development.iter().any(|d| d.0 == 0) {
        let _ = writeln!(out, "0\t\t\t\t\t{}", figures(0));
    }
    for s in &curves.steps {
        let _ = writeln!(
            out,
            "{}\t{:.5}\t{:.5}\t{:.3e}\t{:.4}\t{}",
            s.step,
            s.loss.contrast,
            s.loss.drift,
            s.rate,
            s.gradient,
            figures(s.step)
        );
    }
    out
}

/// In per cent.
fn shares(d: &Development, main: &str) -> [f64; 3] {
    let (first, others) = d.main_and_others(main);
    [first, others, d.retrieval].map(inference::train::Hits::percent)
}

fn drawn(curves: &Curves, main: &str) -> Result<String, Drawn> {
    let mut out = String::new();
    {
        let root = SVGBackend::with_string(&mut out, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let (upper, lower) = root.split_vertically(SIZE.1 / 2);
        let last = curves.steps.last().map_or(1, |s| s.step).max(1);
        let losses: Vec<(u32, f64)> = smoothed(curves);
        let highest = losses.iter().map(|l| l.1).fold(0.1, f64::max) * 1.05;
        let mut chart = ChartBuilder::on(&upper)
            .caption("Contrastive loss, mean over ten steps", ("sans-serif", 20))
            .margin(12)
            .x_label_area_size(32)
            .y_label_area_size(48)
            .build_cartesian_2d(0..last, 0.0..highest)?;
        chart.configure_mesh().x_desc("steps").draw()?;
        chart.draw_series([PathElement::new(losses, COLOURS[0].stroke_width(2))])?;
        let all: Vec<(u32, [f64; 3])> = curves
            .development
            .iter()
            .map(|(step, d)| (*step, shares(d, main)))
            .collect();
        let lowest = all.iter().flat_map(|d| d.1).fold(100.0, f64::min);
        let mut chart = ChartBuilder::on(&lower)
            .caption(
                "Held-out sentences: right class first, per cent",
                ("sans-serif", 20),
            )
            .margin(12)
            .x_label_area_size(32)
            .y_label_area_size(48)
            .build_cartesian_2d(0..last, (lowest - 3.0).max(0.0)..100.0)?;
        chart.configure_mesh().x_desc("steps").draw()?;
        for (n, name) in [main, "other languages", "general retrieval"]
            .into_iter()
            .enumerate()
        {
            let points: Vec<(u32, f64)> = all.iter().map(|(step, s)| (*step, s[n])).collect();
            let colour = COLOURS[n];
            chart
                .draw_series([PathElement::new(points, colour.stroke_width(2))])?
                .label(name)
                .legend(move |(x, y)| {
                    PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2))
                });
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerRight)
            .background_style(WHITE)
            .draw()?;
        root.present()?;
    }
    Ok(out)
}

fn smoothed(curves: &Curves) -> Vec<(u32, f64)> {
    curves
        .steps
        .windows(10.min(curves.steps.len().max(1)))
        .map(|w| {
            let sum: f64 = w.iter().map(|s| f64::from(s.loss.contrast)).sum();
            (w[w.len() - 1].step, sum / w.len() as f64)
        })
        .collect()
}
