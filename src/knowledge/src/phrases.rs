//! What the service must understand and say besides the articles: intents, sentences that no article
//! answers, and system texts.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base::Lang;
use serde::Deserialize;

use crate::{Fault, File, front_matter};

/// Whole messages by language.
pub type ByLang = BTreeMap<Lang, Vec<String>>;

/// What a message can ask of the service itself.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, serde::Serialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Intent {
    Greeting,
    Thanks,
    Goodbye,
    Bot,
    Human,
    /// Tells of circumstances and asks nothing: it means what it means beside what came before.
    Remark,
    Crisis,
}

impl Intent {
    pub const ALL: [Intent; 7] = [
        Intent::Greeting,
        Intent::Thanks,
        Intent::Goodbye,
        Intent::Bot,
        Intent::Human,
        Intent::Remark,
        Intent::Crisis,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Intent::Greeting => "greeting",
            Intent::Thanks => "thanks",
            Intent::Goodbye => "goodbye",
            Intent::Bot => "bot",
            Intent::Human => "human",
            Intent::Remark => "remark",
            Intent::Crisis => "crisis",
        }
    }
}

/// `intents.toml`: example messages of each intent, and the signs that alone make a message a crisis.
#[derive(Clone, Debug, Default)]
pub struct Intents {
    pub examples: BTreeMap<Intent, ByLang>,
    /// Stems and short phrases, folded once, their words joined by single spaces.
    pub crisis_signs: ByLang,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawIntents {
    greeting: ByLang,
    thanks: ByLang,
    goodbye: ByLang,
    bot: ByLang,
    human: ByLang,
    /// Older knowledge has none.
    #[serde(default)]
    remark: ByLang,
    crisis: RawCrisis,
}

#[derive(Deserialize)]
struct RawCrisis {
    signs: ByLang,
    #[serde(flatten)]
    examples: ByLang,
}

impl Intents {
    pub(crate) fn parse(file: &File) -> Result<Self, Fault> {
        let raw: RawIntents = front_matter::parse(&file.path, &file.text, 1)?;
        Ok(Self {
            examples: BTreeMap::from([
                (Intent::Greeting, raw.greeting),
                (Intent::Thanks, raw.thanks),
                (Intent::Goodbye, raw.goodbye),
                (Intent::Bot, raw.bot),
                (Intent::Human, raw.human),
                (Intent::Remark, raw.remark),
                (Intent::Crisis, raw.crisis.examples),
            ]),
            crisis_signs: raw
                .crisis
                .signs
                .into_iter()
                .map(|(lang, signs)| (lang, signs.iter().map(|s| folded(s)).collect()))
                .collect(),
        })
    }
}

fn folded(sign: &str) -> String {
    base::words(&base::fold(sign)).collect::<Vec<_>>().join(" ")
}

/// Parses one `out_of_scope/KIND.txt`: a sentence a line, `#` comments, `en<TAB>` before other languages.
pub(crate) fn out_of_scope(file: &File, faults: &mut Vec<Fault>) -> Vec<(Lang, String)> {
    let mut out = Vec::new();
    for (n, line) in file.text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.split_once('\t') {
            None => out.push((Lang::Da, line.to_owned())),
            Some((lang, text)) => match lang.parse() {
                Ok(lang) => out.push((lang, text.trim().to_owned())),
                Err(e) => faults.push(Fault::error(&file.path, n + 1, "language", e)),
            },
        }
    }
    out
}

/// System texts by key and language; `{name}` marks a place to fill.
#[derive(Clone, Debug, Default)]
pub struct Texts(BTreeMap<String, BTreeMap<Lang, String>>);

/// What is said where an operator's knowledge is older than the program: an upgrade does not wait for an editor.
static OURS: LazyLock<BTreeMap<String, BTreeMap<Lang, String>>> = LazyLock::new(|| {
    let text = include_str!("../../../knowledge/texts.toml");
    front_matter::parse("texts.toml", text, 1).expect("the program's own texts can be read")
});

