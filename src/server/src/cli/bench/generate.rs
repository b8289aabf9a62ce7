//! `bench generate`: the generator's speed, and what it costs other citizens.

use std::io::BufRead as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base::Clock;
use inference::generator::{Event, Generator, Prompt, Request};
use inference::{EncoderOptions, Handle, Kind, Priority, Scheduler, SchedulerOptions};
use serde::{Deserialize, Serialize};

use super::super::{Failure, Setting, generate};
use super::percentile;
use crate::boot;
use crate::runtime::progress::Bars;
use crate::runtime::{resident, say};

/// Tokens written a run.
const WRITTEN: usize = 64;
const RUNS: usize = 5;
/// Questions encoded on each side, in rounds that take turns: the machine is not as fast at every moment.
const QUESTIONS: usize = 120;
const ROUNDS: usize = 5;
/// A citizen's question now and then.
const PAUSE: Duration = Duration::from_millis(25);

#[derive(Serialize)]
struct Report {
    model: String,
    kernel: &'static str,
    threads: usize,
    prompt_tokens: usize,
    prompt_tokens_per_s: f64,
    tokens_per_s: f64,
    /// With the fixed part of the prompt cached.
    first_token_ms_p50: f64,
    rss_mb: f64,
    encoder_ms_p50_alone: f64,
    encoder_ms_p99_alone: f64,
    encoder_ms_p50_beside: f64,
    encoder_ms_p99_beside: f64,
    /// Beside over alone, the middle of the rounds.
    encoder_p50_ratio: f64,
    encoder_p99_ratio: f64,
}

/// A fixed part of some 400 tokens, and a question.
const EXAMPLES: &str = include_str!("passage.txt");
const QUESTION: &str = "Spørgsmål: Hvor længe skal jeg vente på et nyt pas?\nSvar:";

/// One run: how long the prompt took, how long each token after the first, and how many.
#[derive(Serialize)]
struct Run {
    prompt_tokens: usize,
    cached_tokens: usize,
    first_ms: f64,
    tokens: usize,
    rest_ms: f64,
}

pub(super) fn run(setting: &Setting, model: &str, json: bool) -> Result<(), Failure> {
    let encoder = encoder(setting)?;
    let mut options = generate::usual(setting);
    options.precedence = encoder.precedence();
    let threads = options.threads;
    let generator = generate::load(setting, model, &options)?;
    // Other first words each time, so that nothing is cached.
    let cold = |n: usize| {
        once(
            setting,
            &generator,
            "",
            &format!("{n}. {EXAMPLES}"),
            WRITTEN,
        )
    };
    let (mut prompts, mut rates, mut firsts) = (Vec::new(), Vec::new(), Vec::new());
    let mut prompt_tokens = 0;
    for n in 0..=RUNS {
        let found = cold(n)?;
        if n > 0 {
            prompt_tokens = found.prompt_tokens;
            prompts.push(found.prompt_tokens as f64 / found.first_ms * 1e3);
            rates.push(rate(found.tokens, found.rest_ms)?);
        }
    }
    for n in 0..=RUNS {
        let found = once(setting, &generator, EXAMPLES, QUESTION, 2)?;
        if n > 0 {
            firsts.push(found.first_ms);
        }
    }
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let alone = questions(setting, &encoder, 2 * round)?;
        let over = AtomicBool::new(false);
        let beside = std::thread::scope(|scope| -> Result<Vec<f64>, Failure> {
            let writing = scope.spawn(|| -> Result<(), String> {
                let mut n = 0;
                while !over.load(Ordering::Relaxed) {
                    n += 1;
                    let prompt = format!("{round}.{n}! {EXAMPLES}");
                    once(setting, &generator, "", &prompt, WRITTEN).map_err(|e| e.to_string())?;
                }
                Ok(())
            });
            let found = questions(setting, &encoder, 2 * round + 1);
            over.store(true, Ordering::Relaxed);
            let wrote = writing.join().map_err(|_| "the writing thread panicked")?;
            wrote?;
            found
        })?;
        rounds.push((alone, beside));
    }
    // The middle round's figure, and of the ratios the middle one.
    let mut of = |share: f64| {
        let pairs = rounds.iter_mut();
        let pairs: Vec<(f64, f64)> = pairs
            .map(|(a, b)| (percentile(a, share), percentile(b, share)))
            .collect();
        let middle = |list: Vec<f64>| percentile(&mut { list }, 0.5);
        [
            middle(pairs.iter().map(|p| p.0).collect()),
            middle(pairs.iter().map(|p| p.1).collect()),
            middle(pairs.iter().map(|p| p.1 / p.0).collect()),
        ]
    };
    let (p50, p99) = (of(0.5), of(0.99));
    let report = Report {
        model: generator.describe().name.clone(),
        kernel: generator.describe().kernel,
        threads,
        prompt_tokens,
        prompt_tokens_per_s: percentile(&mut prompts, 0.5),
        tokens_per_s: percentile(&mut rates, 0.5),
        first_token_ms_p50: percentile(&mut firsts, 0.5),
        rss_mb: resident("self").unwrap_or(0.0) / 1e6,
        encoder_ms_p50_alone: p50[0],
        encoder_ms_p99_alone: p99[0],
        encoder_ms_p50_beside: p50[1],
        encoder_ms_p99_beside: p99[1],
        encoder_p50_ratio: p50[2],
        encoder_p99_ratio: p99[2],
    };
    if json {
        say(&serde_json::to_string(&report)?)?;
    } else {
        say(&format!(
            "{}, kernel {}, {threads} threads: prompts {:.0} tokens/s, writing {:.1} tokens/s, first token {:.0} ms with \
             the prefix cached; the encoder alone {:.1} ms (99 % {:.1}), beside it {:.1} ms (99 % {:.1}), {:.2} times \
             as long (99 % {:.2}); {:.0} MB",
            report.model,
            report.kernel,
            report.prompt_tokens_per_s,
            report.tokens_per_s,
            report.first_token_ms_p50,
            report.encoder_ms_p50_alone,
            report.encoder_ms_p99_alone,
            report.encoder_ms_p50_beside,
            report.encoder_ms_p99_beside,
            report.encoder_p50_ratio,
            report.encoder_p99_ratio,
            report.rss_mb
        ))?;
    }
    Ok(())
}

