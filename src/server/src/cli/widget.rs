//! `borgerlinje widget`: the line that a website embeds the chat with, and the keys that such lines are signed with.
//! Works while the service runs, which notices new keys within about a second.

use std::process::ExitCode;

use base::{Clock as _, Lang, MunicipalityCode};
use clap::{Args, Subcommand};
use url::Url;

use super::{Failure, Setting};
use crate::auth::public_origin;
use crate::boot;
use crate::embed::{Keys, Leave, Scripts};
use crate::pages::escape;
use crate::runtime::say;

#[derive(Subcommand)]
pub(super) enum WidgetCommand {
    /// Print the HTML that a website embeds the chat with: the script by its hash, which browsers hold it to.
    Snippet(Snippet),
    /// When each key was made, and until when it holds.
    Keys,
    /// Sign by a new key from now on.
    Rotate {
        /// For how many days what the old key signed still holds.
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(0..=3650))]
        days: u16,
    },
}

#[derive(Args)]
pub(super) struct Snippet {
    /// The municipality's four-digit code.
    #[arg(long)]
    municipality: MunicipalityCode,
    /// The website, such as https://www.example.dk; may be given several times.
    #[arg(long, required = true)]
    website: Vec<String>,
    /// The address under which citizens reach the service; without it that of BORGERLINJE_PUBLIC_URL.
    #[arg(long)]
    service: Option<String>,
    /// Sign the configuration, as `[embed] signed = true` demands; then it is signed without this too.
    #[arg(long)]
    signed: bool,
    /// Name the script without its hash: it follows every upgrade, and browsers take it as it comes.
    #[arg(long)]
    unpinned: bool,
    /// The language of the interface; without it the page's.
    #[arg(long)]
    lang: Option<Lang>,
    /// The colour of buttons, such as #0f5c4c; without it the municipality's.
    #[arg(long, value_parser = colour)]
    accent: Option<String>,
    /// Open the chat by itself.
    #[arg(long)]
    open: bool,
}

pub(super) fn run(setting: &Setting, command: &WidgetCommand) -> Result<ExitCode, Failure> {
    let (data, now) = (&setting.config.data, setting.clock.now());
    match command {
        WidgetCommand::Snippet(wanted) => say(&snippet(setting, wanted)?)?,
        WidgetCommand::Keys => match Keys::read(data)? {
            None => say("there is no key: the first signed snippet makes one")?,
            Some(keys) => list(&keys)?,
        },
        WidgetCommand::Rotate { days } => list(&Keys::rotate(data, *days, now)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list(keys: &Keys) -> Result<(), Failure> {
    for (made, until) in keys.dates() {
        match until {
            None => say(&format!("made {made}\tsigns"))?,
            Some(until) => say(&format!("made {made}\tholds until {until}"))?,
        }
    }
    Ok(())
}

fn snippet(setting: &Setting, wanted: &Snippet) -> Result<String, Failure> {
    let config = &setting.config;
    let service = service(setting, wanted)?;
    let websites = websites(setting, wanted)?;
    let (release, _) = boot::release(config, &setting.clock)?;
    if !release.municipalities.contains_key(&wanted.municipality) {
        return Err(format!("there is no municipality with code {}", wanted.municipality).into());
    }
    let scripts = Scripts::new(&config.widget, &config.data);
    let script = scripts.current().map_err(|e| {
        let built = scripts.built().display();
        format!("{built}: {e}; build the widget with `make widget`")
    })?;
    let mut attributes = Vec::new();
    let name = if wanted.unpinned {
        "borgerlinje.js".to_owned()
    } else {
        attributes.push(("integrity", script.integrity()));
        attributes.push(("crossorigin", "anonymous".to_owned()));
        script.name()
    };
    let source = service.join(&format!("widget/{name}"))?;
    attributes.insert(0, ("src", source.into()));
    attributes.push(("data-municipality", wanted.municipality.to_string()));
    let lang = wanted.lang.map(|l| l.code().to_owned());
    let open = wanted.open.then(|| "true".to_owned());
    let chosen = [
        ("data-lang", lang),
        ("data-accent", wanted.accent.clone()),
        ("data-open", open),
    ];
    attributes.extend(chosen.into_iter().filter_map(|(n, v)| Some((n, v?))));
    if wanted.signed || config.embed.signed {
        let keys = Keys::read_or_make(&config.data, setting.clock.now())?;
        let mut leave = Leave::new(wanted.municipality, websites);
        leave.lang = wanted.lang;
        leave.accent.clone_from(&wanted.accent);
        leave.open = wanted.open.then_some(true);
        attributes.push(("data-signed", leave.signed(&keys)?));
    }
    let mut html = "<script".to_owned();
    for (name, value) in attributes {
        html.push_str(&format!(" {name}=\"{}\"", escape(&value)));
    }
    html.push_str(" async></script>");
    Ok(html)
}

/// What the script's address is joined to: a proxy may have put the service below a path.
fn service(setting: &Setting, wanted: &Snippet) -> Result<Url, Failure> {
    let public = setting.config.origins.public.as_ref();
    let given = wanted.service.as_ref().or(public).ok_or(
        "--service: say under which address citizens reach the service, such as https://chat.example.dk",
    )?;
    let bad = || format!("--service: «{given}» is no address such as https://chat.example.dk");
    let mut url = Url::parse(given).map_err(|_| bad())?;
    // The rule for origins says which schemes and hosts may be.
    public_origin(&url.origin().ascii_serialization()).map_err(|_| bad())?;
    let plain = url.username().is_empty() && url.password().is_none();
    if !plain || url.query().is_some() || url.fragment().is_some() {
        return Err(bad().into());
    }
    if !url.path().ends_with('/') {
        let folder = format!("{}/", url.path());
        url.set_path(&folder);
    }
    Ok(url)
}

/// The websites as browsers say them. One that may not open the chat is told of here, where it can be mended.
fn websites(setting: &Setting, wanted: &Snippet) -> Result<Vec<String>, Failure> {
    let mut out = Vec::new();
    for given in &wanted.website {
        let origin = public_origin(given).map_err(|why| format!("--website: «{given}» {why}"))?;
        let listed = &setting.config.websites;
        if !listed.may(&origin, wanted.municipality) {
            tracing::warn!(
                "{origin} may not open the chat of {}: list it as a [[website]]",
                wanted.municipality
            );
        }
        if !out.contains(&origin) {
            out.push(origin);
        }
    }
    Ok(out)
}

fn colour(text: &str) -> Result<String, String> {
    let hex = text.strip_prefix('#').unwrap_or_default();
    if hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(text.to_lowercase())
    } else {
        Err("must be six hexadecimal digits after #, such as #0f5c4c".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_six_digits() {
        assert_eq!(colour("#0F5C4C").unwrap(), "#0f5c4c");
        for bad in ["", "#", "0f5c4c", "#0f5c4", "#0f5c4g", "#\"><scri"] {
            assert!(colour(bad).is_err(), "{bad}");
        }
    }
}
