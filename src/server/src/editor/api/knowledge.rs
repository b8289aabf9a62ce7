//! What the knowledge holds, with a draft over it where one is named.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use base::MunicipalityCode;
use jiff::civil::Date;
use knowledge::{File, SlotKind};
use serde::Deserialize;
use utoipa::IntoParams;

use super::super::drafts::alive;
use super::super::places::{Place, Rights, place};
use super::super::preview::{Around, render};
use super::super::problem::Problem;
use super::super::shelf::{Laid, Shelf};
use super::super::texts::{differences, text_of, with};
use super::super::wire::{
    AreaRow, ArticleFields, ArticleRow, ArticleVersion, ArticleVersions, FactsShown, Folder,
    Knowledge, LayerName, Me, MunicipalityRow, Preview, PreviewAsked, ProblemShown, RateFields,
    Rates, ReleaseOf, Seen, SlotShown, Slots, Status, shown,
};
use super::super::{Live, Studio, blocking, fields, today, undo};
use super::{Asked, By, Query, json};
use crate::app::App;

/// Releases that are named at an article at most.
const RELEASES: u32 = 20;

#[derive(Deserialize, IntoParams)]
pub(super) struct Seat {
    /// A municipality's code.
    municipality: Option<String>,
    /// A draft to lay over what is live.
    draft: Option<String>,
}

fn code(text: &str) -> Result<MunicipalityCode, Problem> {
    text.parse()
        .map_err(|_| Problem::bad(format!("«{text}» er ikke en kommunes kode.")))
}

impl Seat {
    fn code(&self) -> Result<Option<MunicipalityCode>, Problem> {
        self.municipality.as_deref().map(code).transpose()
    }
}

/// What is live, and the texts of a draft.
async fn over(
    studio: &Studio,
    draft: Option<&str>,
) -> Result<(Arc<Live>, Vec<(String, Option<String>)>), Problem> {
    let laid = match draft {
        None => Vec::new(),
        Some(id) => {
            let found = studio.found(id).await?;
            studio.laid(&found.files).await?.0
        }
    };
    Ok((studio.live.load_full(), laid))
}

fn rights<'a>(by: &'a By, live: &'a Live) -> Rights<'a> {
    Rights {
        account: by.account(),
        release: &live.release,
    }
}

/// `GET /me`
#[utoipa::path(get, path = "/api/studio/me", responses((status = 200, body = Me), (status = 401, body = ProblemShown), (status = 403, body = ProblemShown)))]
pub(super) async fn me(State(_): State<App>, by: By) -> Response {
    let live = by.studio.live.load();
    let account = by.account();
    let rights = rights(&by, &live);
    let all = live.release.municipalities.values();
    let regions: BTreeSet<MunicipalityCode> = all.clone().map(|m| m.region).collect();
    json(&Me {
        user: account.user.as_str().to_owned(),
        name: account.details.name.clone(),
        roles: account
            .details
            .roles
            .iter()
            .map(|r| r.name().to_owned())
            .collect(),
        csrf: by.signed.csrf.clone(),
        everywhere: rights.everywhere(),
        municipalities: all
            .filter(|m| account.may(m.code))
            .map(|m| m.code.to_string())
            .collect(),
        regions: regions
            .into_iter()
            .filter(|r| rights.layer(knowledge::Layer::Region(*r)))
            .map(|r| r.to_string())
            .collect(),
    })
}

/// `GET /status`
#[utoipa::path(get, path = "/api/studio/status", responses((status = 200, body = Status)))]
pub(super) async fn status(State(app): State<App>, by: By) -> Result<Response, Problem> {
    let studio = &by.studio;
    let live = studio.live.load_full();
    let root = studio.root.clone();
    let disk = blocking(move || knowledge::load(&root)).await?;
    let disk = disk.map_err(Problem::unavailable)?;
    let changed: Vec<String> = differences(&live.files, &disk)
        .into_iter()
        .map(|d| d.path)
        .collect();
    let faults = if changed.is_empty() {
        Vec::new()
    } else {
        match studio.check(&app, disk).await? {
            (Some(_), _) => Vec::new(),
            (None, faults) => shown(&faults),
        }
    };
    let articles = live.articles();
    Ok(json(&Status {
        release: live.release.hash.clone(),
        number: live.number,
        articles: articles.len(),
        examples: articles
            .iter()
            .flat_map(|a| a.examples.values())
            .map(Vec::len)
            .sum(),
        drafts_open: studio.store.drafts(alive(), 10_000).await?.len(),
        folder: Folder { changed, faults },
        publishing: studio.jobs.publishing(),
        faults: shown(&live.faults),
        nodes: studio.shown_nodes(),
    }))
}

