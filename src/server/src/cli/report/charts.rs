//! The report's pictures. Drawn at twice the size they are shown at, for the backend rounds to whole units.
//!
//! Colours are those of the light scheme; [`INKS`] pairs each with a variable of the page's style, so that a
//! picture in the page follows the scheme, and one taken out of it still has colours.

use dialogue::eval::Share;
use plotters::backend::SVGBackend;
use plotters::chart::ChartBuilder;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBColor, ShapeStyle, TRANSPARENT, TextStyle};

use super::words::percent;

type Drawn = DrawingAreaErrorKind<std::io::Error>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const INK: RGBColor = RGBColor(23, 33, 31);
const LINE: RGBColor = RGBColor(201, 211, 208);
const GOOD: RGBColor = RGBColor(78, 156, 136);
const BAD: RGBColor = RGBColor(208, 106, 69);
/// Each colour, and the style's variable for it.
pub(super) const INKS: [(RGBColor, &str); 4] = [
    (INK, "--text"),
    (LINE, "--line"),
    (GOOD, "--good"),
    (BAD, "--bad"),
];

const WIDTH: u32 = 760;
const FONT: u32 = 31;
/// Left of a frame, for the numbers and the name of the axis.
const GUTTER: u32 = 130;

/// A bar with its name.
pub(super) struct Bar {
    pub label: String,
    pub share: Share,
}

/// Horizontal bars with their intervals, from 0 to 100 % or to what the largest interval needs.
pub(super) fn bars(rows: &[Bar], bad: bool) -> Result<String, Drawn> {
    const LABELS: u32 = 292;
    const VALUES: u32 = 122;
    const AXIS: u32 = 44;
    let lines: Vec<Vec<String>> = rows.iter().map(|r| wrap(&r.label, 22)).collect();
    let heights: Vec<u32> = lines.iter().map(|l| 16 + 30 * l.len() as u32).collect();
    let height: u32 = heights.iter().sum();
    let top = ceiling(rows.iter().map(|r| r.share.high));
    let mut out = String::new();
    {
        let root = SVGBackend::with_string(&mut out, (WIDTH, height + AXIS)).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin_left(LABELS)
            .margin_right(VALUES)
            .x_label_area_size(AXIS)
            .build_cartesian_2d(0.0..top, f64::from(height)..0.0)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .x_labels(3)
            .x_label_formatter(&|v| whole(*v))
            .label_style(text(HPos::Center, VPos::Top))
            .axis_style(LINE)
            .bold_line_style(LINE)
            .light_line_style(TRANSPARENT)
            .draw()?;
        let colour = if bad { BAD } else { GOOD };
        let mut from = 0;
        for ((row, lines), height) in rows.iter().zip(&lines).zip(&heights) {
            let middle = (from + height / 2) as i32;
            let y = f64::from(middle);
            for (i, line) in lines.iter().enumerate() {
                let at = middle + 30 * i as i32 - 15 * (lines.len() as i32 - 1);
                root.draw(&Text::new(
                    line.clone(),
                    (LABELS as i32 - 14, at),
                    text(HPos::Right, VPos::Center),
                ))?;
            }
            let s = row.share;
            if s.n > 0 {
                let bar = [(0.0, y - 13.0), (s.percent, y + 13.0)];
                let whisker = [(s.low, y), (s.high, y)];
                let cap = |x| PathElement::new(vec![(x, y - 7.0), (x, y + 7.0)], stroke(INK));
                chart.draw_series([Rectangle::new(bar, colour.filled())])?;
                chart.draw_series([
                    PathElement::new(whisker.to_vec(), stroke(INK)),
                    cap(s.low),
                    cap(s.high),
                ])?;
            }
            root.draw(&Text::new(
                percent(s.percent),
                (WIDTH as i32 - 4, middle),
                text(HPos::Right, VPos::Center),
            ))?;
            from += height;
        }
        root.present()?;
    }
    Ok(out)
}

/// One bin of the reliability diagram.
pub(super) struct Belief {
    pub n: u32,
    pub share: Share,
}

