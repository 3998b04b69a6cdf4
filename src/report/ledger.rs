//! What is true here: verdicts counted, what the learner believed beside them, claims that contradict each other, and every
//! claim with its reason.

use super::chart::Counts;
use super::document::{Block, Column, Entry, Figure, Section, Table, Text};
use super::sources::Sources;
use crate::fact::clean_line;
use crate::lore::{Claim, Lang, Verdict, names, sides_with};
use crate::progress::{Answer, Belief};

/// How a belief compares with what the machine says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Against {
    Agrees,
    Disagrees,
    /// The learner or the machine does not say.
    Open,
}

impl Against {
    fn of(belief: &Belief, verdict: Option<Verdict>) -> Self {
        match (belief.so, verdict) {
            (Some(so), Some(Verdict::Holds | Verdict::CpythonOnly)) if so => Self::Agrees,
            (Some(so), Some(Verdict::Fails)) if !so => Self::Agrees,
            (Some(_), Some(Verdict::Holds | Verdict::CpythonOnly | Verdict::Fails)) => Self::Disagrees,
            _ => Self::Open,
        }
    }

    fn words(self, lang: Lang) -> &'static str {
        match self {
            Self::Agrees => lang.pick("✓ agrees with the machine", "✓ 与机器一致"),
            Self::Disagrees => lang.pick("✗ the machine says otherwise", "✗ 机器的说法不同"),
            Self::Open => lang.pick("– open", "– 未定"),
        }
    }
}

/// The verdict in a word of the contract; none if a later version has another.
fn verdict(answer: &Answer) -> Option<Verdict> {
    Verdict::of(&answer.verdict)
}

fn word(sources: &Sources, answer: &Answer) -> String {
    verdict(answer).map_or_else(|| clean_line(&answer.verdict), |verdict| verdict.words(sources.lang).to_owned())
}

/// How many claims came out how, in the order of the verdicts; what is no verdict of ours is not among them.
pub(super) fn counts(sources: &Sources) -> Vec<(Verdict, usize)> {
    let of = |wanted| sources.results.answers.values().filter(|answer| verdict(answer) == Some(wanted)).count();
    Verdict::ALL.into_iter().map(|verdict| (verdict, of(verdict))).collect()
}

/// Beliefs that agree with the machine, that do not, and that are open.
pub(super) fn beliefs(sources: &Sources) -> [usize; 3] {
    let results = sources.results;
    let of = |wanted| {
        let against = |(id, belief)| Against::of(belief, results.answers.get(id).and_then(verdict));
        results.beliefs.iter().map(against).filter(|one| *one == wanted).count()
    };
    [of(Against::Agrees), of(Against::Disagrees), of(Against::Open)]
}

/// The ledger in its parts; nothing if nothing was tested or believed.
pub(super) fn sections(sources: &Sources) -> Vec<Section> {
    if sources.results.answers.is_empty() && sources.results.beliefs.is_empty() {
        return Vec::new();
    }
    let mut sections = vec![counted(sources)];
    sections.extend(believed(sources));
    sections.extend(contradictions(sources));
    sections.extend(claims(sources));
    sections
}

fn counted(sources: &Sources) -> Section {
    let mut section = Section::new("ledger", 2, sources.pick("What is true here", "在这里什么成立"));
    let (answers, all) = (sources.results.answers.len(), sources.ledger.claims().len());
    section.say(match sources.lang {
        Lang::En => {
            format!("The ledger has {all} claims; {answers} have a verdict here. Each verdict is of one machine and one run.")
        }
        Lang::Zh => format!("账本有 {all} 条说法，其中 {answers} 条在这里有了结论。每条结论只属于一台机器和一次运行。"),
    });
    let parts: Vec<_> =
        counts(sources).into_iter().map(|(verdict, n)| (verdict.words(sources.lang).to_owned(), n)).collect();
    let table = super::counted(sources.pick("verdict", "结论"), sources.pick("claims", "说法"), &parts);
    if let Some(chart) = Counts::chart(sources.pick("Verdicts", "结论"), parts) {
        section.blocks.push(Block::Figure(Box::new(Figure { chart, table })));
    }
    section
}