/// `GET /knowledge`
#[utoipa::path(get, path = "/api/studio/knowledge", params(Seat), responses((status = 200, body = Knowledge)))]
pub(super) async fn knowledge(
    State(app): State<App>,
    by: By,
    Query(asked): Query<Seat>,
) -> Result<Response, Problem> {
    let seat = asked.code()?;
    let (live, laid) = over(&by.studio, asked.draft.as_deref()).await?;
    let mut drafts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (draft, path) in by.studio.store.touched(alive()).await? {
        if let Some(Place::Article(_, id)) = place(&path) {
            let of = drafts.entry(id.to_owned()).or_default();
            if !of.contains(&draft) {
                of.push(draft);
            }
        }
    }
    let today = today(&*app.clock);
    let account = Arc::clone(&by.signed.account);
    let listed = blocking(move || {
        let may = |code| account.may(code);
        listed(&live, &laid, drafts, seat, today, &may)
    });
    Ok(json(&listed.await?))
}

/// Everything that is known, as a list. `drafts` are the open ones by the article that they touch.
pub(in super::super) fn listed(
    live: &Live,
    laid: &Laid,
    mut drafts: BTreeMap<String, Vec<String>>,
    seat: Option<MunicipalityCode>,
    today: Date,
    may: &dyn Fn(MunicipalityCode) -> bool,
) -> Knowledge {
    let release = &live.release;
    let shelf = Shelf::new(live, laid, today);
    let mut articles = Vec::new();
    let mut of_area: BTreeMap<&str, usize> = BTreeMap::new();
    let mut own: BTreeMap<MunicipalityCode, usize> = BTreeMap::new();
    let mut owners = BTreeSet::new();
    for versions in shelf.by_id() {
        for a in versions {
            owners.insert(a.owner.clone());
            if let knowledge::Layer::Municipality(code) = a.layer {
                *own.entry(code).or_default() += 1;
            }
        }
        let got = seat.and_then(|code| shelf.got(versions, code));
        let a = got.unwrap_or(&versions[0]);
        *of_area.entry(&a.area).or_default() += 1;
        articles.push(ArticleRow {
            id: a.id.clone(),
            title: a.title.clone(),
            area: a.area.clone(),
            owner: a.owner.clone(),
            audience: a.audience,
            crisis: a.crisis,
            layers: versions.iter().map(|v| LayerName(v.layer)).collect(),
            hidden_in: shelf.hidden_in(&a.id),
            examples: a.examples.values().map(Vec::len).sum(),
            review_by: a.review_by.to_string(),
            overdue: a.review_by < today,
            valid_from: a.valid_from.map(|d| d.to_string()),
            valid_to: a.valid_to.map(|d| d.to_string()),
            seen: seat.map(|code| shelf.seen(versions, code)),
            drafts: drafts.remove(&a.id).unwrap_or_default(),
        });
    }
    let rules = &release.studio;
    Knowledge {
        release: release.hash.clone(),
        municipalities: release
            .municipalities
            .values()
            .map(|m| MunicipalityRow {
                code: m.code.to_string(),
                name: m.name.clone(),
                region: m.region.to_string(),
                own: own.get(&m.code).copied().unwrap_or(0),
                hidden: m.hidden.len(),
                writable: may(m.code),
            })
            .collect(),
        areas: titles(live, laid)
            .iter()
            .map(|(id, title)| AreaRow {
                id: id.clone(),
                title: title.clone(),
                articles: of_area.get(id.as_str()).copied().unwrap_or(0),
                approval: rules.approve_areas.contains(id),
            })
            .collect(),
        owners: owners.into_iter().collect(),
        articles,
    }
}

/// The areas, also those that a draft adds.
fn titles(live: &Live, laid: &Laid) -> BTreeMap<String, String> {
    let drafted = laid.iter().find(|(p, _)| p == "omraader.toml");
    let drafted = drafted.and_then(|(_, text)| toml::from_str(text.as_deref()?).ok());
    drafted.unwrap_or_else(|| live.release.areas.clone())
}

