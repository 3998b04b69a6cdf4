//! What a run says of a claim.

use super::{Claim, Condition, Ledger, Stands, Test};
use crate::fact::{DOUBT, INCONCLUSIVE, Values};
use serde_json::Value;

/// What a run came to: its values, or why there are none.
pub type Came = Result<Values, Fault>;

/// Why a run has no values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The machine refuses it: a sentence.
    Refused(String),
    /// It broke: a sentence.
    Broke(String),
}

impl Fault {
    /// The sentence.
    #[must_use]
    pub fn sentence(self) -> String {
        match self {
            Self::Refused(sentence) | Self::Broke(sentence) => sentence,
        }
    }
}

/// The language in which a verdict speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// English.
    En,
    /// Chinese.
    Zh,
}

impl Lang {
    /// By its code; English, where there is no other.
    #[must_use]
    pub fn of(code: &str) -> Self {
        if code == "zh" { Self::Zh } else { Self::En }
    }

    /// One of two texts.
    #[must_use]
    pub fn pick<'t>(self, en: &'t str, zh: &'t str) -> &'t str {
        match self {
            Self::En => en,
            Self::Zh => zh,
        }
    }
}

/// What the machine says of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It is so here.
    Holds,
    /// It is not so here.
    Fails,
    /// It is so here, and because Python is built as it mostly is.
    CpythonOnly,
    /// This machine, or this run, does not say.
    Inconclusive,
    /// It cannot be tested here.
    NotTestable,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Holds, Self::Fails, Self::CpythonOnly, Self::Inconclusive, Self::NotTestable];

    /// The word of the contract.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::CpythonOnly => "cpython-only",
            Self::Inconclusive => "inconclusive",
            Self::NotTestable => "not-testable",
        }
    }

    /// By its word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.word() == word)
    }

    /// In words.
    #[must_use]
    pub fn words(self, lang: Lang) -> &'static str {
        match self {
            Self::Holds => lang.pick("holds here", "在此成立"),
            Self::Fails => lang.pick("does not hold here", "在此不成立"),
            Self::CpythonOnly => lang.pick("holds only under the default CPython", "只在默认的 CPython 下成立"),
            Self::Inconclusive => lang.pick("inconclusive", "尚无定论"),
            Self::NotTestable => lang.pick("cannot be tested here", "无法在此检验"),
        }
    }
}

/// A verdict with its reasons.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why this verdict and no other; empty where the claim's own reason is all there is to say.
    pub because: String,
    /// What was measured and looked at, by name.
    pub measured: Values,
    /// The same as a learner reads it: name and value.
    pub shown: Vec<(String, String)>,
}

/// What `came`, the outcome of the claim's run, says of it; `came` is none where nothing was run for it.
#[must_use]
pub fn judge(claim: &Claim, came: Option<&Came>, lang: Lang) -> Judgement {
    let bare = |verdict, because: String| Judgement { verdict, because, measured: Values::new(), shown: Vec::new() };
    let Some(test) = &claim.test else {
        let because = lang.pick(&claim.untested, &claim.untested_zh);
        return bare(Verdict::NotTestable, because.to_owned());
    };
    let values = match came {
        Some(Ok(values)) => values,
        Some(Err(Fault::Refused(why))) => {
            return bare(
                Verdict::Inconclusive,
                format!("{}{why}", lang.pick("this machine refuses it: ", "这台机器拒绝了：")),
            );
        }
        Some(Err(Fault::Broke(why))) => {
            return bare(Verdict::Inconclusive, format!("{}{why}", lang.pick("the demo broke: ", "演示中断了：")));
        }
        None => return bare(Verdict::Inconclusive, lang.pick("it was not run", "没有运行").to_owned()),
    };
    let (verdict, because) = weigh(test, values, claim.stands, lang);
    let shown = test.shown();
    Judgement {
        verdict,
        because,
        measured: shown.iter().map(|path| (path.name().to_owned(), path.of(values))).collect(),
        shown: shown.iter().map(|path| (path.label(), path.show(test.spec, values))).collect(),
    }
}

fn weigh(test: &Test, values: &Values, stands: Stands, lang: Lang) -> (Verdict, String) {
    if let Some(needed) = test.needs.iter().find(|c| c.holds(values) != Some(true)) {
        return (Verdict::Inconclusive, undecided(test, needed, values, lang));
    }
    let against = match test.fails.as_slice() {
        [] => test.holds.iter().find(|c| c.holds(values) == Some(false)),
        fails => fails.iter().find(|c| c.holds(values) == Some(true)),
    };
    let open = test.holds.iter().find(|c| c.holds(values) != Some(true));
    match (open, against) {
        (None, None) if stands == Stands::Cpython => (Verdict::CpythonOnly, all_met(test, values, lang)),
        (None, None) => (Verdict::Holds, all_met(test, values, lang)),
        (Some(_), Some(against)) if test.fails.is_empty() => (Verdict::Fails, lacks(test, against, values, lang)),
        (Some(_), Some(against)) => (Verdict::Fails, met(test, against, values, lang)),
        // What holds and fails at once says nothing.
        (None, Some(against)) => (Verdict::Inconclusive, met(test, against, values, lang)),
        (Some(open), None) => {
            (Verdict::Inconclusive, lacks(test, open, values, lang) + &otherwise(test, open, values, lang))
        }
    }
}

