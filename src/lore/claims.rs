//! The ledger's file, `lore.toml`, read into claims. What is wrong with it is said with its line and a remedy.

use super::{Condition, Lang, Stands, ValuePath};
use crate::fact::{DemoSpec, Params, Values, clean_line};
use crate::lesson::{ClaimIds, Diagnostic, Pos, nearest, read_limits};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;

/// What is run for a claim, and what it has to come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// The demo.
    pub spec: &'static DemoSpec,
    /// Its parameters, complete.
    pub params: Params,
    /// What must be so for the run to say anything.
    pub needs: Vec<Condition>,
    /// What must all be so for the claim to hold.
    pub holds: Vec<Condition>,
    /// One of these is enough for the claim to fail; if none is given, one of `holds` that is not so.
    pub fails: Vec<Condition>,
    /// What else is shown of what was measured.
    pub show: Vec<ValuePath>,
}

impl Test {
    /// What of the outcome is shown, in order, each once.
    #[must_use]
    pub fn shown(&self) -> Vec<&ValuePath> {
        let asked = self.holds.iter().chain(&self.fails).chain(&self.needs).flat_map(Condition::looks_at);
        let mut out: Vec<&ValuePath> = Vec::new();
        for path in asked.chain(&self.show) {
            if !out.contains(&path) {
                out.push(path);
            }
        }
        out
    }
}

/// One claim.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// Its id.
    pub id: String,
    /// The claim in English.
    pub en: String,
    /// The same in Chinese.
    pub zh: String,
    /// How it stands.
    pub stands: Stands,
    /// Why, in English.
    pub why: String,
    /// Why, in Chinese.
    pub why_zh: String,
    /// The lesson to read, if it is not the first that takes it up.
    pub lesson: Option<String>,
    /// Ids of the claims that say the contrary.
    pub contradicts: Vec<String>,
    /// What shows it; none if it cannot be tested.
    pub test: Option<Test>,
    /// Why no run answers it, in English, where there is no test and `why` does not say it.
    pub untested: String,
    /// The same in Chinese.
    pub untested_zh: String,
}

impl Claim {
    /// How it stands whatever this machine says, and why.
    #[must_use]
    pub fn in_general(&self, lang: Lang) -> String {
        let (stands, why) = (self.stands.sentence(lang), lang.pick(&self.why, &self.why_zh));
        let gap = if stands.is_empty() || why.is_empty() { "" } else { lang.pick(" ", "") };
        format!("{stands}{gap}{why}")
    }
}

/// All claims, in the order of their ids.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger {
    claims: Vec<Claim>,
}