/// `GET /articles/{id}`
#[utoipa::path(get, path = "/api/studio/articles/{id}", params(("id" = String, Path), Seat),
    responses((status = 200, body = ArticleVersions), (status = 404, body = ProblemShown)))]
pub(super) async fn article(
    State(app): State<App>,
    by: By,
    Path(id): Path<String>,
    Query(asked): Query<Seat>,
) -> Result<Response, Problem> {
    let seat = asked.code()?;
    let (live, laid) = over(&by.studio, asked.draft.as_deref()).await?;
    let today = today(&*app.clock);
    let shelf = Shelf::new(&live, &laid, today);
    let rights = rights(&by, &live);
    let drafted = laid.iter().map(|(p, _)| p.as_str());
    let paths: BTreeSet<&str> = live
        .files
        .iter()
        .map(|f| f.path.as_str())
        .chain(drafted)
        .filter(|p| matches!(place(p), Some(Place::Article(_, stem)) if stem == id))
        .collect();
    let mut versions: Vec<ArticleVersion> = Vec::new();
    for path in &paths {
        let Some(Place::Article(layer, _)) = place(path) else {
            continue;
        };
        if seat.is_some_and(|code| !shelf.reaches(layer, code)) {
            continue;
        }
        let live_text = text_of(&live.files, path);
        let draft = laid.iter().find(|(p, _)| p == path);
        let (state, text) = match (live_text, draft.map(|(_, t)| t.as_deref())) {
            (Some(l), None) => ("live", l),
            (Some(l), Some(None)) => ("removed", l),
            (Some(l), Some(Some(t))) if l == t => ("live", t),
            (Some(_), Some(Some(t))) => ("changed", t),
            (None, Some(Some(t))) => ("added", t),
            (None, Some(None) | None) => continue,
        };
        let file = File {
            path: (*path).to_owned(),
            text: text.to_owned(),
        };
        let (article, faults) = match knowledge::Article::read(&file) {
            Ok(a) => (Some(ArticleFields::from(&a)), Vec::new()),
            Err(fault) => (None, shown(&[fault])),
        };
        versions.push(ArticleVersion {
            layer: LayerName(layer),
            file: file.path,
            article,
            live_text: live_text.filter(|l| *l != text).map(str::to_owned),
            text: file.text,
            state,
            writable: rights.writes(path),
            faults,
        });
    }
    if versions.is_empty() {
        return Err(Problem::not_found(format!(
            "Der er ingen artikel, der hedder «{id}»."
        )));
    }
    versions.sort_by_key(|v| v.layer);
    let seen = seat.map(|code| {
        let all: Vec<_> = shelf
            .articles
            .iter()
            .filter(|a| a.id == id)
            .cloned()
            .collect();
        let hidden = shelf.hides(code, &id);
        let got = shelf.got(&all, code).filter(|_| !hidden);
        Seen {
            municipality: code.to_string(),
            layer: got.map(|a| LayerName(a.layer)),
            hidden,
        }
    });
    let paths = paths.into_iter().map(str::to_owned).collect();
    let mut releases = Vec::new();
    for row in by.studio.store.releases_of(paths, RELEASES).await? {
        let meta = undo::meta(&row)?;
        releases.push(ReleaseOf {
            number: row.number,
            at_ms: row.at.as_millisecond(),
            by: meta.by,
            title: meta.title,
        });
    }
    Ok(json(&ArticleVersions {
        hidden_in: shelf.hidden_in(&id),
        id,
        versions,
        seen,
        releases,
    }))
}

/// `POST /preview`
#[utoipa::path(post, path = "/api/studio/preview", request_body = PreviewAsked,
    responses((status = 200, body = Preview), (status = 400, body = ProblemShown)))]
pub(super) async fn preview(
    State(app): State<App>,
    by: By,
    Asked(asked): Asked<PreviewAsked>,
) -> Result<Response, Problem> {
    let (live, laid) = over(&by.studio, asked.draft.as_deref()).await?;
    let today = today(&*app.clock);
    let rendered = blocking(move || {
        let files = with(&live.files, &laid);
        let shelf = Shelf::new(&live, &laid, today);
        let around = Around {
            files: &files,
            live: &live.release,
            others: &shelf.articles,
            today,
        };
        render(&around, asked.layer.0, &asked.article, asked.municipality)
    });
    Ok(json(&rendered.await??))
}

