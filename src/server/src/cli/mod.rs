//! The commands.

mod abuse;
mod ask;
mod audit;
mod backup;
mod bench;
mod citizen;
mod doctor;
mod eval;
mod gate;
mod generate;
mod generated;
mod import;
mod load;
mod model;
mod report;
mod sentences;
mod serve;
mod switch;
mod train;
mod user;
mod widget;

use std::path::PathBuf;
use std::process::ExitCode;

use base::SystemClock;
use clap::{Parser, Subcommand};
use knowledge::Severity;

use crate::boot;
use crate::config::Config;
use crate::reader;
use crate::runtime::progress::Bars;
use crate::runtime::{self, say};

/// Answers citizens from municipal knowledge, on the municipality's own machine.
#[derive(Parser)]
#[command(name = "borgerlinje", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the chat.
    Serve,
    /// Answer messages from standard input, one a line.
    Ask {
        /// The municipality's four-digit code.
        #[arg(long)]
        municipality: base::MunicipalityCode,
        /// Print one JSON object a line.
        #[arg(long)]
        json: bool,
        /// Read all lines as one dialogue instead of one each.
        #[arg(long)]
        dialogue: bool,
        /// The language of the interface.
        #[arg(long, default_value = "da")]
        lang: base::Lang,
    },
    /// Measure a question set.
    Eval {
        /// Tab-separated: question, municipality, expected, lang, slice.
        #[arg(required_unless_present_any = ["gate", "generated"])]
        file: Option<PathBuf>,
        /// Measure the gate instead: facts changed in true sentences of the knowledge.
        #[arg(long, conflicts_with_all = ["file", "misses", "report"])]
        gate: bool,
        /// Measure answers that a language model writes, and the attacks on it, instead.
        #[arg(long, conflicts_with_all = ["file", "gate", "misses", "report"])]
        generated: bool,
        /// With --generated: the model, by the name of its manifest or as a GGUF file.
        #[arg(long, requires = "generated", default_value = "gemma3-270m")]
        model: String,
        /// With --generated: how many questions of the sets are answered.
        #[arg(long, requires = "generated", default_value_t = 60)]
        questions: usize,
        /// With --gate or --generated: one JSON object a line.
        #[arg(long)]
        json: bool,
        /// With --gate: ask the encoder too, as a service with a model does.
        #[arg(long, requires = "gate")]
        meaning: bool,
        /// Print the wrong and the missed too.
        #[arg(long)]
        misses: bool,
        /// Also write a page that people can read: figures, charts, what went wrong. In Danish.
        #[arg(long, value_name = "OUT.html")]
        report: Option<PathBuf>,
    },
    /// Look whether everything is there that a service needs; changes nothing.
    Doctor {
        /// Print one JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Check the knowledge and name every fault.
    Check {
        /// Also name example sentences that lead to another article, or say the same as another.
        #[arg(long)]
        sentences: bool,
        /// With --sentences: print them alone, as one JSON object.
        #[arg(long, requires = "sentences")]
        json: bool,
    },
    /// Encode the knowledge and train the ranker into the cache.
    Index,
    /// Train the encoder on the knowledge.
    Train {
        #[command(subcommand)]
        command: train::TrainCommand,
    },
    /// The models.
    Model {
        #[command(subcommand)]
        command: model::ModelCommand,
    },
    /// Write with a language model, to try it.
    Generate(generate::Options),
    /// Bring knowledge in from elsewhere, as drafts of the studio; nothing goes live.
    Import(import::Options),
    /// Reads one document of others; the service starts it for itself.
    #[command(hide = true, name = reader::COMMAND)]
    ReadDocument {
        #[arg(long)]
        kind: reader::Kind,
        #[arg(long, default_value = "")]
        address: String,
        #[arg(long, default_value = "")]
        charset: String,
    },
    /// Abuse a service that is started for it, beside honest citizens, and say what these noticed.
    Abuse(abuse::Options),
    /// Drive citizens and agents against a service, and say what became of every message.
    Load(load::Options),
    /// Switch the bot, generation or one municipality's chat off and on again; without more: what is off.
    Switch {
        #[command(subcommand)]
        command: Option<switch::SwitchCommand>,
    },
    /// The line that a website embeds the chat with, and the keys behind it.
    Widget {
        #[command(subcommand)]
        command: widget::WidgetCommand,
    },
    /// The accounts of agents, supervisors and editors.
    User {
        #[command(subcommand)]
        command: user::UserCommand,
    },
    /// What staff and commands did, line by line in a chain of hashes.
    Audit {
        #[command(subcommand)]
        command: audit::AuditCommand,
    },
    /// Show or erase what is kept of one citizen.
    Citizen {
        #[command(subcommand)]
        command: citizen::CitizenCommand,
    },
    /// Delete what is older than it may be, and print the report.
    Retention,
    /// Copy everything that must come back, while the service runs.
    Backup(backup::Options),
    /// Bring a backup back onto a machine where no service runs.
    Restore(backup::RestoreOptions),
    /// Measure speed on this machine.
    Bench {
        #[command(subcommand)]
        command: bench::BenchCommand,
    },
}

