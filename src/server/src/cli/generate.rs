//! `borgerlinje generate`: what a language model writes, for operators to try one.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use base::Clock;
use clap::Args;
use inference::Precedence;
use inference::generator::{
    Event, Generator, GeneratorOptions, Message, Prompt, PromptForm, Reason, Request, Role,
};

use super::{Failure, Setting};
use crate::composer;

#[derive(Args)]
pub(super) struct Options {
    /// A language model by the name of its manifest, or a GGUF file.
    #[arg(long)]
    pub(super) model: String,
    /// A file with what comes before the prompt, such as worked examples.
    #[arg(long, value_name = "FILE")]
    prefix: Option<PathBuf>,
    /// End where this would come; may be given several times.
    #[arg(long, value_name = "TEXT")]
    stop: Vec<String>,
    #[arg(long, default_value_t = 200)]
    max_tokens: usize,
    /// Say at the end what was measured, on standard error.
    #[arg(long)]
    verbose: bool,
    prompt: String,
}

pub(super) fn run(setting: &Setting, options: &Options) -> Result<ExitCode, Failure> {
    let generator = load(setting, &options.model, &usual(setting))?;
    let prefix = match &options.prefix {
        Some(path) => {
            std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?
        }
        None => String::new(),
    };
    let form = generator.describe().form;
    let began = setting.clock.monotonic();
    let request = Request {
        prefix: prompt(form, Role::System, prefix),
        prompt: prompt(form, Role::User, options.prompt.clone()),
        stop: options.stop.clone(),
        max_tokens: options.max_tokens,
        deadline: None,
    };
    let mut out = std::io::stdout().lock();
    let end = whole(&generator, request, |event| {
        if let Event::Text(text) = event {
            out.write_all(text.as_bytes())?;
            out.flush()?;
        }
        Ok(())
    });
    out.write_all(b"\n")?;
    let end = end?;
    if options.verbose {
        let took = setting.clock.monotonic().saturating_sub(began);
        tracing::info!(
            "{}: {:?} after {} tokens of prompt and {} written, {:.2} s",
            generator.describe().name,
            end.reason,
            end.prompt_tokens,
            end.tokens,
            took.as_secs_f64()
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// A text in the form that a model wants; an empty one is no message.
fn prompt(form: PromptForm, role: Role, text: String) -> Prompt {
    match form {
        PromptForm::Base => Prompt::Text(text),
        PromptForm::Instruct if text.is_empty() => Prompt::Messages(Vec::new()),
        PromptForm::Instruct => Prompt::Messages(vec![Message { role, text }]),
    }
}

/// Options for this machine, with nobody to give way to.
pub(super) fn usual(setting: &Setting) -> GeneratorOptions {
    let clock = Arc::new(setting.clock);
    composer::options(&setting.config, clock, Precedence::default())
}

/// Loads a model by the name of its manifest, or a GGUF file.
pub(super) fn load(
    setting: &Setting,
    model: &str,
    options: &GeneratorOptions,
) -> Result<Generator, Failure> {
    let path = composer::file(&setting.config, model)?;
    Ok(Generator::load(&path, options)?)
}

/// Everything that an answer says, and its end.
pub(super) fn whole(
    generator: &Generator,
    request: Request,
    mut heard: impl FnMut(&Event) -> Result<(), Failure>,
) -> Result<inference::generator::Ended, Failure> {
    let mut answer = generator.generate(request)?;
    while let Some(event) = answer.next_blocking() {
        heard(&event)?;
        if let Event::End(end) = event {
            if let Reason::Failed(why) = end.reason {
                return Err(why.into());
            }
            return Ok(end);
        }
    }
    Err("the generator ended without an answer".into())
}
