//! What is exchanged for what: pairs that turn a fact into another.

use crate::lexicon::Tongue;

/// A word, or words, and what they become.
pub(super) type Pair = (&'static str, &'static str);

pub(super) fn limits(tongue: Tongue) -> &'static [Pair] {
    match tongue {
        Tongue::Danish => &[
            ("under", "over"),
            ("over", "under"),
            ("mindst", "højst"),
            ("højst", "mindst"),
            ("senest", "tidligst"),
            ("tidligst", "senest"),
            ("inden for", "efter"),
            ("inden", "efter"),
            ("før", "efter"),
            ("efter", "før"),
            ("mere end", "mindre end"),
            ("længere end", "kortere end"),
            ("op til", "mindst"),
            ("fra", "til"),
            ("fyldt", "under"),
            ("indtil", "fra"),
            ("cirka", "præcis"),
            ("omkring", "over"),
            ("ca.", "under"),
        ],
        Tongue::English => &[
            ("under", "over"),
            ("over", "under"),
            ("at least", "at most"),
            ("at most", "at least"),
            ("no later than", "no earlier than"),
            ("within", "after"),
            ("before", "after"),
            ("after", "before"),
            ("more than", "less than"),
            ("up to", "at least"),
            ("by", "after"),
            ("from", "until"),
            ("about", "over"),
            ("at the latest", "at the earliest"),
            ("until", "from"),
        ],
    }
}

/// What denies, and what is left when it does not.
pub(super) fn denials(tongue: Tongue) -> &'static [Pair] {
    match tongue {
        Tongue::Danish => &[
            ("ikke", ""),
            ("aldrig", "altid"),
            ("ingen", "en"),
            ("intet", "et"),
            ("uden", "med"),
            ("medmindre", "hvis"),
            ("undtagen", "også"),
            ("hverken", "både"),
        ],
        Tongue::English => &[
            ("not", ""),
            ("never", "always"),
            ("no", "a"),
            ("without", "with"),
            ("unless", "if"),
            ("except", "including"),
            ("don't", "do"),
            ("doesn't", "does"),
            ("cannot", "can"),
            ("can't", "can"),
            ("isn't", "is"),
            ("none", "all"),
        ],
    }
}

/// Verbs after which a denial may be put.
pub(super) fn verbs(tongue: Tongue) -> &'static [&'static str] {
    match tongue {
        Tongue::Danish => &[
            "kan",
            "skal",
            "må",
            "er",
            "har",
            "får",
            "bliver",
            "gælder",
            "koster",
            "betaler",
            "dækker",
            "bør",
            "hjælper",
            "kommer",
            "sender",
            "behøver",
            "kræver",
            "giver",
            "afgør",
            "vurderer",
            "søger",
            "står",
            "udbetaler",
            "bestemmer",
        ],
        Tongue::English => &["can", "must", "may", "is", "are", "has", "should", "will"],
    }
}

pub(super) fn modals(tongue: Tongue) -> &'static [Pair] {
    match tongue {
        Tongue::Danish => &[
            ("skal", "kan"),
            ("kan", "skal"),
            ("må", "skal"),
            ("bør", "skal"),
            ("behøver", "kan"),
        ],
        Tongue::English => &[
            ("must", "can"),
            ("can", "must"),
            ("may", "must"),
            ("should", "must"),
            ("have to", "can"),
            ("has to", "can"),
            ("need to", "can"),
        ],
    }
}

pub(super) fn quantities(tongue: Tongue) -> &'static [Pair] {
    match tongue {
        Tongue::Danish => &[
            ("alle", "nogle"),
            ("nogle", "alle"),
            ("normalt", "altid"),
            ("ofte", "altid"),
            ("tit", "altid"),
            ("de fleste", "alle"),
            ("som regel", "altid"),
            ("kun", ""),
            ("altid", "nogle gange"),
            ("måske", "altid"),
        ],
        Tongue::English => &[
            ("all", "some"),
            ("some", "all"),
            ("normally", "always"),
            ("usually", "always"),
            ("often", "always"),
            ("most", "all"),
            ("only", ""),
            ("always", "sometimes"),
            ("everyone", "some people"),
        ],
    }
}