/// Share of right answers over confidence, with the line on which they are equal; below it, how many.
pub(super) fn reliability(bins: &[Belief]) -> Result<String, Drawn> {
    let mut out = String::new();
    {
        let root = SVGBackend::with_string(&mut out, (WIDTH, 760)).into_drawing_area();
        let (upper, lower) = root.split_vertically(540);
        let mut chart = square(&upper, 100.0, "Andel rigtige", "")?;
        let width = 100.0 / bins.len() as f64;
        for (bin, left) in bins.iter().zip((0..).map(|i| f64::from(i) * width)) {
            if bin.n == 0 {
                continue;
            }
            let (s, x) = (bin.share, left + width / 2.0);
            let bar = [(left + 1.0, 0.0), (left + width - 1.0, s.percent)];
            let whisker = vec![(x, s.low), (x, s.high)];
            let cap = |y| PathElement::new(vec![(x - 1.2, y), (x + 1.2, y)], stroke(INK));
            chart.draw_series([Rectangle::new(bar, GOOD.filled())])?;
            chart.draw_series([
                PathElement::new(whisker, stroke(INK)),
                cap(s.low),
                cap(s.high),
            ])?;
        }
        chart.draw_series(dashes((0.0, 0.0), (100.0, 100.0), INK))?;
        let most = bins.iter().map(|b| b.n).max().unwrap_or(0).max(1);
        let mut counts = ChartBuilder::on(&lower)
            .margin_left(GUTTER)
            .margin_right(36)
            .margin_top(40)
            .x_label_area_size(84)
            .build_cartesian_2d(0.0..100.0, 0.0..f64::from(most))?;
        counts
            .configure_mesh()
            .disable_mesh()
            .disable_y_axis()
            .x_labels(0)
            .x_label_formatter(&|v| whole(*v))
            .x_desc("Borgerlinjes sikkerhed (tallene: antal spørgsmål)")
            .label_style(text(HPos::Center, VPos::Top))
            .axis_desc_style(text(HPos::Center, VPos::Center))
            .axis_style(LINE)
            .draw()?;
        for (bin, left) in bins.iter().zip((0..).map(|i| f64::from(i) * width)) {
            let (n, x) = (f64::from(bin.n), left + width / 2.0);
            let bar = [(left + 1.0, 0.0), (left + width - 1.0, n)];
            counts.draw_series([Rectangle::new(bar, LINE.filled())])?;
            let (x, y) = counts.backend_coord(&(x, n));
            // The area below begins at 540; what it gives as a place counts from the top of the picture.
            let at = (x, y - 8);
            let label = text(HPos::Center, VPos::Bottom);
            root.draw(&Text::new(bin.n.to_string(), at, label))?;
        }
        root.present()?;
    }
    Ok(out)
}

/// A falling threshold's way through the picture.
pub(super) struct Trace {
    /// Share answered and share of faults, in per cent, in the order of falling thresholds.
    pub points: Vec<(f64, f64)>,
    /// Where the service stands.
    pub now: (f64, f64),
    /// What the budget allows, in per cent.
    pub budget: f64,
}

/// Share of faults over share answered, the working point marked.
pub(super) fn coverage(trace: &Trace, x: &str, y: &str) -> Result<String, Drawn> {
    let highest = trace
        .points
        .iter()
        .map(|p| p.1)
        .fold(trace.budget, f64::max);
    let mut out = String::new();
    {
        let root = SVGBackend::with_string(&mut out, (WIDTH, 600)).into_drawing_area();
        let top = ceiling([highest * 1.1].into_iter());
        let mut chart = square(&root, top, y, x)?;
        let budget = trace.budget;
        chart.draw_series(dashes((0.0, budget), (100.0, budget), BAD))?;
        // One threshold after another: a step, for between two of them nothing changes.
        let mut steps = vec![(0.0, 0.0)];
        for &(x, y) in &trace.points {
            let last = steps[steps.len() - 1].1;
            steps.extend([(x, last), (x, y)]);
        }
        chart.draw_series([PathElement::new(steps, INK.stroke_width(5))])?;
        chart.draw_series([
            Circle::new(trace.now, 13, GOOD.filled()),
            Circle::new(trace.now, 13, stroke(INK)),
        ])?;
        let label = |(px, py): (i32, i32), words: String, h, v| {
            root.draw(&Text::new(words, (px, py), text(h, v)))
        };
        let (px, py) = chart.backend_coord(&(0.0, budget));
        label(
            (px + 12, py - 8),
            "Fejlbudget".to_owned(),
            HPos::Left,
            VPos::Bottom,
        )?;
        let (px, py) = chart.backend_coord(&trace.now);
        // Above the point, and to the side on which there is room.
        let (h, shift) = if trace.now.0 > 50.0 {
            (HPos::Right, -20)
        } else {
            (HPos::Left, 20)
        };
        label((px + shift, py - 18), "I dag".to_owned(), h, VPos::Bottom)?;
        root.present()?;
    }
    Ok(out)
}

