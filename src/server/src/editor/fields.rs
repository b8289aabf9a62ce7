//! From fields to the text of a file. Only what has changed is written anew: comments, order and blank lines stay.

use std::collections::{BTreeMap, HashMap};

use toml_edit::{Array, ArrayOfTables, Datetime, DocumentMut, Item, Table, Value, value};

use super::wire::{ArticleFields, Facts, LinkFields, RateFields};

/// Why fields cannot be written, in Danish.
type Odd = String;

const FENCE: &str = "+++\n";

/// The file of an article; `before` is what it was made from.
pub(super) fn article(before: Option<&str>, a: &ArticleFields) -> Result<String, Odd> {
    let (head, body) = before.and_then(split).unwrap_or(("", ""));
    let mut doc = parsed(head)?;
    text(&mut doc, "id", Some(&a.id));
    text(&mut doc, "area", Some(&a.area));
    text(&mut doc, "title", Some(&a.title));
    let audience = match a.audience {
        knowledge::Audience::Citizen => "citizen",
        knowledge::Audience::Employee => "employee",
    };
    text(&mut doc, "audience", Some(audience));
    text(&mut doc, "source", Some(&a.source));
    text(&mut doc, "owner", Some(&a.owner));
    date(&mut doc, "review_by", Some(&a.review_by))?;
    date(&mut doc, "valid_from", a.valid_from.as_deref())?;
    date(&mut doc, "valid_to", a.valid_to.as_deref())?;
    text(&mut doc, "kle", a.kle.as_deref().filter(|k| !k.is_empty()));
    if a.crisis || doc.contains_key("crisis") {
        flag(&mut doc, "crisis", a.crisis);
    }
    strings(&mut doc, "keywords", &a.keywords, false);
    links(&mut doc, &a.links);
    if !doc.contains_table("examples") {
        doc.insert("examples", Item::Table(Table::new()));
    }
    if let Some(table) = doc.get_mut("examples").and_then(Item::as_table_mut) {
        let gone: Vec<String> = table
            .iter()
            .map(|(k, _)| k.to_owned())
            .filter(|k| !a.examples.contains_key(k))
            .collect();
        for lang in gone {
            table.remove(&lang);
        }
        for (lang, list) in &a.examples {
            if lang.parse::<base::Lang>().is_err() {
                return Err(format!("Sproget «{lang}» kendes ikke."));
            }
            strings(table, lang, list, true);
        }
    }
    let head = doc.to_string();
    let body = if body.trim() == a.body.trim() && !body.is_empty() {
        body.to_owned()
    } else {
        format!("{}\n", unix(&a.body).trim())
    };
    Ok(format!("{FENCE}{}\n{FENCE}{body}", head.trim_end()))
}

/// Head and body of an article's file.
fn split(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix(FENCE)?;
    let end = rest.find("\n+++\n")?;
    Some((&rest[..=end], &rest[end + 5..]))
}

/// `satser.toml` with one rate changed or added.
pub(super) fn rate(before: &str, r: &RateFields) -> Result<String, Odd> {
    plain_id(&r.id)?;
    let mut doc = parsed(before)?;
    if !doc.contains_table(&r.id) {
        doc.insert(&r.id, Item::Table(Table::new()));
    }
    if let Some(t) = doc.get_mut(&r.id).and_then(Item::as_table_mut) {
        text(t, "name", Some(&r.name));
        text(t, "value", Some(&r.value));
        text(t, "unit", Some(&r.unit));
        if t.get("year").and_then(Item::as_integer) != Some(i64::from(r.year)) {
            put(t, "year", i64::from(r.year).into());
        }
        text(t, "source", Some(&r.source));
        if r.sample || t.contains_key("sample") {
            flag(t, "sample", r.sample);
        }
    }
    Ok(doc.to_string())
}

/// `satser.toml` without a rate.
pub(super) fn without_rate(before: &str, id: &str) -> Result<String, Odd> {
    let mut doc = parsed(before)?;
    if doc.remove(id).is_none() {
        return Err(format!("Der er ingen sats, der hedder «{id}»."));
    }
    Ok(doc.to_string())
}

fn plain_id(id: &str) -> Result<(), Odd> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if (2..=60).contains(&id.len()) && id.chars().all(fits) {
        return Ok(());
    }
    Err(format!(
        "«{id}» kan ikke være navn på en sats: brug 2 til 60 tegn af a-z, 0-9 og _."
    ))
}

/// `kommune.toml` as fields.
pub(super) fn facts(text: &str) -> Result<Facts, Odd> {
    let doc = parsed(text)?;
    let table = |name: &str| -> BTreeMap<String, String> {
        let found = doc.get(name).and_then(Item::as_table);
        let pairs = found.into_iter().flat_map(Table::iter);
        pairs
            .filter_map(|(k, v)| Some((k.to_owned(), v.as_str()?.to_owned())))
            .collect()
    };
    let list = |name: &str| -> Vec<String> {
        let found = doc.get(name).and_then(Item::as_array);
        let values = found.into_iter().flat_map(Array::iter);
        let shown = |v: &Value| {
            let text = v.as_str().map(str::to_owned);
            text.or_else(|| v.as_datetime().map(ToString::to_string))
        };
        values.filter_map(shown).collect()
    };
    let theme = table("theme");
    Ok(Facts {
        sample: doc.get("sample").and_then(Item::as_bool).unwrap_or(false),
        contact: table("contact"),
        hours: table("hours"),
        closed: list("closed"),
        accent: theme.get("accent").cloned().unwrap_or_default(),
        links: table("links"),
        hidden: list("hidden"),
    })
}