fn believed(sources: &Sources) -> Option<Section> {
    if sources.results.beliefs.is_empty() {
        return None;
    }
    let mut section = Section::new("beliefs", 3, sources.pick("Believed and measured", "所信与所测"));
    let [agrees, disagrees, open] = beliefs(sources);
    section.say(match sources.lang {
        Lang::En => format!(
            "What the learner believed before: {agrees} agree with the machine, {disagrees} do not, {open} are open."
        ),
        Lang::Zh => format!("学习者先前所信：{agrees} 条与机器一致，{disagrees} 条不一致，{open} 条未定。"),
    });
    let pick = |en, zh| sources.pick(en, zh);
    let mut table = Table::new(vec![
        Column::words(pick("claim", "说法")),
        Column::words(""),
        Column::words(pick("the learner said", "学习者说")),
        Column::words(pick("the machine says", "机器说")),
    ]);
    for (id, belief) in &sources.results.beliefs {
        let Some(answer) = sources.results.answers.get(id) else { continue };
        if Against::of(belief, verdict(answer)) == Against::Disagrees {
            let claim = sources.ledger.find(id).map(|claim| spoken(sources, claim)).unwrap_or_default();
            table.row(vec![id.into(), claim.into(), said(sources, belief).into(), word(sources, answer).into()]);
        }
    }
    if !table.rows.is_empty() {
        let caption = pick("Where the machine says otherwise:", "机器说法不同之处：");
        section.blocks.push(Block::Table(table.called(caption.into())));
    }
    Some(section)
}

fn said(sources: &Sources, belief: &Belief) -> &'static str {
    match belief.so {
        Some(true) => sources.lang.pick("it is so", "是这样"),
        Some(false) => sources.lang.pick("it is not so", "不是这样"),
        None => sources.lang.pick("cannot say", "说不准"),
    }
}

/// Claims that say the contrary of each other, both with a verdict, and which one the machine takes.
fn contradictions(sources: &Sources) -> Option<Section> {
    let mut section = Section::new("contradictions", 3, sources.pick("Claims against each other", "互相矛盾的说法"));
    let answered = |claim: &Claim| sources.results.answers.get(&claim.id).and_then(verdict);
    let mut entries = Vec::new();
    for one in sources.ledger.claims() {
        for other in one.contradicts.iter().filter(|other| one.id <= **other) {
            let Ok(other) = sources.ledger.find(other) else { continue };
            let Some((a, b)) = answered(one).zip(answered(other)) else { continue };
            entries.push(if one.id == other.id {
                itself(sources, one)
            } else {
                against(sources, (one, a), (other, b))
            });
        }
    }
    (!entries.is_empty()).then(|| {
        section.blocks.push(Block::Entries(entries));
        section
    })
}

/// Two claims, and the one that the machine takes.
fn against(sources: &Sources, (one, a): (&Claim, Verdict), (other, b): (&Claim, Verdict)) -> Entry {
    let side = sides_with(sources.ledger, (&one.id, a), (&other.id, b));
    let word = side.map_or_else(
        || sources.pick("The machine takes neither side.", "机器不站在任何一边。").to_owned(),
        |claim| match sources.lang {
            Lang::En => format!("The machine sides with {}.", claim.id),
            Lang::Zh => format!("机器站在 {} 一边。", claim.id),
        },
    );
    Entry {
        mark: one.id.clone(),
        said: Text::new().marked(spoken(sources, one)),
        word: Text::new().strong(word),
        lines: vec![Text::new().strong(&other.id).plain(" ").marked(spoken(sources, other))],
    }
}