/// The release with a draft over it, or what is live where the draft has faults.
async fn release(
    app: &App,
    studio: &Studio,
    draft: Option<&str>,
) -> Result<Arc<knowledge::Release>, Problem> {
    let live = studio.live.load_full();
    if draft.is_none() {
        return Ok(Arc::clone(&live.release));
    }
    let files = studio.files_with(draft).await?;
    let built = studio.check(app, files).await?.0.map(Arc::new);
    Ok(built.unwrap_or_else(|| Arc::clone(&live.release)))
}

/// `GET /slots`
#[utoipa::path(get, path = "/api/studio/slots", params(Seat), responses((status = 200, body = Slots)))]
pub(super) async fn slots(
    State(app): State<App>,
    by: By,
    Query(asked): Query<Seat>,
) -> Result<Response, Problem> {
    let release = release(&app, &by.studio, asked.draft.as_deref()).await?;
    let first = release.municipalities.keys().next().copied();
    let code = asked.code()?.or(first);
    let all = code.map(|c| release.slots(c)).unwrap_or_default();
    let slots = all.into_iter().map(|s| SlotShown {
        slot: s.name,
        label: s.label,
        value: s.value,
        kind: match s.kind {
            SlotKind::Rate => "rate",
            SlotKind::Municipality => "municipality",
            SlotKind::Link => "link",
            SlotKind::Crisis => "crisis",
        },
    });
    Ok(json(&Slots {
        slots: slots.collect(),
    }))
}

/// `GET /rates`
#[utoipa::path(get, path = "/api/studio/rates", params(Seat), responses((status = 200, body = Rates)))]
pub(super) async fn rates(
    State(app): State<App>,
    by: By,
    Query(asked): Query<Seat>,
) -> Result<Response, Problem> {
    let release = release(&app, &by.studio, asked.draft.as_deref()).await?;
    let writable = rights(&by, &by.studio.live.load()).everywhere();
    let rates = release.rates.iter().map(|(id, r)| {
        let slot = format!("sats.{id}");
        let uses = |a: &&knowledge::Article| {
            let texts = [&a.body, &a.title];
            texts
                .iter()
                .any(|t| knowledge::slots_in(t).any(|s| s == slot))
        };
        let used: BTreeSet<&str> = release
            .articles
            .iter()
            .filter(uses)
            .map(|a| a.id.as_str())
            .collect();
        RateFields {
            id: id.clone(),
            name: r.name.clone(),
            value: r.value.clone(),
            unit: r.unit.clone(),
            year: r.year,
            source: r.source.clone(),
            sample: r.sample,
            used_by: used.into_iter().map(str::to_owned).collect(),
        }
    });
    Ok(json(&Rates {
        rates: rates.collect(),
        writable,
    }))
}

/// `GET /facts/{code}`
#[utoipa::path(get, path = "/api/studio/facts/{code}", params(("code" = String, Path), Seat),
    responses((status = 200, body = FactsShown), (status = 404, body = ProblemShown)))]
pub(super) async fn facts(
    State(_): State<App>,
    by: By,
    Path(asked_code): Path<String>,
    Query(asked): Query<Seat>,
) -> Result<Response, Problem> {
    let code = code(&asked_code)?;
    let (live, laid) = over(&by.studio, asked.draft.as_deref()).await?;
    let no_such = || Problem::not_found(format!("Der er ingen kommune med koden {code}."));
    let m = live.release.municipalities.get(&code).ok_or_else(no_such)?;
    let path = format!("kommune/{code}/kommune.toml");
    let drafted = laid.iter().find(|(p, _)| *p == path);
    let text = match drafted {
        Some((_, text)) => text.as_deref(),
        None => text_of(&live.files, &path),
    };
    let text = text.ok_or_else(no_such)?;
    Ok(json(&FactsShown {
        code: code.to_string(),
        name: m.name.clone(),
        region: m.region.to_string(),
        writable: by.account().may(code),
        facts: fields::facts(text).map_err(Problem::bad)?,
    }))
}