/// The keys that the program needs, each in every language.
const NEEDED: [&str; 70] = [
    "disclosure",
    "greeting",
    "greeting_reply",
    "thanks_reply",
    "goodbye_reply",
    "bot_reply",
    "human_offer_open",
    "human_offer_closed",
    "callback_saved",
    "crisis",
    "clarify",
    "crisis_else",
    "no_answer",
    "out_of_scope",
    "refused_abuse",
    "refused_attack",
    "masked_cpr",
    "answer_in_danish",
    "mark_generated",
    "mark_shortened",
    "rating_thanks",
    "error_internal",
    "error_overloaded",
    "error_rate_limited",
    "error_too_long",
    "error_empty",
    "error_phone",
    "error_bad_frame",
    "error_unknown_dialogue",
    "human_offer_queue",
    "human_offer_slots",
    "queued",
    "wait",
    "wait_short",
    "wait_unknown",
    "wait_held",
    "wait_offered",
    "agent_joined",
    "agent_left_transferred",
    "agent_left_lost",
    "callback_offer_closed",
    "callback_offer_no_agents",
    "callback_offer_long_wait",
    "callback_none_closed",
    "callback_none_no_agents",
    "callback_none_long_wait",
    "callback_promised",
    "callback_cancelled",
    "handover_ended_settled",
    "handover_ended_abandoned",
    "handover_ended_left",
    "handover_ended_bot",
    "handover_ended_reached",
    "handover_ended_unreached",
    "error_slot",
    "error_no_queue",
    "may_reveal",
    "revealed",
    "error_not_revealed",
    "error_crowded",
    "error_wrong_website",
    "error_old_page",
    "bot_off",
    "chat_closed",
    "error_callback_gone",
    "error_callback_exists",
    "weekdays",
    "months",
    "clock",
    "slot",
];

impl Texts {
    pub(crate) fn parse(file: &File, faults: &mut Vec<Fault>) -> Result<Self, Fault> {
        let mut map: BTreeMap<String, BTreeMap<Lang, String>> =
            front_matter::parse(&file.path, &file.text, 1)?;
        for key in NEEDED {
            for lang in Lang::ALL {
                if map.get(key).is_some_and(|t| t.contains_key(&lang)) {
                    continue;
                }
                let line = front_matter::line_of(&file.text, &format!("[{key}]"));
                let field = format!("{key}.{}", lang.code());
                match OURS.get(key).and_then(|t| t.get(&lang)) {
                    Some(text) => {
                        let said = "is missing: the program's own words are shown";
                        faults.push(Fault::warning(&file.path, line, field, said));
                        let texts = map.entry(key.to_owned()).or_default();
                        texts.insert(lang, text.clone());
                    }
                    None => faults.push(Fault::error(&file.path, line, field, "is missing")),
                }
            }
        }
        Ok(Self(map))
    }

    /// The text in that language with its places filled; Danish where it is missing, the key where even
    /// that is.
    pub fn get(&self, key: &str, lang: Lang, fill: &[(&str, &str)]) -> String {
        let text = self
            .0
            .get(key)
            .and_then(|t| t.get(&lang).or_else(|| t.get(&Lang::Da)));
        let mut text = text.cloned().unwrap_or_else(|| key.to_owned());
        for (name, value) in fill {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Severity;

    #[test]
    fn texts_older_than_the_program_are_filled_with_its_own_words() {
        let file = File {
            path: "texts.toml".to_owned(),
            text: "[disclosure]\nda = \"Vores egne ord.\"\n".to_owned(),
        };
        let mut faults = Vec::new();
        let texts = Texts::parse(&file, &mut faults).unwrap();
        assert_eq!(texts.get("disclosure", Lang::Da, &[]), "Vores egne ord.");
        for key in NEEDED {
            for lang in Lang::ALL {
                assert_ne!(texts.get(key, lang, &[]), key, "{key} {lang:?}");
            }
        }
        let missing = NEEDED.len() * Lang::ALL.len() - 1;
        assert_eq!(faults.len(), missing);
        assert!(faults.iter().all(|f| f.severity == Severity::Warning));
    }
}