/// What every command works with.
struct Setting {
    config: Config,
    clock: SystemClock,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let env = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    if let Err(why) = runtime::log(&env, "info") {
        tracing::error!("{why}");
        return ExitCode::FAILURE;
    }
    let run = || -> Result<ExitCode, Failure> {
        // Needs no configuration, and gets none.
        if let Command::ReadDocument {
            kind,
            address,
            charset,
        } = arguments.command
        {
            reader::run(kind, address, charset)?;
            return Ok(ExitCode::SUCCESS);
        }
        let setting = Setting {
            config: Config::read(&env)?,
            clock: SystemClock::new(),
        };
        if matches!(
            arguments.command,
            Command::Serve
                | Command::User { .. }
                | Command::Citizen { .. }
                | Command::Widget { .. }
                | Command::Retention
                | Command::Import(_)
        ) {
            crate::backup::refuse_unfinished(&setting.config.data)?;
        }
        match arguments.command {
            Command::Serve => serve::run(&setting),
            Command::Ask {
                municipality,
                json,
                dialogue,
                lang,
            } => ask::run(
                &setting,
                &ask::Options {
                    municipality,
                    json,
                    dialogue,
                    lang,
                },
            ),
            Command::Eval {
                file: Some(file),
                misses,
                report,
                ..
            } => eval::run(&setting, &file, misses, report.as_deref()),
            Command::Eval {
                generated: true,
                model,
                questions,
                json,
                ..
            } => generated::run(&setting, &model, questions, json),
            Command::Eval { json, meaning, .. } => {
                gate::run(&setting, &gate::Options { json, meaning })
            }
            Command::Doctor { json } => doctor::run(&setting, json),
            Command::Check { json: true, .. } => sentences::json(&setting),
            Command::Check { sentences, .. } => check(&setting, sentences),
            Command::Index => index(&setting),
            Command::Train { command } => train::run(&setting, command),
            Command::Model { command } => model::run(&setting, command),
            Command::Generate(options) => generate::run(&setting, &options),
            Command::Import(options) => import::run(&setting, &options),
            Command::ReadDocument { .. } => Ok(ExitCode::SUCCESS),
            Command::Abuse(options) => abuse::run(&setting, &options),
            Command::Load(options) => load::run(&setting, &options),
            Command::Switch { command } => switch::run(&setting, command),
            Command::Widget { command } => widget::run(&setting, &command),
            Command::User { command } => user::run(&setting, command),
            Command::Audit { command } => audit::run(&setting, &command),
            Command::Citizen { command } => citizen::run(&setting, &command),
            Command::Retention => citizen::retain(&setting),
            Command::Backup(options) => backup::run(&setting, &options),
            Command::Restore(options) => backup::restore(&setting, &options),
            Command::Bench { command } => bench::run(&setting, &command),
        }
    };
    match run() {
        Ok(code) => code,
        // Whoever read our output has had enough, as `head` does.
        Err(e)
            if e.downcast_ref::<std::io::Error>()
                .is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe) =>
        {
            ExitCode::SUCCESS
        }
        Err(e) => {
            if let Some(boot::BootError::Knowledge(faults)) = e.downcast_ref() {
                for f in faults {
                    tracing::error!("{f}");
                }
            }
            tracing::error!("{e}");
            ExitCode::FAILURE
        }
    }
}

fn check(setting: &Setting, sentences: bool) -> Result<ExitCode, Failure> {
    let (faults, articles) = match boot::release(&setting.config, &setting.clock) {
        Ok((release, notes)) => (notes, Some(release)),
        Err(boot::BootError::Knowledge(faults)) => (faults, None),
        Err(e) => return Err(e.into()),
    };
    for f in &faults {
        say(&f.to_string())?;
    }
    let broken = faults
        .iter()
        .filter(|f| f.severity != Severity::Warning)
        .count();
    let overlaps = match &articles {
        Some(release) => eval::overlaps(setting, release)?,
        None => Vec::new(),
    };
    for o in &overlaps {
        say(o)?;
    }
    if let Some(r) = &articles {
        let examples: usize = r
            .articles
            .iter()
            .flat_map(|a| a.examples.values())
            .map(Vec::len)
            .sum();
        say(&format!(
            "{} articles, {examples} example sentences, {} municipalities, {} rates",
            r.articles.len(),
            r.municipalities.len(),
            r.rates.len(),
        ))?;
    }
    if sentences && articles.is_some() {
        sentences::text(setting)?;
    }
    say(&format!(
        "{} faults, {} warnings",
        broken + overlaps.len(),
        faults.len() - broken
    ))?;
    Ok(if broken + overlaps.len() == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn index(setting: &Setting) -> Result<ExitCode, Failure> {
    let booted = boot::boot(&setting.config, &setting.clock, &Bars::shown())?;
    say(&format!(
        "release {} is indexed: {} articles, answers from confidence {:.3}, asks from {:.3}",
        &booted.snapshot.release.hash[..12],
        booted.snapshot.release.articles.len(),
        booted.snapshot.answer_threshold(),
        booted.snapshot.clarify_threshold(),
    ))?;
    Ok(ExitCode::SUCCESS)
}
