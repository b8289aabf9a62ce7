use super::*;

fn pas(message: &str) -> FollowUp {
    FollowUp {
        message: message.to_owned(),
        question: Some("Mit pas udløber i maj, hvordan får jeg et nyt?".to_owned()),
        title: Some("Forny dit pas".to_owned()),
        lang: Lang::Da,
    }
}

#[test]
fn a_whole_question_says_what_the_message_said_and_what_came_before() {
    for (message, whole) in [
        ("og hvad koster det?", "Hvad koster det at forny et pas?"),
        (
            "og til mit barn på 6?",
            "Hvordan fornyer jeg passet til mit barn på 6?",
        ),
        (
            "hvor lang tid tager det så",
            "Hvor lang tid tager det at få et nyt pas?",
        ),
    ] {
        assert_eq!(
            rewritten(&format!(" {whole}\nBesked: og"), &pas(message)).as_deref(),
            Some(whole)
        );
    }
}

#[test]
fn what_nobody_said_is_no_question_of_the_citizens() {
    for (message, whole) in [
        // Another matter.
        ("og hvad koster det?", "Hvad koster et kørekort?"),
        // Another figure.
        (
            "og til mit barn på 6?",
            "Hvad koster et pas til mit barn på 16?",
        ),
        // The message is left out.
        ("og til mit barn?", "Hvordan får jeg et nyt pas?"),
        ("hvad koster det?", "Hvordan får jeg et nyt pas?"),
        // As it was, nothing, and too much.
        ("og hvad koster det?", "og hvad koster det"),
        ("og hvad koster det?", ""),
        ("og hvad koster det?", &"hvad koster det ".repeat(20)),
        (
            "og hvad koster det?",
            "Hvad koster det, når kommunen lover mig et pas?",
        ),
    ] {
        assert_eq!(rewritten(whole, &pas(message)), None, "{whole}");
    }
}

#[test]
fn the_prompt_takes_the_citizens_words_or_the_title_in_one_line_each() {
    let texts = |follow_up: &FollowUp| {
        let request = rewriting(follow_up, PromptForm::Base);
        match (request.prefix, request.prompt) {
            (Prompt::Text(fixed), Prompt::Text(asked)) => (fixed, asked),
            other => panic!("a base model reads text, not {other:?}"),
        }
    };
    let mut follow_up = pas("hvad koster\ndet");
    let (fixed, asked) = texts(&follow_up);
    assert!(fixed.ends_with("Er der stole i forsamlingshuset?\n\n"));
    assert_eq!(
        asked,
        "Først spurgte borgeren: Mit pas udløber i maj, hvordan får jeg et nyt?\n\
         Så skrev borgeren: hvad koster det\nBorgeren vil altså vide:"
    );
    follow_up.question = None;
    assert!(
        texts(&follow_up)
            .1
            .starts_with("Først spurgte borgeren: Forny dit pas\n")
    );
}
