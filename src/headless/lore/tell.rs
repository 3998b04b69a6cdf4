//! Claims with their verdicts, as words for 80 columns or as JSON Lines.

use super::super::tell;
use super::super::words::{count, fold};
use super::place;
use crate::fact::{DemoSpec, Params, clean_line};
use crate::lesson::Library;
use crate::lore::{Came, Claim, Judgement, Lang, Ledger, Verdict, judge, names, sides_with};
use serde_json::json;
use std::collections::BTreeMap;

/// What a run is worth telling.
pub(super) struct Told {
    pub(super) lines: Vec<String>,
    pub(super) judged: Vec<(String, Judgement)>,
}

/// How claims are told.
pub(super) struct Voice<'v> {
    pub(super) ledger: &'v Ledger,
    pub(super) library: &'v Library,
    pub(super) lang: Lang,
    pub(super) json: bool,
}

impl Voice<'_> {
    /// The claims that one run answers, or those that none does.
    pub(super) fn group(
        &self,
        run: Option<&(&'static DemoSpec, Params)>,
        claims: &[&Claim],
        came: Option<&Came>,
    ) -> Told {
        let judged: Vec<_> = claims.iter().map(|claim| (*claim, judge(claim, came, self.lang))).collect();
        let lines = if self.json {
            judged.iter().map(|(claim, judged)| self.line(claim, judged)).collect()
        } else {
            let mut lines = vec![self.heading(run)];
            lines.extend(judged.iter().flat_map(|(claim, judged)| self.words(claim, judged)));
            lines.push(String::new());
            lines
        };
        Told { lines, judged: judged.into_iter().map(|(claim, judged)| (claim.id.clone(), judged)).collect() }
    }

    fn heading(&self, run: Option<&(&'static DemoSpec, Params)>) -> String {
        match run {
            Some((spec, params)) => format!("{} {}", spec.name, tell::params(params.values())).trim_end().to_owned(),
            None => self.lang.pick("without a run", "没有运行").to_owned(),
        }
    }

    fn words(&self, claim: &Claim, judged: &Judgement) -> Vec<String> {
        let (verdict, stop) = (judged.verdict.words(self.lang), self.lang.pick(".", "。"));
        let mut lines = fold(&format!("  {}  ", claim.id), &clean_line(self.claim(claim)));
        let mut say = |text: &str| lines.extend(fold("          ", &clean_line(text)));
        match judged.because.as_str() {
            "" => say(&format!("{verdict}{stop}")),
            because => say(&format!("{verdict}{}{because}{stop}", self.lang.pick(": ", "："))),
        }
        let said: Vec<_> = judged.shown.iter().filter(|(name, _)| !names(&judged.because, name)).collect();
        if !said.is_empty() {
            let values: Vec<_> = said.iter().map(|(name, value)| format!("{name} {value}")).collect();
            let values = values.join(self.lang.pick(", ", "，"));
            say(&format!("{}{values}{stop}", self.lang.pick("Measured too: ", "另测得：")));
        }
        say(&claim.in_general(self.lang));
        if let Some((lesson, step)) = place(self.library, claim) {
            let step = step.map(|n| format!(":{n}")).unwrap_or_default();
            say(&format!("{}forklore {lesson}{step}", self.lang.pick("Read: ", "课文：")));
        }
        lines
    }

    fn claim<'c>(&self, claim: &'c Claim) -> &'c str {
        self.lang.pick(&claim.en, &claim.zh)
    }

    /// The object of the contract; its keys in the order of the contract, which a map would lose.
    fn line(&self, claim: &Claim, judged: &Judgement) -> String {
        let why = self.lang.pick(&claim.why, &claim.why_zh);
        let why = match judged.because.as_str() {
            "" => why.to_owned(),
            because => format!("{because}{}{why}", self.lang.pick(". ", "。")),
        };
        let fields = [
            ("id", json!(claim.id)),
            ("claim", json!(clean_line(self.claim(claim)))),
            ("stands", json!(claim.stands.word())),
            ("verdict", json!(judged.verdict.word())),
            ("why", json!(clean_line(&why))),
            ("demo", json!(claim.test.as_ref().map(|test| test.spec.name))),
            ("measured", json!(judged.measured)),
            ("lesson", json!(place(self.library, claim).map(|(lesson, _)| clean_line(lesson)))),
        ];
        let fields: Vec<_> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", fields.join(","))
    }

    /// What it adds up to, and where claims contradict each other. Nothing in JSON, where a line is a claim.
    pub(super) fn conclusion(
        &self,
        claims: &[&Claim],
        verdicts: &BTreeMap<String, Verdict>,
        broken_off: bool,
    ) -> Vec<String> {
        if self.json {
            return Vec::new();
        }
        let mut lines = Vec::new();
        for claim in claims {
            for other in claim.contradicts.iter().filter(|other| claim.id <= **other) {
                lines.extend(self.contradiction(claim, other, verdicts));
            }
        }
        if !lines.is_empty() {
            lines.insert(0, self.lang.pick("claims that contradict each other", "互相矛盾的说法").to_owned());
            lines.push(String::new());
        }
        let of = |verdict| verdicts.values().filter(|v| **v == verdict).count();
        let counts: Vec<_> = Verdict::ALL
            .iter()
            .filter(|v| of(**v) > 0)
            .map(|v| format!("{}{}{}", v.words(self.lang), self.lang.pick(" ", "："), of(*v)))
            .collect();
        let judged = match self.lang {
            Lang::En => count(verdicts.len(), "claim"),
            Lang::Zh => format!("{} 条说法", verdicts.len()),
        };
        lines.extend(fold(
            "",
            &format!("{judged}{}{}", self.lang.pick(": ", "："), counts.join(self.lang.pick(", ", "，"))),
        ));
        if broken_off {
            let left = claims.len().saturating_sub(verdicts.len());
            lines.push(match self.lang {
                Lang::En => format!("broken off; {} not reached", count(left, "claim")),
                Lang::Zh => format!("被中断；还有 {left} 条没有轮到"),
            });
        }
        lines
    }

    fn contradiction(&self, claim: &Claim, other: &str, verdicts: &BTreeMap<String, Verdict>) -> Vec<String> {
        let Ok(other) = self.ledger.find(other) else { return Vec::new() };
        let (Some(a), Some(b)) = (verdicts.get(&claim.id), verdicts.get(&other.id)) else { return Vec::new() };
        let say = |claim: &Claim, verdict: &Verdict| {
            let said = format!("{} ({})", clean_line(self.claim(claim)), verdict.words(self.lang));
            fold(&format!("  {}  ", claim.id), &said)
        };
        let mut lines = say(claim, a);
        if claim.id == other.id {
            let why = clean_line(self.lang.pick(&claim.why, &claim.why_zh));
            let both = self.lang.pick("It contradicts itself. ", "它自相矛盾。");
            lines.extend(fold("          ", &format!("{both}{why}")));
            return lines;
        }
        lines.extend(say(other, b));
        let sides = match sides_with(self.ledger, (&claim.id, *a), (&other.id, *b)) {
            Some(with) => format!("{}{}", self.lang.pick("The machine sides with ", "机器站在这一边："), with.id),
            None if [a, b].iter().any(|v| matches!(v, Verdict::Inconclusive | Verdict::NotTestable)) => {
                self.lang.pick("The machine does not say which is right", "机器没有说谁对").to_owned()
            }
            None => self.lang.pick("The machine sides with neither", "机器不站在任何一边").to_owned(),
        };
        lines.extend(fold("          ", &sides));
        lines
    }
}