/// A claim that says two things which cannot both be so.
fn itself(sources: &Sources, claim: &Claim) -> Entry {
    Entry {
        mark: claim.id.clone(),
        said: Text::new().marked(spoken(sources, claim)),
        word: Text::new().strong(sources.pick("It contradicts itself.", "它自相矛盾。")),
        lines: vec![Text::new().marked(sources.pick(&claim.why, &claim.why_zh))],
    }
}

fn spoken<'c>(sources: &Sources, claim: &'c Claim) -> &'c str {
    sources.lang.pick(&claim.en, &claim.zh)
}

/// Every claim with a verdict, by verdict; those of a verdict that is not known last.
fn claims(sources: &Sources) -> Vec<Section> {
    let kinds = Verdict::ALL.into_iter().map(Some).chain([None]);
    let sections = kinds.filter_map(|kind| {
        let answers = sources.results.answers.iter().filter(|(_, answer)| verdict(answer) == kind);
        let entries: Vec<_> = answers.map(|(id, answer)| entry(sources, id, answer)).collect();
        if entries.is_empty() {
            return None;
        }
        let id = format!("verdict-{}", kind.map_or("other", Verdict::word));
        let name = kind.map_or_else(|| sources.pick("other verdicts", "其他结论"), |kind| kind.words(sources.lang));
        let mut section = Section::new(id, 3, format!("{} ({})", super::capital(name), entries.len()));
        section.blocks.push(Block::Entries(entries));
        Some(section)
    });
    sections.collect()
}

fn entry(sources: &Sources, id: &str, answer: &Answer) -> Entry {
    let pick = |en, zh| sources.pick(en, zh);
    let stop = pick(".", "。");
    let claim = sources.ledger.find(id).ok();
    let said = claim.map_or_else(
        || pick("(this forklore's ledger has no such claim)", "（这个版本的账本没有这条说法）"),
        |claim| spoken(sources, claim),
    );
    let because =
        if answer.because.is_empty() { String::new() } else { format!("{}{}", pick(": ", "："), answer.because) };
    let word = Text::new().strong(word(sources, answer)).marked(&because).plain(stop);
    let mut lines = Vec::new();
    // What the reason says already is not said again.
    let shown = answer.shown.iter().filter(|(name, _)| !names(&answer.because, name));
    let shown: Vec<_> = shown.map(|(name, value)| format!("{name} {value}")).collect();
    if !shown.is_empty() {
        lines.push(format!("{}{}{stop}", pick("Measured too: ", "另测得："), shown.join(pick(", ", "，"))).into());
    }
    if let Some(claim) = claim {
        lines.push(Text::new().marked(&claim.in_general(sources.lang)));
    }
    if let Some(belief) = sources.results.beliefs.get(id) {
        let against = Against::of(belief, verdict(answer)).words(sources.lang);
        let text = format!(
            "{}{}{}{against}",
            pick("The learner said: ", "学习者说："),
            self::said(sources, belief),
            pick("; ", "；")
        );
        lines.push(text.into());
    }
    let stamp = Text::from(sources.stamp(answer.when, &answer.host)).plain(stop);
    lines.push(match claim.and_then(|claim| place(sources, claim)) {
        Some(place) => stamp.plain(pick(" Read: ", "课文：")).code(format!("forklore {place}")),
        None => stamp,
    });
    Entry { mark: clean_line(id), said: Text::new().marked(said), word, lines }
}

/// The lesson, and its step counted from 1, that takes up a claim, as it is opened.
fn place(sources: &Sources, claim: &Claim) -> Option<String> {
    let mut lessons = sources.library.lessons().filter(|lesson| lesson.claims.contains(&claim.id));
    let lesson = match &claim.lesson {
        Some(id) => lessons.find(|lesson| lesson.id == *id)?,
        None => lessons.next()?,
    };
    let step = lesson.steps.iter().position(|step| step.claims.contains(&claim.id));
    Some(step.map_or_else(|| lesson.id.clone(), |n| format!("{}:{}", lesson.id, n + 1)))
}
