//! From tokens to facts.

use super::{Bound, Fact, What};
use crate::lexicon::{Tongue, Unit, bound_of, month, often, times, unit, value, weekday};
use crate::token::{Kind, Token};

struct Reader<'a> {
    tokens: &'a [Token],
    tongue: Tongue,
    out: Vec<Fact>,
}

/// The facts of a text, in their order.
pub(crate) fn facts(tokens: &[Token], tongue: Tongue) -> Vec<Fact> {
    let mut reader = Reader {
        tokens,
        tongue,
        out: Vec::new(),
    };
    let mut at = 0;
    while at < tokens.len() {
        at = reader.step(at).max(at + 1);
    }
    reader.out
}

impl Reader<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |t| t.text.as_str())
    }

    fn back(&self, at: usize, n: usize) -> &str {
        at.checked_sub(n).map_or("", |i| self.text(i))
    }

    fn push(&mut self, what: What, value: String, from: usize, to: usize) -> &mut Fact {
        let bound = self.bound(from, to);
        let i = self.out.len();
        self.out.push(Fact {
            what,
            value,
            unit: None,
            per: None,
            bound,
            side: Bound::None,
            start: self.tokens[from].start,
            end: self.tokens[to - 1].end,
        });
        &mut self.out[i]
    }

    /// The limit made by the words before `from` and after `to`, within the clause.
    fn bound(&self, from: usize, to: usize) -> Bound {
        let before = self.tokens[..from]
            .iter()
            .rev()
            .take_while(|t| t.word() || t.is("."))
            .take(6)
            .filter(|t| t.word())
            .map(|t| t.text.as_str());
        let mut before: Vec<&str> = before.collect();
        before.reverse();
        let after: Vec<&str> = self.tokens[to..]
            .iter()
            .skip_while(|t| t.is("."))
            .take_while(|t| t.word())
            .take(3)
            .map(|t| t.text.as_str())
            .collect();
        bound_of(&before, &after)
    }

    /// Reads what begins at a token and says where to go on.
    fn step(&mut self, at: usize) -> usize {
        let token = &self.tokens[at];
        match token.kind {
            Kind::Address => {
                let value = token.text.clone();
                self.push(What::Contact, value, at, at + 1);
                at + 1
            }
            Kind::Mark if token.is("§") => self.law(at),
            Kind::Mark => at + 1,
            Kind::Number => self.number(at, at + 1, self.tokens[at].text.clone()),
            Kind::Word => self.word(at),
        }
    }

    fn law(&mut self, at: usize) -> usize {
        let mut n = at + 1;
        while self.text(n) == "§" {
            n += 1;
        }
        if !self.tokens.get(n).is_some_and(Token::number) {
            return at + 1;
        }
        let mut value = self.text(n).to_owned();
        let letter = self.text(n + 1);
        if letter.len() == 1 && letter != "." && self.tokens[n + 1].word() && letter != "i" {
            value.push_str(letter);
            n += 1;
        }
        self.push(What::Law, value, at, n + 1);
        n + 1
    }

    fn word(&mut self, at: usize) -> usize {
        let token = &self.tokens[at];
        let text = token.text.as_str();
        if ["stk", "kapitel", "chapter", "artikel", "article", "section"].contains(&text)
            && !self.out.is_empty()
            || text == "stk"
        {
            let n = if self.text(at + 1) == "." {
                at + 2
            } else {
                at + 1
            };
            if self.tokens.get(n).is_some_and(Token::number) {
                let value = format!("{text} {}", self.text(n));
                self.push(What::Law, value, at, n + 1);
                return n + 1;
            }
        }
        if let Some(m) = self.month(at) {
            // "March 12", "March 12, 2026"
            if let Some(day) = self
                .tokens
                .get(at + 1)
                .filter(|t| t.number() && t.text.len() <= 2)
            {
                let value = format!("{}/{m}", day.text.trim_start_matches('0'));
                self.push(What::Date, value, at, at + 2);
                return self.ordinal_end(at + 2);
            }
            self.push(What::Month, m.to_string(), at, at + 1);
            return at + 1;
        }
        if let Some(d) = weekday(text) {
            self.push(What::Weekday, d.to_string(), at, at + 1);
            return at + 1;
        }
        if matches!(text, "noon" | "midnight") {
            let value = if text == "noon" { "12:00" } else { "24:00" };
            self.push(What::Time, value.to_owned(), at, at + 1);
            return at + 1;
        }
        if matches!(text, "halvanden" | "halvandet") {
            return self.number(at, at + 1, "1.5".to_owned());
        }
        let rest = [self.text(at + 1), self.text(at + 2), self.text(at + 3)];
        if text == "one" && rest == ["and", "a", "half"] {
            return self.number(at, at + 4, "1.5".to_owned());
        }
        if matches!(text, "halv" | "halvt" | "half") {
            let n = if matches!(self.text(at + 1), "a" | "an") {
                at + 2
            } else {
                at + 1
            };
            if unit(self.text(n)).is_some_and(Unit::time) {
                return self.number(at, n, "0.5".to_owned());
            }
            return at + 1;
        }
        if text == "par" && self.back(at, 1) == "et" {
            return self.number(at, at + 1, "par".to_owned());
        }
        if text == "couple" || (text == "few" && self.back(at, 1) == "a") {
            let n = if self.text(at + 1) == "of" {
                at + 2
            } else {
                at + 1
            };
            let form = if text == "couple" { "par" } else { "few" };
            return self.number(at, n, form.to_owned());
        }
        if let Some(after) = self.each(at) {
            return after;
        }
        // "a week" is one week; "en" alone is an article.
        if matches!(text, "en" | "et" | "a" | "an" | "one")
            && unit(self.text(at + 1)).is_some_and(Unit::time)
            && (self.text(at + 1) != "time" || self.tongue == Tongue::Danish)
            && unit(self.back(at, 1)).is_none()
        {
            return self.number(at, at + 1, "1".to_owned());
        }
        // "to" is a number in Danish alone; English "one" may be nobody in particular.
        if text != "one"
            && let Some(value) = value(text, self.tongue)
        {
            return self.number(at, at + 1, value);
        }
        at + 1
    }

    fn month(&self, at: usize) -> Option<u32> {
        let token = self.tokens.get(at)?;
        let m = month(&token.text)?;
        let doubtful = self.tongue == Tongue::English && matches!(m, 3 | 5);
        (!doubtful || (token.capital && !token.first)).then_some(m)
    }

    /// "th" after "12", and whatever else belongs to a day.
    fn ordinal_end(&self, at: usize) -> usize {
        if matches!(self.text(at), "st" | "nd" | "rd" | "th") {
            at + 1
        } else {
            at
        }
    }

    /// A number whose words are the tokens from `at` to `after`.
    fn number(&mut self, at: usize, after: usize, form: String) -> usize {
        let number = self.tokens[at].number();
        let (given, (after, form)) = (after, self.multiplied(after, form));
        let digits = number && after == given && form.bytes().all(|b| b.is_ascii_digit());
        let n = self.ordinal_end(after);
        let ordinal = n > after || (digits && self.text(n) == "." && n + 1 < self.tokens.len());
        if number && form.contains('/') {
            self.push(What::Date, form, at, n);
            return n;
        }
        if digits && form.len() <= 2 {
            let mut m = n;
            while matches!(self.text(m), "." | "of") && m < n + 2 {
                m += 1;
            }
            if let Some(month) = self.month(m) {
                let value = format!("{}/{month}", form.trim_start_matches('0'));
                self.push(What::Date, value, at, m + 1);
                return m + 1;
            }
            if ordinal
                && (matches!(self.back(at, 1), "den" | "the" | "d"))
                && unit(self.text(n + 1)).is_none()
            {
                let end = if self.text(n) == "." { n + 1 } else { n };
                self.push(What::Date, format!("{form}/"), at, end);
                return end;
            }
        }
        if number && (form.contains(':') || self.clock(at)) {
            return self.time(at, n, &form);
        }
        if matches!(self.text(n), "am" | "pm")
            || (matches!(self.text(n), "a" | "p")
                && self.text(n + 1) == "."
                && self.text(n + 2) == "m")
        {
            return self.time(at, n, &form);
        }
        if digits && self.telephone(at, &form) {
            self.push(What::Contact, form, at, n);
            return n;
        }
        // The unit: at once, or after what this number is listed with ("two or three weeks", "2-3 uger").
        let mut look = n;
        let mut listed = false;
        for _ in 0..4 {
            if self.text(look) == "-"
                || self.text(look) == "–"
                || self.text(look) == "."
                || self.text(look) == "working"
            {
                look += 1;
                continue;
            }
            let joins = matches!(
                self.text(look),
                "og" | "eller" | "til" | "and" | "or" | "to" | ","
            );
            let next = self.tokens.get(look + 1);
            if joins && next.is_some_and(|t| t.number() || value(&t.text, self.tongue).is_some()) {
                look += 2;
                listed = true;
            } else if look > n && self.tokens.get(look).is_some_and(Token::number) {
                look += 1;
                listed = true;
            } else {
                break;
            }
        }
        let mut found = unit(self.text(look));
        if found == Some(Unit::Day) && self.back(look, 1) == "working" {
            found = Some(Unit::Workday);
        }
        let to = if found.is_some() { look + 1 } else { n };
        // "kr. 250": the unit was before, and nothing behind belongs to it.
        let before = matches!(self.back(at, 1), "kr" | "dkk")
            || (self.back(at, 1) == "." && self.back(at, 2) == "kr");
        if found.is_none() && before {
            found = Some(Unit::Kroner);
        }
        let (per, side) = (self.per(to, found), self.side(to));
        let end = if listed { n } else { to };
        let limit = self.bound(at, to.max(n));
        let fact = self.push(What::Number, form, at, end);
        fact.bound = limit;
        fact.unit = found;
        fact.per = per;
        fact.side = side;
        // Later numbers of the same list are read for themselves.
        if listed { n } else { to }
    }

    /// "kl. 10", or what follows it: "kl. 10-14", "fra kl. 9 til 15"; "at 10".
    fn clock(&self, at: usize) -> bool {
        let mut i = at;
        for _ in 0..3 {
            let Some(before) = i.checked_sub(1) else {
                return false;
            };
            let word = self.text(before);
            if matches!(word, "kl" | "klokken") {
                return true;
            }
            let joined = matches!(word, "-" | "–" | "til" | "og" | "to" | "and" | "until");
            if joined && before > 0 && self.tokens[before - 1].number() {
                // The number before: is it a time?
                return self.out.last().is_some_and(|f| f.what == What::Time);
            }
            if word != "." {
                return false;
            }
            i = before;
        }
        false
    }

    fn time(&mut self, at: usize, n: usize, form: &str) -> usize {
        let (hour, minute) = form.split_once([':', '.']).unwrap_or((form, "00"));
        let hour: u32 = hour.parse().unwrap_or(99);
        let minute = if minute.len() == 1 {
            format!("{minute}0")
        } else {
            minute.to_owned()
        };
        let (half, end) = match (self.text(n), self.text(n + 1), self.text(n + 2)) {
            ("am" | "pm", _, _) => (self.text(n).to_owned(), n + 1),
            (h @ ("a" | "p"), ".", "m") => (format!("{h}m"), n + 3),
            _ => (String::new(), n),
        };
        let hour = match half.as_str() {
            "pm" if hour < 12 => hour + 12,
            "am" if hour == 12 => 0,
            _ => hour,
        };
        self.push(What::Time, format!("{hour}:{minute}"), at, end);
        end
    }

    fn telephone(&self, at: usize, form: &str) -> bool {
        if form.len() >= 8 || ["112", "114", "1813", "116111", "116006"].contains(&form) {
            return true;
        }
        let near: Vec<&str> = (1..=3).map(|k| self.back(at, k)).collect();
        (3..=6).contains(&form.len())
            && near.iter().any(|w| {
                matches!(
                    *w,
                    "tlf"
                        | "telefon"
                        | "telefonnummer"
                        | "ring"
                        | "ringe"
                        | "ringer"
                        | "call"
                        | "phone"
                )
            })
            && unit(self.text(at + 1)).is_none()
    }

    /// "kr. om måneden", "kr. pr. år", "kroner a month".
    fn per(&self, to: usize, found: Option<Unit>) -> Option<Unit> {
        let times = matches!(self.text(to), "gange" | "gang" | "times")
            || matches!(self.back(to, 1), "twice");
        if !times && !matches!(found, Some(Unit::Kroner | Unit::Percent | Unit::Hour)) {
            return None;
        }
        let to = to + usize::from(matches!(self.text(to), "gange" | "gang" | "times"));
        let mut i = to;
        while matches!(
            self.text(i),
            "." | "om"
                | "pr"
                | "per"
                | "i"
                | "a"
                | "an"
                | "the"
                | "each"
                | "every"
                | "hver"
                | "hvert"
        ) && i < to + 4
        {
            i += 1;
        }
        let word = self.text(i);
        often(word).or_else(|| unit(word).filter(|u| i > to && u.time()))
    }

    /// "to tusind", "2,5 mio.": the number that follows multiplies the first.
    fn multiplied(&self, after: usize, form: String) -> (usize, String) {
        let Some(by) = times(self.text(after)) else {
            return (after, form);
        };
        let (whole, decimals) = form.split_once('.').unwrap_or((&form, ""));
        let product = [whole, decimals].concat().parse::<u64>().ok();
        let scale = 10_u64.checked_pow(decimals.len() as u32);
        match product.and_then(|n| n.checked_mul(by)).zip(scale) {
            Some((n, scale)) if n % scale == 0 => (after + 1, (n / scale).to_string()),
            _ => (after, form),
        }
    }

    /// "hver uge", "hver anden uge", "every third month": how often. After an amount it was read with that.
    fn each(&mut self, at: usize) -> Option<usize> {
        if !matches!(self.text(at), "hver" | "hvert" | "every" | "each") {
            return None;
        }
        let (n, after) = match self.text(at + 1) {
            "anden" | "andet" | "other" | "second" => ("2".to_owned(), at + 2),
            word => match value(word, self.tongue) {
                Some(n) => (n, at + 2),
                None => ("1".to_owned(), at + 1),
            },
        };
        let found = unit(self.text(after)).filter(|u| u.time())?;
        let start = self.tokens[at].start;
        let read = self.out.last().is_some_and(|f| {
            let between = |t: &&Token| t.start >= f.end && t.start < start;
            f.per == Some(found) && self.tokens.iter().filter(between).count() <= 2
        });
        if !read {
            let fact = self.push(What::Number, n, at, after + 1);
            fact.unit = Some(found);
            fact.bound = Bound::Each;
        }
        Some(after + 1)
    }

    fn side(&self, to: usize) -> Bound {
        let to = to + usize::from(self.text(to) == ",");
        match self.text(to) {
            "inden" if self.text(to + 1) == "for" => Bound::None,
            "før" | "inden" | "before" => Bound::Before,
            "efter" | "after" | "senere" => Bound::After,
            "siden" | "ago" => Bound::From,
            _ => Bound::None,
        }
    }
}
