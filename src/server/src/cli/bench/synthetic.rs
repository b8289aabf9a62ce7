//! A knowledge base of the size of today's bot, made from the real articles by recombination.
//!
//! 5,000 articles: the shared ones with 20 of their Danish sentences each, and for each municipality as many of
//! its own. Half of those override a shared article (a municipality says it in its own words), half are about
//! something new: the short answer of one article and a section of another of the same area. 14,000 example
//! sentences in all. The same every time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use base::Lang;
use knowledge::{Article, Audience, File, Layer, Release};

pub(super) const ARTICLES: usize = 5_000;
pub(super) const SENTENCES: usize = 14_000;
/// Danish sentences that each shared article keeps: the fewest that the check of a release allows.
const SHARED_SENTENCES: usize = 20;

/// An article shorter than this keeps all of its model: more than the check's 25, for what it does not count.
const MIN_WORDS: usize = 35;

/// Numbers that look drawn and are always the same (splitmix64).
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}

/// The files of the base: `files` are those of the real knowledge, `release` what they come to.
pub(super) fn base(files: &[File], release: &Release) -> Vec<File> {
    let shared: Vec<&Article> = release
        .articles
        .iter()
        .filter(|a| a.layer == Layer::Shared && a.audience == Audience::Citizen)
        .collect();
    let mut of_area: BTreeMap<&str, Vec<&Article>> = BTreeMap::new();
    for a in &shared {
        of_area.entry(a.area.as_str()).or_default().push(a);
    }
    let mut out: Vec<File> = files
        .iter()
        .filter(|f| !f.path.ends_with(".md"))
        .map(open_to_all)
        .collect();
    for a in &shared {
        let sentences = a.examples_in(Lang::Da).iter().take(SHARED_SENTENCES);
        out.push(article(&a.file, a, &a.title, &a.body, sentences.cloned()));
    }
    let own = ARTICLES - shared.len();
    let sentences = SENTENCES - shared.len() * SHARED_SENTENCES;
    let codes: Vec<_> = release.municipalities.keys().collect();
    let mut draw = Draw(1);
    let mut seen = BTreeSet::new();
    for n in 0..own {
        let (code, turn) = (codes[n % codes.len()], n / codes.len());
        // As many as make the whole come out even.
        let has = sentences * (n + 1) / own - sentences * n / own;
        let about = shared[(turn / 2 * 7 + n * 13) % shared.len()];
        let near = &of_area[about.area.as_str()];
        let other = near[draw.below(near.len())];
        let section = &other.sections[draw.below(other.sections.len())];
        let heading = section.heading.as_deref().unwrap_or(&other.title);
        let short = about.sections.first().map_or("", |s| s.text.as_str());
        let body = match format!("{short}\n\n## {heading}\n{}", section.text) {
            body if body.split_whitespace().count() >= MIN_WORDS => body,
            _ => about.body.clone(),
        };
        let lines = about.examples_in(Lang::Da);
        let from = draw.below(lines.len());
        let mut said = Vec::new();
        for k in 0..lines.len() {
            let line = &lines[(from + k) % lines.len()];
            let line = format!("{line} ({})", heading.to_lowercase());
            // No sentence may teach two articles of one municipality.
            if said.len() < has && seen.insert((*code, line.clone())) {
                said.push(line);
            }
        }
        // Overrides answer the shared article's question, so they have its id.
        let id = if turn % 2 == 0 && !taken(&out, code, &about.id) {
            about.id.clone()
        } else {
            format!("lokal-{n}")
        };
        let title: String = format!("{}: {heading}", about.title)
            .chars()
            .take(70)
            .collect();
        let file = format!("kommune/{code}/{id}.md");
        out.push(article(&file, about, title.trim(), &body, said.into_iter()));
    }
    out.sort_by(|a, b| a.path.cmp(&b.path));
    out
}

fn taken(out: &[File], code: impl std::fmt::Display, id: &str) -> bool {
    let path = format!("kommune/{code}/{id}.md");
    out.iter().any(|f| f.path == path)
}

/// A municipality file may hide articles that are not in this base.
fn open_to_all(f: &File) -> File {
    let line = |l: &str| {
        if l.starts_with("hidden =") {
            "hidden = []".to_owned()
        } else {
            l.to_owned()
        }
    };
    let text = if f.path.starts_with("kommune/") {
        f.text.lines().map(line).collect::<Vec<_>>().join("\n")
    } else {
        f.text.clone()
    };
    File {
        path: f.path.clone(),
        text,
    }
}

fn article(
    file: &str,
    like: &Article,
    title: &str,
    body: &str,
    sentences: impl Iterator<Item = String>,
) -> File {
    let id = file.rsplit('/').next().and_then(|n| n.strip_suffix(".md"));
    let mut text = String::new();
    let quoted = |s: &str| format!("{:?}", s.replace(['"', '\\'], "'"));
    let _ = writeln!(text, "+++");
    let _ = writeln!(text, "id = {}", quoted(id.unwrap_or_default()));
    let _ = writeln!(text, "area = {}", quoted(&like.area));
    let _ = writeln!(text, "title = {}", quoted(title));
    let _ = writeln!(text, "audience = \"citizen\"");
    let _ = writeln!(text, "source = {}", quoted(&like.source));
    let _ = writeln!(text, "owner = {}", quoted(&like.owner));
    let _ = writeln!(text, "review_by = {}", like.review_by);
    let _ = writeln!(text, "crisis = {}", like.crisis);
    let _ = writeln!(text, "[examples]\nda = [");
    for s in sentences {
        let _ = writeln!(text, "  {},", quoted(&s));
    }
    let _ = writeln!(text, "]\n+++\n{body}");
    File {
        path: file.to_owned(),
        text,
    }
}
