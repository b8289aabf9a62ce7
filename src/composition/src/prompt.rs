//! How a model is asked to say it.

use base::Lang;
use inference::generator::{Message, Prompt, PromptForm, Request, Role};

use crate::material::Material;

/// Tokens of an answer, at most: four sentences and a few steps.
pub const MAX_TOKENS: usize = 160;
/// Characters of a question that the model reads.
const QUESTION: usize = 240;

/// Whether an answer in that language can be written: the gate has to be able to read it.
pub fn speaks(lang: Lang) -> bool {
    matches!(lang, Lang::Da | Lang::En)
}

struct Words {
    task: &'static str,
    text: &'static str,
    question: &'static str,
    answer: &'static str,
    /// Text, question, answer. What they tell is of no municipality, and the gate drops what leaks of it.
    examples: [[&'static str; 3]; 2],
}

const EXAMPLE_TEXTS: [&str; 2] = [
    "Cykler, der har stået ved stationen i mere end fire uger, bliver fjernet. Du kan hente din cykel på cykelpladsen. \
     Husk nøglen til låsen.\nCykelpladsen\nCykelpladsen har åbent hver torsdag. Du skal ikke bestille tid.",
    "Du kan låne en kajak af klubben, når du er medlem.\nSådan gør du\n1. Meld dig ind på klubbens hjemmeside.\n\
     2. Tag svømmeprøven.\n3. Hent nøglen hos formanden.",
];

const DANISH: Words = Words {
    task: "Svar kort på borgerens spørgsmål. Brug kun kommunens tekst og dens egne ord. Skriv højst fire sætninger.",
    text: "Kommunens tekst:",
    question: "Spørgsmål:",
    answer: "Kort svar:",
    examples: [
        [
            EXAMPLE_TEXTS[0],
            "min cykel er væk fra stationen, hvor er den",
            "Cykler, der har stået ved stationen i mere end fire uger, bliver fjernet. Du kan hente din cykel på \
             cykelpladsen. Husk nøglen til låsen.",
        ],
        [
            EXAMPLE_TEXTS[1],
            "hvordan kan man låne en kajak",
            "Du kan låne en kajak af klubben, når du er medlem.\n1. Meld dig ind på klubbens hjemmeside.\n\
             2. Tag svømmeprøven.\n3. Hent nøglen hos formanden.",
        ],
    ],
};

const ENGLISH: Words = Words {
    task: "Answer the citizen's question briefly in English. Use only what the municipality's Danish text says. Write at \
           most four sentences.",
    text: "The municipality's text:",
    question: "Question:",
    answer: "Short answer in English:",
    examples: [
        [
            EXAMPLE_TEXTS[0],
            "my bike is gone from the station, where is it",
            "Bicycles that have stood at the station for more than four weeks are removed. You can collect your bicycle \
             at the bicycle yard. Remember the key to the lock.",
        ],
        [
            EXAMPLE_TEXTS[1],
            "how can I borrow a kayak",
            "You can borrow a kayak from the club when you are a member.\n1. Join on the club's website.\n\
             2. Take the swimming test.\n3. Collect the key from the chairman.",
        ],
    ],
};

fn words(lang: Lang) -> &'static Words {
    match lang {
        Lang::En => &ENGLISH,
        _ => &DANISH,
    }
}

/// What stands before every prompt in that language; none of it may come back.
pub(crate) fn fixed(lang: Lang) -> String {
    let w = words(lang);
    let mut out = format!("{}\n\n", w.task);
    for [text, question, answer] in w.examples {
        out.push_str(&asked(w, text, question));
        out.push_str(&format!(" {answer}\n\n"));
    }
    out
}

fn asked(w: &Words, text: &str, question: &str) -> String {
    let (head, ask, answer) = (w.text, w.question, w.answer);
    format!("{head}\n{text}\n{ask} {question}\n{answer}")
}

/// The request for a material: the fixed part first, so that it is read once for all.
pub fn request(material: &Material, form: PromptForm) -> Request {
    let w = words(material.lang);
    let lines = material.sections.iter().flat_map(|s| {
        // A line that is empty would end the example.
        let text = s.text.lines().map(str::trim).filter(|l| !l.is_empty());
        s.heading.as_deref().into_iter().chain(text)
    });
    let lines: Vec<&str> = lines.collect();
    let question: String = material.question.chars().take(QUESTION).collect();
    let asked = asked(w, &lines.join("\n"), &question);
    let (prefix, prompt) = match form {
        PromptForm::Base => (Prompt::Text(fixed(material.lang)), Prompt::Text(asked)),
        PromptForm::Instruct => {
            let message = |role, text| Prompt::Messages(vec![Message { role, text }]);
            let fixed = fixed(material.lang).trim_end().to_owned();
            (message(Role::System, fixed), message(Role::User, asked))
        }
    };
    Request {
        prefix,
        prompt,
        stop: vec![
            "\n\n".to_owned(),
            format!("\n{}", w.text),
            format!("\n{}", w.question),
        ],
        max_tokens: MAX_TOKENS,
        deadline: None,
    }
}
