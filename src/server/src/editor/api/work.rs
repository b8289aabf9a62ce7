//! Work that looks at much: replays, what to write next, bringing knowledge in.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use base::MunicipalityCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::import::{Format, Plan, Site, What};
use super::super::jobs::Jobs;
use super::super::long;
use super::super::problem::Problem;
use super::super::replay::QUESTIONS;
use super::super::wire::{AskImport, AskNext, AskReplay, JobStarted, ProblemShown};
use super::{Asked, By, accepted};
use crate::app::App;
use crate::auth::Account;
use crate::reader::{self, Kind};

/// Questions of citizens that a replay asks where nothing else is said.
const USUAL: usize = 500;
const DAYS: u32 = 30;
const MOST_DAYS: u32 = 366;

/// `POST /drafts/{id}/replay`
#[utoipa::path(post, path = "/api/studio/drafts/{id}/replay", params(("id" = String, Path)), request_body = AskReplay,
    responses((status = 202, body = JobStarted), (status = 409, body = ProblemShown)))]
pub(super) async fn replay(
    State(app): State<App>,
    by: By,
    Path(id): Path<String>,
    Asked(asked): Asked<AskReplay>,
) -> Result<Response, Problem> {
    let found = by.studio.found(&id).await?;
    found.at(asked.version)?;
    if found.over() {
        return Err(super::super::drafts::wrong_state());
    }
    by.note(&app, "studio_replay", &id).await;
    let questions = asked.questions.unwrap_or(USUAL).min(QUESTIONS);
    let (studio, account) = (Arc::clone(&by.studio), Arc::clone(&by.signed.account));
    let jobs = &by.studio.jobs;
    let job = jobs.start("replay", by.who(), app.clock.clone(), |job| async move {
        let may = |code| account.may(code);
        let replay = studio.replay(&app, &found, questions, may, &job).await?;
        let id = job.shown().id;
        studio.keep_replay(&app, found, &replay, &id).await?;
        Ok(replay)
    });
    Ok(accepted(job))
}

/// `POST /next`
#[utoipa::path(post, path = "/api/studio/next", request_body = AskNext,
    responses((status = 202, body = JobStarted), (status = 403, body = ProblemShown)))]
pub(super) async fn next(
    State(app): State<App>,
    by: By,
    Asked(asked): Asked<AskNext>,
) -> Result<Response, Problem> {
    let only = asked.municipality.as_deref().map(str::parse).transpose();
    let only: Option<MunicipalityCode> =
        only.map_err(|_: String| Problem::bad("Det er ikke en kommunes kode."))?;
    if only.is_some_and(|code| !by.account().may(code)) {
        return Err(Problem::no_right("Du har ikke ret til den kommune."));
    }
    let days = asked.days.unwrap_or(DAYS).clamp(1, MOST_DAYS);
    by.note(
        &app,
        "studio_next",
        asked.municipality.as_deref().unwrap_or(""),
    )
    .await;
    let (studio, account) = (Arc::clone(&by.studio), Arc::clone(&by.signed.account));
    let jobs = &by.studio.jobs;
    let job = jobs.start("next", by.who(), app.clock.clone(), |job| async move {
        let may = move |code| only.is_none_or(|o| o == code) && may_read(&account, code);
        studio.next(&app, days, may, &job).await
    });
    Ok(accepted(job))
}

fn may_read(account: &Account, code: MunicipalityCode) -> bool {
    account.may(code)
}

/// `POST /import`
#[utoipa::path(post, path = "/api/studio/import", request_body = AskImport,
    responses((status = 202, body = JobStarted), (status = 403, body = ProblemShown),
        (status = 429, body = ProblemShown)))]
pub(super) async fn import(
    State(app): State<App>,
    by: By,
    Asked(mut asked): Asked<AskImport>,
) -> Result<Response, Problem> {
    let layer = asked.layer.0;
    by.studio
        .may_write(by.account(), [layer.path("x", "x").as_str()])?;
    let leave = by.studio.jobs.may_import(&by.who())?;
    // A file is megabytes of base64.
    let (read, asked) = long(move || (what(&mut asked), asked)).await?;
    let (what, detail) = read?;
    by.note(&app, "studio_import", &detail).await;
    let plan = Plan {
        name: detail,
        layer,
        area: asked.area,
        owner: asked.owner,
        source: asked.source,
    };
    let (studio, account) = (Arc::clone(&by.studio), Arc::clone(&by.signed.account));
    let jobs = &by.studio.jobs;
    let importing = jobs.importing();
    let job = jobs.start("import", by.who(), app.clock.clone(), |job| async move {
        let _leave = leave;
        let _turn = Jobs::turn_to_import(importing, &job).await?;
        studio.import(&app, &account, plan, what, &job).await
    });
    Ok(accepted(job))
}

/// What is to be brought in, and what it is called.
fn what(asked: &mut AskImport) -> Result<(What, String), Problem> {
    let kind = match asked.format.as_str() {
        "docx" => Kind::Docx,
        "pdf" => Kind::Pdf,
        "web" => {
            let site = Site {
                sitemap: asked.sitemap.take().filter(|s| !s.trim().is_empty()),
                under: asked.under.take(),
                addresses: std::mem::take(&mut asked.addresses),
            };
            if site.sitemap.is_none() && site.addresses.is_empty() {
                return Err(Problem::bad("Skriv en adresse eller et sitemap."));
            }
            let name = site.name();
            return Ok((What::Site(site), name));
        }
        other => {
            let format = Format::of(other).ok_or_else(|| {
                Problem::bad("Formatet skal være csv, json, rasa, docx, pdf eller web.")
            })?;
            let text = std::mem::take(&mut asked.text);
            return Ok((What::Rows(format, text), asked.name.clone()));
        }
    };
    let data = STANDARD.decode(asked.data.as_bytes());
    let data = data.map_err(|_| Problem::bad("Filen kom ikke helt frem."))?;
    if data.len() > reader::LARGEST {
        return Err(Problem::too_large());
    }
    Ok((What::Paper(kind, data), asked.name.clone()))
}
