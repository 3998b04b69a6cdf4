//! The chosen claim: the sentence, what the learner says, and then what the machine says and why.

use super::super::panel::panel;
use super::super::put::{put_line, put_right};
use super::super::text::{Piece, wrap};
use super::super::theme::Role;
use super::super::{Extent, View};
use crate::fact::{clean_line, thousands};
use crate::lore::{Claim, Verdict, sides_with};
use crate::tour::{Page, Side, Standing, Told};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// Lines longer than this tire the eye.
const MEASURE: u16 = 76;

/// The three answers: key, what it says in English and in Chinese.
const ANSWERS: [(&str, Option<bool>, &str, &str); 3] = [
    ("y", Some(true), "it is so", "是这样"),
    ("n", Some(false), "it is not so", "不是这样"),
    ("d", None, "I cannot say", "我说不好"),
];

/// The claim as lines, and on which of them the three answers stand, while they are asked for.
#[derive(Debug, Default)]
struct Words {
    lines: Vec<Line<'static>>,
    answers: Option<usize>,
    wide: usize,
}

impl Words {
    fn add(&mut self, pieces: &[Piece]) {
        self.lines.extend(wrap(pieces, self.wide));
    }

    fn gap(&mut self) {
        self.lines.push(Line::default());
    }
}

impl View<'_> {
    pub(super) fn claim(&self, page: &Page, area: Rect, buf: &mut Buffer) -> Extent {
        if area.width == 0 || area.height == 0 {
            return Extent { text: usize::MAX, scroll: page.scroll, ..Extent::default() };
        }
        let chosen = self.tour.chosen_claim();
        let title = chosen.map_or_else(String::new, |(_, claim)| claim.id.clone());
        let lesson = chosen.and_then(|(n, _)| self.lesson_of(n)).unwrap_or_default();
        let inner = panel(self.theme, &title, &lesson, page.side == Side::Claim, area, buf);
        let inner = Rect { width: inner.width.min(MEASURE), ..inner };
        let Some((n, claim)) = chosen else { return Extent::default() };
        let words = self.words_of(n, claim, inner.width);
        let beyond = words.lines.len().saturating_sub(inner.height.into());
        let scroll = page.scroll.min(beyond);
        for (y, line) in (0..inner.height).zip(words.lines.iter().skip(scroll)) {
            put_line(buf, inner, 0, y, line);
        }
        if scroll < beyond {
            let words = format!(" ↓ {} more ", beyond - scroll);
            put_right(buf, area, area.width.saturating_sub(2), area.height - 1, &words, self.theme.style(Role::Accent));
        }
        Extent { text: beyond, scroll, ..Extent::default() }
    }

    fn words_of(&self, n: usize, claim: &Claim, width: u16) -> Words {
        let mut words = Words { wide: width.into(), ..Words::default() };
        words.add(&[self.piece(Role::Strong, self.sentence(claim))]);
        words.gap();
        let standing = self.tour.standing(claim);
        let told = self.tour.told(claim);
        if standing == Standing::NotSaid {
            self.ask(&mut words);
            words.gap();
            self.before(n, told.as_ref(), &mut words);
            return words;
        }
        self.believed(claim, &mut words);
        match &told {
            None => {
                let untested = self
                    .pick("Not tested on this machine yet: space tests it.", "还没有在这台机器上检验：按空格检验。");
                words.add(&[self.piece(Role::Accent, untested)]);
            }
            Some(told) => self.verdict_of(told, standing, &mut words),
        }
        words.gap();
        if told.is_some() {
            words.add(&[self.piece(Role::Text, claim.in_general(self.tour.claims.lang))]);
            for (n, other) in claim.contradicts.iter().enumerate() {
                self.contrary(claim, (n, other), told.as_ref(), &mut words);
            }
            words.gap();
        }
        self.run_line(n, &mut words);
        self.reading(n, &mut words);
        words
    }

    /// What one is asked, and the three answers.
    fn ask(&self, words: &mut Words) {
        words.add(&[self.piece(Role::Strong, self.pick("What do you say?", "你怎么说？"))]);
        words.answers = Some(words.lines.len());
        for (key, _, en, zh) in ANSWERS {
            words.add(&[self.piece(Role::Key, format!("  {key}  ")), self.piece(Role::Text, self.pick(en, zh))]);
        }
    }

    /// Before the learner has said something no verdict is told.
    fn before(&self, n: usize, told: Option<&Told>, words: &mut Words) {
        let sentence = match told {
            Some(told) if told.verdict == Verdict::NotTestable => self.pick(
                "No run could answer this one. Say first, then it is told why.",
                "没有哪次运行能回答它。先说，再告诉你为什么。",
            ),
            Some(_) => self.pick(
                "The machine has answered. Say first, then its verdict is told.",
                "机器已经回答。先说，再告诉你。",
            ),
            None => self.pick("Say first; then space asks your machine.", "先说，再按空格问你的机器。"),
        };
        words.add(&[self.piece(Role::Dim, sentence)]);
        self.run_line(n, words);
        self.reading(n, words);
    }

    fn believed(&self, claim: &Claim, words: &mut Words) {
        let so = self.tour.recall.beliefs.get(&claim.id).copied().flatten();
        let answer = ANSWERS.iter().find(|(_, answer, ..)| *answer == so);
        let answer = answer.map_or("", |(_, _, en, zh)| self.pick(en, zh));
        let (says, more) = if self.tour.settled(claim) {
            (self.pick("You said: ", "你说过："), self.pick(".", "。"))
        } else {
            (self.pick("You say: ", "你说："), self.pick(".  (y n d say otherwise)", "。  （y n d 可改）"))
        };
        words.add(&[self.piece(Role::Dim, says), self.piece(Role::Strong, answer), self.piece(Role::Dim, more)]);
    }

    fn verdict_of(&self, told: &Told, standing: Standing, words: &mut Words) {
        let lang = self.tour.claims.lang;
        let (sign, role, as_you) = match standing {
            Standing::Agree => ("= ", Role::Good, self.pick(", as you say", "，和你说的一样")),
            Standing::Differ => ("≠ ", Role::Warning, self.pick(", not as you say", "，和你说的不一样")),
            _ => ("~ ", Role::Accent, ""),
        };
        let verdict =
            format!("{sign}{}{}{as_you}{}", self.pick("The machine: ", "机器："), told.verdict.words(lang), stop(self));
        words.add(&[self.piece(role, verdict)]);
        if let Some(elsewhere) = &told.elsewhere {
            let (was, test) = (
                self.pick("It was another machine: ", "那是另一台机器："),
                self.pick(" Space tests it on this one.", "按空格在这台上检验。"),
            );
            words.add(&[self.piece(Role::Warning, format!("{was}{elsewhere}{}{test}", stop(self)))]);
        }
        if !told.because.is_empty() {
            let because = format!("{}{}{}", self.pick("Because: ", "因为："), told.because, stop(self));
            words.add(&[self.piece(Role::Text, because)]);
        }
        let others = told.shown.iter().filter(|(name, _)| !told.because.contains(name.as_str()));
        let others: Vec<_> = others.map(|(name, value)| format!("{name} {value}")).collect();
        if !others.is_empty() {
            let others = others.join(self.pick(", ", "，"));
            let others = format!("{}{others}{}", self.pick("Measured too: ", "另测得："), stop(self));
            words.add(&[self.piece(Role::Dim, others)]);
        }
    }

    /// The claim that says the contrary, and with which of the two the machine sides.
    fn contrary(&self, claim: &Claim, (n, other): (usize, &str), told: Option<&Told>, words: &mut Words) {
        let Ok(other) = self.tour.claims.ledger().find(other) else { return };
        words.gap();
        words.add(&[
            self.piece(Role::Dim, format!("{}{} ", self.pick("To the contrary, ", "相反的说法，"), other.id)),
            self.piece(Role::Text, self.sentence(other)),
            self.piece(Role::Key, if n == 0 { "  c" } else { "" }),
        ]);
        let verdicts = (told.map(|told| told.verdict), self.tour.told(other).map(|told| told.verdict));
        let sides = match verdicts {
            (Some(a), Some(b)) => match sides_with(self.tour.claims.ledger(), (&claim.id, a), (&other.id, b)) {
                Some(with) => {
                    format!("{}{}{}", self.pick("The machine sides with ", "机器站在这一边："), with.id, stop(self))
                }
                None if [a, b].iter().any(|v| matches!(v, Verdict::Inconclusive | Verdict::NotTestable)) => {
                    self.pick("The machine does not say which is right.", "机器没有说谁对。").to_owned()
                }
                None => self.pick("The machine sides with neither.", "机器不站在任何一边。").to_owned(),
            },
            _ => self.pick("That one is not tested yet.", "那一条还没有检验。").to_owned(),
        };
        words.add(&[self.piece(Role::Accent, sides)]);
    }

    /// What is run for the claim.
    fn run_line(&self, n: usize, words: &mut Words) {
        let Some(batch) = self.tour.claims.batch_of(n) else { return };
        let given = batch.given();
        let given: Vec<_> = given.iter().map(|(name, value)| format!("{name} = {}", word(value))).collect();
        let what = [vec![batch.spec.name.to_owned()], given].concat().join(", ");
        let answers = match batch.claims.len() {
            1 => String::new(),
            n => {
                format!("{}{}{}", self.pick("; answers ", "；回答 "), thousands(n as u64), self.pick(" claims", " 条"))
            }
        };
        let action =
            match self.tour.watch().filter(|_| self.tour.page().is_some_and(|page| page.answers().contains(&n))) {
                Some(watch) if watch.running => self.pick("it runs; space ends it", "正在运行；空格结束"),
                _ => self.pick("space runs it", "空格运行"),
            };
        words.add(&[
            self.piece(Role::Accent, "▶ "),
            self.piece(Role::Code, what),
            self.piece(Role::Dim, format!(": {action}{answers}{}", stop(self))),
        ]);
    }

    fn reading(&self, n: usize, words: &mut Words) {
        let Some(lesson) = self.lesson_of(n) else { return };
        words.add(&[
            self.piece(Role::Dim, self.pick("Read: ", "课文：")),
            self.piece(Role::Text, lesson),
            self.piece(Role::Dim, self.pick(" (enter)", "（enter）")),
        ]);
    }

    /// Lesson and step that take the claim up: "9 Starting and ending, step 3".
    fn lesson_of(&self, n: usize) -> Option<String> {
        let place = self.tour.claims.place(n)?;
        let lesson = self.tour.lessons.get(place.lesson?)?;
        let step = place.step.map_or_else(String::new, |step| {
            let (en, zh) = (format!(", step {}", step + 1), format!("，第 {} 步", step + 1));
            self.pick(&en, &zh).to_owned()
        });
        Some(format!("{} {}{step}", lesson.number, clean_line(&lesson.title)))
    }

    /// Which of the three answers stands in row `y` of the screen.
    pub(super) fn answer_at(&self, page: &Page, inner: Rect, y: u16) -> Option<usize> {
        let (n, claim) = self.tour.chosen_claim()?;
        let words = self.words_of(n, claim, inner.width.min(MEASURE));
        let scroll = page.scroll.min(words.lines.len().saturating_sub(inner.height.into()));
        let line = usize::from(y.checked_sub(inner.y)?) + scroll;
        line.checked_sub(words.answers?).filter(|at| *at < ANSWERS.len())
    }

    fn sentence(&self, claim: &Claim) -> String {
        clean_line(self.pick(&claim.en, &claim.zh))
    }

    fn pick<'t>(&self, en: &'t str, zh: &'t str) -> &'t str {
        self.tour.claims.lang.pick(en, zh)
    }

    fn piece(&self, role: Role, words: impl AsRef<str>) -> Piece {
        Piece::new(clean_line(words.as_ref()), self.theme.style(role))
    }
}

/// The end of a sentence.
fn stop(view: &View<'_>) -> &'static str {
    view.pick(".", "。")
}

/// A parameter's value as it is written.
fn word(value: &serde_json::Value) -> String {
    crate::fact::ReturnKind::Word.show(value)
}