impl Ledger {
    /// Reads a ledger.
    ///
    /// # Errors
    /// All that is wrong with it, in the order of the file.
    pub fn read(file: &str, text: &str, specs: &[&'static DemoSpec], ids: &ClaimIds) -> Result<Self, Vec<Diagnostic>> {
        let mut reader = Reader { file, text, specs, found: Vec::new() };
        let claims = match toml::from_str::<Raw>(text) {
            Ok(raw) => reader.claims(&raw, ids),
            Err(error) => {
                let at = error.span().unwrap_or(0..1);
                let what = error.message().lines().next().unwrap_or_default().to_owned();
                reader.wrong(at, what, "a claim has id, en, zh, stands, why, why_zh; see the head of the file".into());
                Vec::new()
            }
        };
        reader.found.sort_by_key(|d| d.pos);
        // A mistake in a test is met again by each claim that is as this one.
        reader.found.dedup();
        if reader.found.is_empty() { Ok(Self { claims }) } else { Err(reader.found) }
    }

    /// All of them.
    #[must_use]
    pub fn claims(&self) -> &[Claim] {
        &self.claims
    }

    /// The claim with this id.
    ///
    /// # Errors
    /// There is none: a sentence with the nearest.
    pub fn find(&self, id: &str) -> Result<&Claim, String> {
        self.claims.iter().find(|claim| claim.id == id).ok_or_else(|| {
            let near = nearest(id, self.claims.iter().map(|claim| claim.id.as_str()));
            let hint = near.map_or_else(|| "they look like 000-04".to_owned(), |near| format!("did you mean {near}?"));
            format!("there is no claim {}; {hint}", clean_line(id))
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    claim: Vec<RawClaim>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawClaim {
    id: Spanned<String>,
    en: Spanned<String>,
    zh: Spanned<String>,
    stands: Spanned<String>,
    why: Option<Spanned<String>>,
    why_zh: Option<Spanned<String>>,
    untested: Option<Spanned<String>>,
    untested_zh: Option<Spanned<String>>,
    /// Its reason, and its test unless it has one of its own, are those of this claim.
    #[serde(rename = "as")]
    like: Option<Spanned<String>>,
    lesson: Option<String>,
    #[serde(default)]
    contradicts: Vec<Spanned<String>>,
    demo: Option<Spanned<String>>,
    #[serde(default)]
    params: BTreeMap<String, Spanned<toml::Value>>,
    #[serde(default)]
    needs: Conditions,
    #[serde(default)]
    holds_if: Conditions,
    #[serde(default)]
    fails_if: Conditions,
    #[serde(default)]
    show: Vec<Spanned<String>>,
}

type Conditions = BTreeMap<String, Spanned<toml::Value>>;

struct Reader<'r> {
    file: &'r str,
    text: &'r str,
    specs: &'r [&'static DemoSpec],
    found: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn wrong(&mut self, at: Range<usize>, what: String, remedy: String) {
        if self.found.len() >= read_limits::MESSAGES {
            return;
        }
        let before = self.text.get(..at.start).unwrap_or(self.text);
        let start = before.rfind('\n').map_or(0, |n| n + 1);
        let pos = Pos { line: before.matches('\n').count() + 1, column: before[start..].chars().count() + 1 };
        let inside = self.text.get(at).filter(|s| !s.contains('\n')).unwrap_or(" ");
        self.found.push(Diagnostic::error(self.file, (pos, inside.chars().count().max(1)), what).help(remedy));
    }

    fn claims(&mut self, raw: &Raw, ids: &ClaimIds) -> Vec<Claim> {
        let known: Vec<&str> = raw.claim.iter().map(|c| c.id.get_ref().as_str()).collect();
        for (i, claim) in raw.claim.iter().enumerate() {
            let id = claim.id.get_ref();
            if !ids.contains(id) {
                let near = nearest(id, ids.iter().map(|(id, _)| id));
                let remedy =
                    near.map_or("claims.toml lists the ids there are".into(), |n| format!("did you mean “{n}”?"));
                self.wrong(claim.id.span(), format!("there is no claim {id}"), remedy);
            }
            if known[..i].contains(&id.as_str()) {
                self.wrong(claim.id.span(), format!("claim {id} stands here twice"), "remove one".to_owned());
            }
            for other in &claim.contradicts {
                let back = raw.claim.iter().find(|c| c.id.get_ref() == other.get_ref());
                if !back.is_some_and(|c| c.contradicts.iter().any(|o| o.get_ref() == id)) {
                    let remedy = format!("write contradicts = [\"{id}\"] there too");
                    self.wrong(other.span(), format!("{} does not contradict {id} in turn", other.get_ref()), remedy);
                }
            }
        }
        let missing: Vec<&str> = ids.iter().map(|(id, _)| id).filter(|id| !known.contains(id)).collect();
        if let [first, rest @ ..] = missing.as_slice() {
            let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            let subject = ids.subject(first).unwrap_or_default();
            let what = format!("claim {first}, {subject},{more} is missing");
            self.wrong(0..1, what, format!("add a [[claim]] with id = \"{first}\""));
        }
        let mut claims: Vec<Claim> = raw.claim.iter().map(|claim| self.claim(raw, claim)).collect();
        claims.sort_by(|a, b| a.id.cmp(&b.id));
        claims
    }

    fn claim(&mut self, raw: &Raw, claim: &RawClaim) -> Claim {
        let like = claim.like.as_ref().and_then(|id| self.like(raw, claim, id));
        let stands = self.stands(&claim.stands);
        let said = |own: &Option<Spanned<String>>, theirs: fn(&RawClaim) -> &Option<Spanned<String>>| {
            own.as_ref().or_else(|| theirs(like?).as_ref()).map(|s| s.get_ref().clone())
        };
        let (why, why_zh) = (said(&claim.why, |c| &c.why), said(&claim.why_zh, |c| &c.why_zh));
        let untested = said(&claim.untested, |c| &c.untested);
        let untested_zh = said(&claim.untested_zh, |c| &c.untested_zh);
        if why.is_none() || why_zh.is_none() {
            let what = format!("claim {} does not say why, or not in both languages", claim.id.get_ref());
            self.wrong(claim.id.span(), what, "add why = \"..\" and why_zh = \"..\"".to_owned());
        }
        for text in [&claim.en, &claim.zh] {
            if text.get_ref().trim().is_empty() {
                self.wrong(text.span(), "a claim says something".to_owned(), "say it in our words".to_owned());
            }
        }
        let test = match (claim.demo.is_some(), like) {
            (true, _) => self.test(claim),
            (false, Some(like)) => self.test(like),
            (false, None) => self.no_test(claim),
        };
        // A test with a mistake is a test; the mistake is said where it stands.
        let tested = claim.demo.is_some() || like.is_some_and(|like| like.demo.is_some());
        self.answerable(claim, stands, tested, untested.is_some() && untested_zh.is_some());
        Claim {
            id: claim.id.get_ref().clone(),
            en: claim.en.get_ref().clone(),
            zh: claim.zh.get_ref().clone(),
            stands,
            why: why.unwrap_or_default(),
            why_zh: why_zh.unwrap_or_default(),
            lesson: claim.lesson.clone(),
            contradicts: claim.contradicts.iter().map(|id| id.get_ref().clone()).collect(),
            test: test.filter(|_| stands != Stands::NotTestable),
            untested: untested.unwrap_or_default(),
            untested_zh: untested_zh.unwrap_or_default(),
        }
    }

    /// A claim that could be so or not has a test, or says why it has none.
    fn answerable(&mut self, claim: &RawClaim, stands: Stands, tested: bool, excused: bool) {
        let id = claim.id.get_ref();
        let own = claim.untested.as_ref().or(claim.untested_zh.as_ref());
        if let (true, Some(own)) = (tested, own) {
            let what = format!("claim {id} has a test, and says why it has none");
            self.wrong(own.span(), what, "remove one of the two".to_owned());
        } else if !tested && !excused && stands != Stands::NotTestable {
            let what = format!("claim {id} has no test and does not say why, or not in both languages");
            let remedy = "add demo and holds_if; or untested = \"..\" and untested_zh = \"..\"";
            self.wrong(claim.id.span(), what, remedy.to_owned());
        }
    }

    fn like<'r>(&mut self, raw: &'r Raw, claim: &RawClaim, id: &Spanned<String>) -> Option<&'r RawClaim> {
        let like = raw.claim.iter().find(|other| other.id.get_ref() == id.get_ref());
        let wrong = match like {
            None => Some((format!("there is no claim {} here", id.get_ref()), "name one of this file")),
            Some(like) if like.like.is_some() || like.id.get_ref() == claim.id.get_ref() => {
                Some((format!("claim {} is itself as another", id.get_ref()), "name that other one"))
            }
            Some(_) => None,
        };
        if let Some((what, remedy)) = wrong {
            self.wrong(id.span(), what, remedy.to_owned());
            return None;
        }
        like
    }

    fn stands(&mut self, word: &Spanned<String>) -> Stands {
        let found = Stands::ALL.iter().find(|(name, _)| name == word.get_ref());
        if let Some((_, stands)) = found {
            return *stands;
        }
        let all: Vec<_> = Stands::ALL.iter().map(|(name, _)| *name).collect();
        self.wrong(
            word.span(),
            format!("a claim does not stand “{}”", word.get_ref()),
            format!("it is one of {}", all.join(", ")),
        );
        Stands::NotTestable
    }

    /// Of a claim without a demo nothing else of a test may be said.
    fn no_test(&mut self, claim: &RawClaim) -> Option<Test> {
        let conditions = claim.needs.values().chain(claim.holds_if.values()).chain(claim.fails_if.values());
        if let Some(value) = conditions.chain(claim.params.values()).next() {
            self.wrong(value.span(), "no demo is named that this is for".to_owned(), "add demo = \"..\"".to_owned());
        }
        None
    }

    fn test(&mut self, claim: &RawClaim) -> Option<Test> {
        let name = claim.demo.as_ref()?;
        let Some(spec) = self.specs.iter().find(|spec| spec.name == name.get_ref()).copied() else {
            let near = nearest(name.get_ref(), self.specs.iter().map(|spec| spec.name));
            let remedy =
                near.map_or("`forklore list` tells which there are".into(), |n| format!("did you mean “{n}”?"));
            self.wrong(name.span(), format!("there is no demo {}", name.get_ref()), remedy);
            return None;
        };
        if claim.holds_if.is_empty() {
            let what = format!("nothing says what {} has to come to", spec.name);
            self.wrong(name.span(), what, "add holds_if = { value = \"at least 1\" }".to_owned());
        }
        let params = self.params(spec, claim, name);
        let mut read = |conditions: &Conditions| -> Vec<Condition> {
            conditions.iter().filter_map(|(name, written)| self.condition(spec, name, written)).collect()
        };
        let (needs, holds, fails) = (read(&claim.needs), read(&claim.holds_if), read(&claim.fails_if));
        let show = claim.show.iter().filter_map(|name| match ValuePath::read(spec, name.get_ref()) {
            Ok(path) => Some(path),
            Err((what, remedy)) => {
                self.wrong(name.span(), what, remedy);
                None
            }
        });
        let show = show.collect();
        Some(Test { spec, params: params?, needs, holds, fails, show })
    }

    fn params(&mut self, spec: &'static DemoSpec, claim: &RawClaim, name: &Spanned<String>) -> Option<Params> {
        let mut values = Values::new();
        for (param, value) in &claim.params {
            values.insert(param.clone(), serde_json::to_value(value.get_ref()).unwrap_or_default());
        }
        match Params::from_values(spec, &values) {
            Ok(params) => Some(params),
            Err(errors) => {
                for error in errors {
                    let at = claim.params.get(&error.param).map_or_else(|| name.span(), Spanned::span);
                    let remedy = nearest(&error.param, spec.params.iter().map(|p| p.name))
                        .filter(|near| *near != error.param)
                        .map(|near| format!("did you mean “{near}”?"));
                    self.wrong(at, error.sentence, remedy.unwrap_or("`forklore list` tells what it takes".into()));
                }
                None
            }
        }
    }

    fn condition(&mut self, spec: &DemoSpec, name: &str, written: &Spanned<toml::Value>) -> Option<Condition> {
        let words = match written.get_ref() {
            toml::Value::String(words) => words.clone(),
            toml::Value::Boolean(yes) => if *yes { "yes" } else { "no" }.to_owned(),
            other => other.to_string(),
        };
        match Condition::read(spec, name, &words) {
            Ok(condition) => Some(condition),
            Err((what, remedy)) => {
                self.wrong(written.span(), what, remedy);
                None
            }
        }
    }
}