fn all_met(test: &Test, values: &Values, lang: Lang) -> String {
    let all: Vec<_> = test.holds.iter().map(|c| met(test, c, values, lang)).collect();
    all.join(lang.pick(", ", "，"))
}

/// What was measured and is as asked: "survivors 5 (at least 1)".
fn met(test: &Test, condition: &Condition, values: &Values, lang: Lang) -> String {
    let value = condition.value.show(test.spec, values);
    let asked = asked(test, condition, values, lang);
    let name = condition.value.label();
    if asked.trim_matches(['[', ']']) == value {
        format!("{name} {value}")
    } else {
        format!("{name} {value} ({asked})")
    }
}

/// What was measured and is not as asked, or was not measured: "survivors 0; it would take at least 1".
fn lacks(test: &Test, condition: &Condition, values: &Values, lang: Lang) -> String {
    measured(test, condition, values, lang)
        + lang.pick("; it would take ", "；要成立得是 ")
        + &asked(test, condition, values, lang)
}

/// What the contrary would have taken, where that is more than that the claim does not hold: between the two nothing is said.
fn otherwise(test: &Test, open: &Condition, values: &Values, lang: Lang) -> String {
    let against = test.fails.first().filter(|_| !open.value.of(values).is_null());
    against.map_or_else(String::new, |against| {
        let asked = asked(test, against, values, lang);
        format!("{}{} {asked}", lang.pick("; for the contrary, ", "；要不成立，得是 "), against.value.label())
    })
}

fn measured(test: &Test, condition: &Condition, values: &Values, lang: Lang) -> String {
    let name = condition.value.label();
    match condition.value.of(values) {
        Value::Null => format!("{name} {}", lang.pick("was not measured", "没有测到")),
        _ => format!("{name} {}", condition.value.show(test.spec, values)),
    }
}

/// Why a run says nothing: its own doubt, where it tells one; or what it needs and was not so.
fn undecided(test: &Test, needed: &Condition, values: &Values, lang: Lang) -> String {
    let word = |name: &str| values.get(name).and_then(Value::as_str);
    let (name, says) = (needed.value.label(), needed.value.of(values));
    // A number that falls short says why by itself.
    if let Some(doubt) = word(DOUBT.name).filter(|_| !says.is_number()) {
        return doubt.to_owned();
    }
    if says.as_str() != Some(INCONCLUSIVE) {
        return measured(test, needed, values, lang)
            + lang.pick("; to say anything, the run needs ", "；这次运行要说明问题，得是 ")
            + &asked(test, needed, values, lang);
    }
    let noise = word("noise").filter(|noise| *noise != "none");
    let rounds = lang.pick("its rounds do not decide", "各轮不能决定");
    format!("{name} {}: {}", Verdict::Inconclusive.words(lang), noise.unwrap_or(rounds))
}

/// "at least 1", "over right, 3"
fn asked(test: &Test, condition: &Condition, values: &Values, lang: Lang) -> String {
    let others = condition.looks_at().skip(1).map(|other| match other.of(values) {
        Value::Null => lang.pick(", which was not measured", "，它没有测到").to_owned(),
        _ => format!("{}{}", lang.pick(", ", "，"), other.show(test.spec, values)),
    });
    wanted(&condition.written, lang) + &others.collect::<String>()
}

/// What is wanted, its first words in the language that is spoken.
fn wanted(written: &str, lang: Lang) -> String {
    const ZH: [(&str, &str); 6] = [
        ("at least ", "至少 "),
        ("at most ", "至多 "),
        ("over ", "超过 "),
        ("under ", "低于 "),
        ("same as ", "等于 "),
        ("not ", "不是 "),
    ];
    let side = ZH.iter().find_map(|(en, zh)| written.strip_prefix(en).map(|rest| format!("{zh}{rest}")));
    side.filter(|_| lang == Lang::Zh).unwrap_or_else(|| written.to_owned())
}

/// Of two claims that contradict each other, the one that the machine sides with: it holds and the other fails.
#[must_use]
pub fn sides_with<'l>(ledger: &'l Ledger, one: (&str, Verdict), other: (&str, Verdict)) -> Option<&'l Claim> {
    let holds = |verdict| matches!(verdict, Verdict::Holds | Verdict::CpythonOnly);
    let id = match (one.1, other.1) {
        (Verdict::Fails, v) if holds(v) => other.0,
        (v, Verdict::Fails) if holds(v) => one.0,
        _ => return None,
    };
    ledger.find(id).ok()
}

/// Whether `sentence` speaks of the value called `name`, and not only of one whose name it is a part of.
#[must_use]
pub fn names(sentence: &str, name: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    sentence.match_indices(name).any(|(at, _)| {
        let (before, after) = (&sentence[..at], &sentence[at + name.len()..]);
        !before.ends_with(part) && !after.starts_with(part)
    })
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_value_is_named_by_its_whole_name() {
        for (sentence, name, right) in [
            ("most_share 90.2 % (over 80 %)", "share", false),
            ("most_share 90.2 % (over 80 %)", "most_share", true),
            ("left 4; it would take over right, 4", "right", true),
            ("shm.latency_ns 2.15 µs (over 0)", "shm", false),
            ("parent_value 10 (不是 child_value，99)", "child_value", true),
        ] {
            assert_eq!(names(sentence, name), right, "{name} in {sentence}");
        }
    }
}