/// `kommune.toml` with these facts.
pub(super) fn municipality(before: &str, f: &Facts) -> Result<String, Odd> {
    let mut doc = parsed(before)?;
    flag(&mut doc, "sample", f.sample);
    strings(&mut doc, "hidden", &f.hidden, false);
    let mut closed = Array::new();
    for day in &f.closed {
        closed.push(read_date(day)?);
    }
    let same = facts(before).is_ok_and(|now| now.closed == f.closed);
    if !same {
        put(&mut doc, "closed", Value::Array(closed));
    }
    for (name, pairs) in [
        ("contact", &f.contact),
        ("hours", &f.hours),
        ("links", &f.links),
    ] {
        let Some(table) = doc.get_mut(name).and_then(Item::as_table_mut) else {
            return Err(format!("Filen mangler afsnittet [{name}]."));
        };
        for (key, v) in pairs {
            text(table, key, Some(v));
        }
    }
    if let Some(theme) = doc.get_mut("theme").and_then(Item::as_table_mut) {
        text(theme, "accent", Some(&f.accent));
    }
    Ok(doc.to_string())
}

/// `kommune.toml` with one article hidden, or shown again.
pub(super) fn hide(before: &str, id: &str, hidden: bool) -> Result<String, Odd> {
    let mut doc = parsed(before)?;
    let mut list = facts(before)?.hidden;
    list.retain(|h| h != id);
    if hidden {
        list.push(id.to_owned());
        list.sort();
    }
    strings(&mut doc, "hidden", &list, false);
    Ok(doc.to_string())
}

fn parsed(text: &str) -> Result<DocumentMut, Odd> {
    text.parse()
        .map_err(|e: toml_edit::TomlError| format!("Filen kan ikke læses: {}", e.message()))
}

/// Sets a value and keeps what stood around the one before.
fn put(t: &mut Table, key: &str, mut new: Value) {
    match t.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            *new.decor_mut() = old.decor().clone();
            *old = new;
        }
        None => {
            t.insert(key, value(new));
        }
    }
}

fn text(t: &mut Table, key: &str, new: Option<&str>) {
    let Some(new) = new else {
        t.remove(key);
        return;
    };
    let new = unix(new);
    let new = new.trim();
    if t.get(key).and_then(Item::as_str) != Some(new) {
        put(t, key, new.into());
    }
}

fn unix(text: &str) -> String {
    text.replace("\r\n", "\n")
}

fn flag(t: &mut Table, key: &str, new: bool) {
    if t.get(key).and_then(Item::as_bool) != Some(new) {
        put(t, key, new.into());
    }
}

fn read_date(day: &str) -> Result<Datetime, Odd> {
    let plain = day.parse::<jiff::civil::Date>();
    let plain = plain.map_err(|_| format!("«{day}» er ikke en dato som 2027-06-30."))?;
    let text = plain.to_string();
    text.parse()
        .map_err(|_| format!("«{day}» er ikke en dato som 2027-06-30."))
}

fn date(t: &mut Table, key: &str, new: Option<&str>) -> Result<(), Odd> {
    let Some(new) = new.filter(|d| !d.is_empty()) else {
        t.remove(key);
        return Ok(());
    };
    let new = read_date(new)?;
    if t.get(key).and_then(Item::as_datetime) != Some(&new) {
        put(t, key, new.into());
    }
    Ok(())
}

/// Sets a list of texts; those that were there keep what stands around them.
fn strings(t: &mut Table, key: &str, new: &[String], one_a_line: bool) {
    let new: Vec<String> = new
        .iter()
        .map(|s| unix(s).trim().to_owned())
        .filter(|s| !s.is_empty())
        .collect();
    let old = t.get(key).and_then(Item::as_array);
    let same = old.is_some_and(|o| {
        o.iter()
            .map(Value::as_str)
            .eq(new.iter().map(|s| Some(s.as_str())))
    });
    if same || old.is_none() && new.is_empty() && !one_a_line {
        return;
    }
    let known: HashMap<String, Value> = old
        .into_iter()
        .flat_map(Array::iter)
        .filter_map(|v| Some((v.as_str()?.to_owned(), v.clone())))
        .collect();
    let mut list = Array::new();
    for s in &new {
        let mut v = match known.get(s) {
            Some(v) => v.clone(),
            None => Value::from(s.as_str()),
        };
        let written = v.decor().prefix().and_then(|p| p.as_str());
        if one_a_line {
            if written.is_none_or(|p| !p.contains('\n')) {
                v.decor_mut().set_prefix("\n  ");
            }
        } else if written.is_none_or(|p| !p.contains('#')) {
            v.decor_mut()
                .set_prefix(if list.is_empty() { "" } else { " " });
        }
        // What stood before a closing bracket would come before a comma here.
        v.decor_mut().set_suffix("");
        list.push_formatted(v);
    }
    if one_a_line && !new.is_empty() {
        list.set_trailing("\n");
        list.set_trailing_comma(true);
    }
    put(t, key, Value::Array(list));
}

fn links(doc: &mut DocumentMut, new: &[LinkFields]) {
    let old: Vec<LinkFields> = doc
        .get("links")
        .and_then(Item::as_array_of_tables)
        .into_iter()
        .flat_map(ArrayOfTables::iter)
        .filter_map(|t| {
            Some(LinkFields {
                title: t.get("title")?.as_str()?.to_owned(),
                url: t.get("url")?.as_str()?.to_owned(),
            })
        })
        .collect();
    if old == new {
        return;
    }
    if new.is_empty() {
        doc.remove("links");
        return;
    }
    let mut list = ArrayOfTables::new();
    for l in new {
        let mut t = Table::new();
        text(&mut t, "title", Some(&l.title));
        text(&mut t, "url", Some(&l.url));
        list.push(t);
    }
    doc.insert("links", Item::ArrayOfTables(list));
}

#[cfg(test)]
mod tests;
