//! What the check of the knowledge says, in the words of a colleague.

use knowledge::Fault;

/// A fault in Danish; what has no words here yet stays as the check says it.
pub(super) fn danish(f: &Fault) -> String {
    let m = f.message.as_str();
    let quoted = || {
        let inner = m.split_once('«').and_then(|(_, r)| r.rsplit_once('»'));
        inner.map_or("", |(q, _)| q)
    };
    let numbers: Vec<&str> = m
        .split(|c: char| !c.is_ascii_digit())
        .filter(|n| !n.is_empty())
        .collect();
    let last = m.rsplit(' ').next().unwrap_or("");
    match (f.field.as_str(), numbers.as_slice()) {
        ("body", [n, least, most]) if m.contains("words:") => {
            format!("Teksten har {n} ord. Den skal have {least} til {most}.")
        }
        ("body", _) if m.starts_with("an amount") => {
            "Der står et beløb i teksten. Læg det under Satser, og sæt satsen ind.".to_owned()
        }
        ("body", _) if m.starts_with("a phone number") => {
            "Der står et telefonnummer i teksten. Sæt kommunens telefon eller et krisenummer ind i stedet.".to_owned()
        }
        ("body", _) if m.starts_with("HTML") => {
            "Der kan ikke bruges HTML. Brug overskrifter, lister, fed skrift og links.".to_owned()
        }
        ("body", _) if m.starts_with("must begin") => {
            "Begynd med det korte svar, før den første overskrift.".to_owned()
        }
        ("body", _) if m.contains("closing parenthesis") => {
            "Et link mangler sin sidste parentes.".to_owned()
        }
        ("body" | "links.url", _) if m.contains("https address") => format!(
            "Linket «{}» skal begynde med https:// eller være et af kommunens links.",
            quoted()
        ),
        ("links.title", _) => "Skriv en tekst til linket.".to_owned(),
        ("links", [n, most, ..]) => format!("Der er {n} links. Der kan højst være {most}."),
        ("title", _) if m.starts_with("must be") => "Titlen skal være på 3 til 70 tegn.".to_owned(),
        ("source", _) if m.starts_with("is missing") => {
            "Skriv, hvor oplysningerne kommer fra: en side eller en lov.".to_owned()
        }
        ("source", _) => format!(
            "Kilden «{}» skal være én adresse med https:// eller navnet på en lov.",
            quoted()
        ),
        ("owner", _) if m.starts_with("is empty") => {
            "Skriv, hvilket team der svarer for artiklen.".to_owned()
        }
        ("area", _) if m.contains("omraader.toml") => {
            format!("Området «{}» findes ikke. Vælg et andet.", quoted())
        }
        ("review_by", _) if m.contains("has passed") => {
            "Datoen for gennemlæsning er passeret. Læs artiklen igen, og sæt en ny dato.".to_owned()
        }
        ("valid_to", _) if m.starts_with("ran out") => {
            "Artiklen er udløbet og vises ikke. Forlæng den, eller fjern den.".to_owned()
        }
        ("valid_to", _) => "Artiklen slutter, før den begynder.".to_owned(),
        ("hidden", _) => format!(
            "Artiklen «{}» kan ikke skjules, for kommunen arver den ikke.",
            quoted()
        ),
        ("id", _) if m.contains("is also the id of") => {
            format!("Der er allerede en artikel, der hedder «{}».", quoted())
        }
        (field, [n, least]) if field.starts_with("examples") && m.contains("at least") => {
            format!("Der er {n} eksempler på spørgsmål. Skriv mindst {least}.")
        }
        (field, _) if field.starts_with("examples") && m.ends_with("stands twice") => {
            format!("Eksemplet «{}» står to gange.", quoted())
        }
        (field, _) if field.starts_with("examples") && m.contains("is also an example of") => {
            format!("Eksemplet «{}» står også i {last}.", quoted())
        }
        (field, _) if field.starts_with("examples") => {
            "Et eksempel skal være på 2 til 400 tegn.".to_owned()
        }
        ("{{", _) => {
            "En plads begynder med {{ og slutter ikke. Skriv }} efter den, eller slet {{.".to_owned()
        }
        ("body", _) if m.starts_with("a slot has no beginning") => {
            "Der står }}, men intet {{ foran. Vælg pladsen fra listen, eller slet }}.".to_owned()
        }
        (field, _) if field.starts_with("{{") => {
            format!("Pladsen {field} findes ikke. Vælg en fra listen.")
        }
        (field, _) if m.starts_with("missing field") => format!("Feltet «{field}» mangler."),
        (field, _) if m.starts_with("unknown field") => format!("Feltet «{field}» kendes ikke."),
        (field, _) if m == "is missing" => format!("«{field}» mangler."),
        (field, _) if m.contains("must begin with a digit") => {
            format!("«{field}» skal begynde med et tal.")
        }
        _ => m.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_editors_meet_most_is_said_in_danish() {
        let said = |field: &str, message: &str| {
            danish(&Fault {
                severity: knowledge::Severity::Error,
                file: "shared/pas/x.md".into(),
                line: 3,
                field: field.into(),
                message: message.into(),
            })
        };
        assert_eq!(
            said("body", "12 words: 80 to 300 are allowed"),
            "Teksten har 12 ord. Den skal have 80 til 300."
        );
        assert_eq!(
            said("examples.da", "3 sentences: at least 20"),
            "Der er 3 eksempler på spørgsmål. Skriv mindst 20."
        );
        assert_eq!(
            said(
                "examples.da",
                "«Hvad nu?» is also an example of shared/pas/y.md"
            ),
            "Eksemplet «Hvad nu?» står også i shared/pas/y.md."
        );
        assert_eq!(
            said("{{sats.nej}}", "unknown slot: satser.toml has no [nej]"),
            "Pladsen {{sats.nej}} findes ikke. Vælg en fra listen."
        );
        assert_eq!(said("else", "as it is"), "as it is");
    }
}
