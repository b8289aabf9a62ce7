//! What websites embed, and which may.

use base::Clock as _;

use super::{Finding, State, found};
use crate::boot;
use crate::cli::Setting;
use crate::config::Config;
use crate::embed::{Keys, Scripts};

/// Which may open a chat, and which are listed for a municipality that is not there.
pub(super) fn websites(setting: &Setting) -> Finding {
    let (what, all) = ("websites", &setting.config.websites);
    if !all.listed() {
        let said = "none is listed: any website may open a chat";
        return found(what, State::Warning, said);
    }
    let said = format!("{} may open a chat", all.len());
    // Knowledge that cannot be read is another finding.
    let Ok((release, _)) = boot::release(&setting.config, &setting.clock) else {
        return found(what, State::Ok, said);
    };
    let strange = all.strange(|code| release.municipalities.contains_key(&code));
    if strange.is_empty() {
        return found(what, State::Ok, said);
    }
    let each: Vec<_> = strange
        .iter()
        .map(|(site, code)| format!("{site} for {code}"))
        .collect();
    let said = format!("{said}; no municipality is there of: {}", each.join(", "));
    found(what, State::Warning, said)
}

/// Under which name websites may keep the script, and which they may still name.
pub(super) fn script(config: &Config) -> Finding {
    let what = "widget's script";
    let scripts = Scripts::new(&config.widget, &config.data);
    let Ok(current) = scripts.current() else {
        return found(what, State::Warning, "is not built");
    };
    match scripts.earlier() {
        Err(e) => found(what, State::Fault, format!("earlier ones: {e}")),
        Ok(earlier) => {
            let (n, days) = (earlier.len(), config.embed.keep_days);
            let said = format!(
                "{}; {n} earlier kept, each for {days} days; `borgerlinje widget snippet` prints the line for a website",
                current.name()
            );
            found(what, State::Ok, said)
        }
    }
}

/// Whether what websites bring can be judged.
pub(super) fn signed(setting: &Setting) -> Finding {
    let (what, config) = ("signatures", &setting.config);
    let demanded = config.embed.signed;
    match Keys::read(&config.data) {
        Err(e) => found(what, State::Fault, e),
        Ok(None) if demanded => found(
            what,
            State::Fault,
            "demanded of websites, and there is no key: `borgerlinje widget snippet --signed` makes one; with several \
             nodes bring the file from the one that has it",
        ),
        Ok(None) => found(
            what,
            State::Ok,
            "not demanded of websites, and none is made",
        ),
        Ok(Some(keys)) => {
            let now = setting.clock.now();
            let hold = keys
                .dates()
                .filter(|(_, until)| until.is_none_or(|u| now < u));
            let asked = if demanded { "demanded" } else { "not demanded" };
            let said = format!("{asked} of websites; {} keys hold", hold.count());
            found(what, State::Ok, said)
        }
    }
}
