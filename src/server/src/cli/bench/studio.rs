//! `bench studio`: the lists that editors wait for, at the size of today's bot.

use std::process::ExitCode;

use base::{Clock as _, Lang};
use inference::{EncoderOptions, Kind, Vector};
use knowledge::Release;

use super::super::{Failure, Setting};
use super::synthetic;
use crate::boot;
use crate::editor::measure_at_scale;
use crate::runtime::progress::Bars;
use crate::runtime::say;

/// As many different questions as `POST /next` groups at most.
const QUESTIONS: usize = 4_000;
const BATCH: usize = 32;

pub(super) fn run(setting: &Setting, json: bool) -> Result<ExitCode, Failure> {
    let clock = &setting.clock;
    let (real, release, _) = boot::read(&setting.config, clock)?;
    let questions = questions(setting, &release)?;
    let files = synthetic::base(&real, &release);
    let today = clock.now().to_zoned(contact::copenhagen().clone()).date();
    let (release, notes) = Release::build(&files, today)
        .map_err(|faults| format!("the synthetic base has {} faults", faults.len()))?;
    let scale = measure_at_scale(files, release, notes, &questions, clock)?;
    say(&if json {
        serde_json::to_string(&scale)?
    } else {
        serde_json::to_string_pretty(&scale)?
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Danish example sentences, evenly from all articles: what citizens may ask.
fn questions(setting: &Setting, release: &Release) -> Result<Vec<Vector>, Failure> {
    let files = boot::model(&setting.config, &Bars::shown())?;
    let options = EncoderOptions {
        compute: setting.config.kernel,
        threads: setting.config.threads,
    };
    let (encoder, tokenizer) = inference::load(&files, &options)?;
    let all = release
        .articles
        .iter()
        .flat_map(|a| a.examples_in(Lang::Da));
    let all: Vec<&String> = all.collect();
    let every = all.len().div_ceil(QUESTIONS).max(1);
    let ids = all.into_iter().step_by(every).take(QUESTIONS);
    let ids: Vec<Vec<u32>> = ids
        .map(|text| tokenizer.encode(Kind::Query, text))
        .collect::<inference::Result<_>>()?;
    let mut vectors = Vec::with_capacity(ids.len());
    for batch in ids.chunks(BATCH) {
        vectors.extend(encoder.encode(batch)?);
    }
    Ok(vectors)
}