/// The encoder as the service starts it.
fn encoder(setting: &Setting) -> Result<Handle, Failure> {
    let config = &setting.config;
    let options = EncoderOptions {
        compute: config.kernel,
        ..EncoderOptions::default()
    };
    let files = boot::model(config, &Bars::shown())?;
    let adapter = boot::adapter(config)?;
    let (encoder, tokenizer) = inference::load_with(&files, &options, adapter.as_ref())?;
    let options = SchedulerOptions {
        threads: config.threads,
        ..SchedulerOptions::default()
    };
    Ok(Scheduler::start(encoder, tokenizer, options)?)
}

/// Tokens a second after the first.
fn rate(tokens: usize, rest_ms: f64) -> Result<f64, Failure> {
    if tokens < 2 {
        return Err(format!(
            "the model ended its answer after {tokens} of {WRITTEN} tokens: how fast it writes cannot be measured; take \
             a model that goes on with a text, such as gemma3-270m"
        )
        .into());
    }
    Ok((tokens - 1) as f64 / rest_ms * 1e3)
}

fn once(
    setting: &Setting,
    generator: &Generator,
    prefix: &str,
    prompt: &str,
    tokens: usize,
) -> Result<Run, Failure> {
    let began = setting.clock.monotonic();
    let mut first = None;
    let request = Request {
        prefix: Prompt::Text(prefix.to_owned()),
        prompt: Prompt::Text(prompt.to_owned()),
        stop: Vec::new(),
        max_tokens: tokens,
        deadline: None,
    };
    let end = generate::whole(generator, request, |event| {
        if first.is_none() && matches!(event, Event::Text(_)) {
            first = Some(setting.clock.monotonic());
        }
        Ok(())
    })?;
    let over = setting.clock.monotonic();
    let first = first.unwrap_or(over);
    let ms = |d: Duration| d.as_secs_f64() * 1e3;
    Ok(Run {
        prompt_tokens: end.prompt_tokens,
        cached_tokens: end.cached_tokens,
        first_ms: ms(first.saturating_sub(began)),
        tokens: end.tokens,
        rest_ms: ms(over.saturating_sub(first)),
    })
}

/// Milliseconds that each of some citizens' questions takes in the encoder, none asked before.
fn questions(setting: &Setting, encoder: &Handle, round: usize) -> Result<Vec<f64>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let mut times = Vec::with_capacity(QUESTIONS);
    for n in 0..QUESTIONS {
        let text =
            format!("Hvordan fornyer jeg mit pas i uge {n} af runde {round}, når jeg er flyttet?");
        let took = runtime.block_on(async {
            tokio::time::sleep(PAUSE).await;
            let began = setting.clock.monotonic();
            let vector = encoder.encode(Priority::Interactive, Kind::Query, text);
            vector
                .await
                .map(|_| setting.clock.monotonic().saturating_sub(began))
        })?;
        times.push(took.as_secs_f64() * 1e3);
    }
    Ok(times)
}

/// One line of what [`serve`] is asked.
#[derive(Deserialize)]
struct Ask {
    prompt: String,
    tokens: usize,
}

/// For `bench/`: a run a line on standard input.
pub(super) fn serve(setting: &Setting, model: &str, threads: usize) -> Result<(), Failure> {
    let mut options = generate::usual(setting);
    options.threads = threads;
    let generator = generate::load(setting, model, &options)?;
    say(&serde_json::to_string(generator.describe())?)?;
    for line in std::io::stdin().lock().lines() {
        let ask: Ask = serde_json::from_str(&line?)?;
        let found = once(setting, &generator, "", &ask.prompt, ask.tokens)?;
        say(&serde_json::to_string(&found)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_less_than_two_tokens_has_no_rate() {
        assert!(rate(0, 0.0).is_err() && rate(1, 3.0).is_err());
        assert!((rate(11, 2000.0).unwrap() - 5.0).abs() < 1e-9);
    }
}