/// A chance that becomes a promise.
pub(super) fn promises(tongue: Tongue) -> &'static [Pair] {
    match tongue {
        Tongue::Danish => &[
            ("kan få", "får"),
            ("du kan", "du vil"),
            ("kan hjælpe", "hjælper"),
            ("kan give", "giver"),
            ("kan du få", "får du"),
            ("kan søge", "søger"),
            ("kan klage", "klager"),
            ("kan blive", "bliver"),
            ("kan tage", "tager"),
        ],
        Tongue::English => &[
            ("can get", "will get"),
            ("may be", "will be"),
            ("can receive", "will receive"),
            ("can be", "will be"),
            ("can help", "will help"),
        ],
    }
}

pub(super) fn units(tongue: Tongue) -> &'static [Pair] {
    match tongue {
        Tongue::Danish => &[
            ("dage", "uger"),
            ("uger", "måneder"),
            ("måneder", "år"),
            ("år", "måneder"),
            ("timer", "dage"),
            ("timer", "minutter"),
            ("hverdage", "uger"),
            ("kr.", "pct."),
            ("meter", "centimeter"),
            ("om måneden", "om året"),
            ("om året", "om måneden"),
        ],
        Tongue::English => &[
            ("days", "weeks"),
            ("weeks", "months"),
            ("months", "years"),
            ("years", "months"),
            ("hours", "days"),
            ("metres", "centimetres"),
        ],
    }
}

/// Names to put in another's place, as they stand in a sentence.
pub(super) fn others(kind: char, tongue: Tongue) -> &'static [&'static str] {
    match (kind, tongue) {
        ('A', Tongue::Danish) => &[
            "kommunen",
            "politiet",
            "Udbetaling Danmark",
            "Skattestyrelsen",
            "Familieretshuset",
            "jobcentret",
            "regionen",
            "sygehuset",
            "Ankestyrelsen",
            "banken",
            "lægen",
            "udlejeren",
            "skolen",
            "Borgerservice",
            "biblioteket",
            "arbejdsgiveren",
            "Gældsstyrelsen",
            "visitationen",
            "apoteket",
            "Datatilsynet",
            "kirken",
            "retten",
        ],
        ('S', Tongue::Danish) => &[
            "MitID",
            "NemKonto",
            "Digital Post",
            "Jobnet",
            "BBR",
            "TastSelv",
            "CVR",
            "Virk",
        ],
        ('D', Tongue::Danish) => &[
            "pas",
            "kørekort",
            "sundhedskort",
            "legitimationskort",
            "personattest",
            "fuldmagt",
            "valgkort",
            "lejekontrakt",
            "byggetilladelse",
            "årsopgørelse",
        ],
        ('B', Tongue::Danish) => &[
            "boligstøtte",
            "børnetilskud",
            "kontanthjælp",
            "sygedagpenge",
            "barselsdagpenge",
            "folkepension",
            "førtidspension",
            "indskudslån",
            "varmetillæg",
            "friplads",
            "hjemmehjælp",
            "efterløn",
        ],
        ('P', Tongue::Danish) => &[
            "Danmark", "Sverige", "Norge", "Finland", "Island", "Schweiz", "Tyskland",
        ],
        ('A', Tongue::English) => &[
            "the municipality",
            "the police",
            "Udbetaling Danmark",
            "Skattestyrelsen",
            "Familieretshuset",
            "the job centre",
            "the region",
            "the hospital",
            "Ankestyrelsen",
            "the bank",
            "the landlord",
            "the library",
            "the pharmacy",
            "the court",
        ],
        ('S', Tongue::English) => &[
            "MitID",
            "NemKonto",
            "Digital Post",
            "Jobnet",
            "BBR",
            "TastSelv",
            "CVR",
        ],
        ('D', Tongue::English) => &[
            "passport",
            "driving licence",
            "health card",
            "identity card",
            "polling card",
            "lease",
            "power of attorney",
        ],
        ('B', Tongue::English) => &[
            "housing benefit",
            "child benefit",
            "cash assistance",
            "sickness benefit",
            "state pension",
            "home help",
        ],
        ('P', Tongue::English) => &[
            "Denmark", "Sweden", "Norway", "Finland", "Iceland", "Germany",
        ],
        _ => &[],
    }
}

pub(super) const MUNICIPALITIES: &[&str] = &[
    "Odense Kommune",
    "Aalborg Kommune",
    "Esbjerg Kommune",
    "Randers Kommune",
    "Kolding Kommune",
    "Horsens Kommune",
    "Vejle Kommune",
    "Roskilde Kommune",
    "Herning Kommune",
    "Silkeborg Kommune",
];