type Chart<'a, 'b> = plotters::chart::ChartContext<
    'a,
    SVGBackend<'b>,
    plotters::coord::cartesian::Cartesian2d<
        plotters::coord::types::RangedCoordf64,
        plotters::coord::types::RangedCoordf64,
    >,
>;

/// A frame from 0 to 100 % across and to `top` per cent up.
fn square<'a, 'b>(area: &Area<'b>, top: f64, y: &str, x: &str) -> Result<Chart<'a, 'b>, Drawn> {
    let mut chart = ChartBuilder::on(area)
        .margin_top(18)
        .margin_right(36)
        .x_label_area_size(if x.is_empty() { 40 } else { 84 })
        .y_label_area_size(GUTTER)
        .build_cartesian_2d(0.0..100.0, 0.0..top)?;
    chart
        .configure_mesh()
        .x_labels(6)
        .y_labels(6)
        .x_label_formatter(&|v| whole(*v))
        .y_label_formatter(&|v| whole(*v))
        .x_desc(x)
        .y_desc(y)
        .label_style(text(HPos::Center, VPos::Top))
        .axis_desc_style(text(HPos::Center, VPos::Center))
        .axis_style(LINE)
        .bold_line_style(LINE)
        .light_line_style(TRANSPARENT)
        .draw()?;
    Ok(chart)
}

/// The next of 5, 10, 20 … 100.
fn ceiling(values: impl Iterator<Item = f64>) -> f64 {
    let highest = values.fold(0.0, f64::max);
    if highest <= 5.0 {
        return 5.0;
    }
    ((highest / 10.0).ceil() * 10.0).min(100.0)
}

fn whole(v: f64) -> String {
    format!("{v:.0}\u{a0}%")
}

fn stroke(colour: RGBColor) -> ShapeStyle {
    colour.stroke_width(3)
}

fn text(h: HPos, v: VPos) -> TextStyle<'static> {
    TextStyle::from(("sans-serif", FONT).into_font())
        .color(&INK)
        .pos(Pos::new(h, v))
}

fn dashes(
    from: (f64, f64),
    to: (f64, f64),
    colour: RGBColor,
) -> impl Iterator<Item = PathElement<(f64, f64)>> {
    const PIECES: i32 = 50;
    let at = move |i: i32| {
        let t = f64::from(i) / f64::from(2 * PIECES);
        (from.0 + (to.0 - from.0) * t, from.1 + (to.1 - from.1) * t)
    };
    (0..PIECES).map(move |i| PathElement::new(vec![at(2 * i), at(2 * i + 1)], stroke(colour)))
}

/// A label on one line or two.
fn wrap(label: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in label.split_whitespace() {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    for line in &mut lines {
        if line.chars().count() > width {
            *line = line.chars().take(width - 1).chain(['…']).collect();
        }
    }
    if lines.len() > 2 {
        lines.truncate(2);
        lines[1].push('…');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_broken_between_words() {
        assert_eq!(wrap("Bolig", 22), ["Bolig"]);
        assert_eq!(
            wrap("Vielse, skilsmisse og forældremyndighed", 22),
            ["Vielse, skilsmisse og", "forældremyndighed"]
        );
        assert_eq!(
            wrap("en to tre fire", 6),
            ["en to", "tre…"].map(String::from)
        );
        assert_eq!(wrap("abcdefghij", 6), ["abcde…"]);
    }

    #[test]
    fn pictures_hold_what_they_are_given() {
        let bar = |label: &str, share| Bar {
            label: label.to_owned(),
            share,
        };
        let rows = [
            bar("Bolig & <hund>", Share::of(9, 10)),
            bar("Tom", Share::of(0, 0)),
        ];
        let svg = bars(&rows, false).unwrap();
        assert!(svg.contains("Bolig &amp; &lt;hund&gt;") && svg.contains("90,0\u{a0}%"));
        assert!(svg.ends_with("</svg>\n"));
        let colour = |c: RGBColor| format!("#{:02X}{:02X}{:02X}", c.0, c.1, c.2);
        assert_eq!(
            svg.matches(&format!("fill=\"{}\" stroke", colour(GOOD)))
                .count(),
            1
        );
        assert!(bars(&[], true).unwrap().contains("</svg>"));
    }
}
