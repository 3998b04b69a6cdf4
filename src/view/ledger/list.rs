//! The list of claims: what is said, what the learner says of it, and what the machine says.

use super::super::View;
use super::super::panel::panel;
use super::super::put::{cut, paint, put};
use super::super::text::{Piece, wrap};
use super::super::theme::Role;
use super::run_of;
use crate::fact::clean_line;
use crate::lore::{Claim, Lang, Verdict};
use crate::tour::{Page, Score, Standing};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// A row of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    /// The lesson that takes up what follows; none if no lesson does.
    Lesson(Option<usize>),
    Claim(usize),
}

/// From this width on there is room for whole words.
const ROOMY: u16 = 64;

/// From this height on there is room for what the columns are called, and for more than one line of the score.
const HIGH: u16 = 10;

/// How the room inside the panel is shared.
#[derive(Debug, Clone, Copy)]
struct Plan {
    /// The search stands in the first row.
    search: bool,
    /// The columns have their names.
    names: bool,
    rows: Rect,
    /// Rows of the score.
    score: u16,
}

impl Plan {
    /// Rows that the score may have.
    fn score(inner: Rect) -> u16 {
        if inner.height >= HIGH { 2 } else { 1 }
    }

    fn of(page: &Page, inner: Rect, score: usize) -> Self {
        let search = page.typing || !page.search.is_empty();
        let high = inner.height >= HIGH;
        let score = u16::try_from(score).unwrap_or(u16::MAX).min(Self::score(inner));
        let above = u16::from(search) + u16::from(high);
        let rows = Rect { y: inner.y + above.min(inner.height), ..inner };
        let rows = Rect { height: inner.height.saturating_sub(above + score), ..rows };
        Self { search, names: high, rows, score }
    }
}

/// What the learner says, in a word.
fn said(so: Option<Option<bool>>, lang: Lang) -> &'static str {
    match so {
        None => "",
        Some(Some(true)) => lang.pick("yes", "是"),
        Some(Some(false)) => lang.pick("no", "否"),
        Some(None) => "?",
    }
}

/// What the machine says, in a word and its look.
fn machine(verdict: Verdict, lang: Lang) -> (&'static str, Role) {
    match verdict {
        Verdict::Holds => (lang.pick("✓ holds", "✓ 成立"), Role::Good),
        Verdict::Fails => (lang.pick("✗ fails", "✗ 不成立"), Role::Bad),
        Verdict::CpythonOnly => ("✓ CPython", Role::Good),
        Verdict::Inconclusive => (lang.pick("~ open", "~ 未定"), Role::Dim),
        Verdict::NotTestable => (lang.pick("- no test", "- 不可测"), Role::Dim),
    }
}

/// How learner and machine stand to each other, in a sign.
fn sign(standing: Standing) -> (&'static str, Role) {
    match standing {
        Standing::NotSaid => (" ", Role::Dim),
        Standing::NotTested => ("•", Role::Accent),
        Standing::Agree => ("=", Role::Good),
        Standing::Differ => ("≠", Role::Warning),
        Standing::Open => ("~", Role::Dim),
    }
}

/// Columns of the learner's word, and of the machine's with the space before it.
const YOU: u16 = 4;
const MACHINE: u16 = 10;

impl View<'_> {
    pub(super) fn list(&self, page: &Page, area: Rect, buf: &mut Buffer) {
        if area.height == 0 {
            return;
        }
        let score = self.tour.score();
        let listed = self.tour.listed();
        let lang = self.tour.claims.lang;
        let title = match page.filter {
            crate::tour::Filter::All => page.filter.words(lang).to_owned(),
            filter => format!("{} ({})", filter.words(lang), listed.len()),
        };
        let right = run_of(page).unwrap_or_else(|| match lang {
            Lang::En => format!("{} of {} said", score.said, score.all),
            Lang::Zh => format!("{} 条中说了 {} 条", score.all, score.said),
        });
        let inner = panel(self.theme, &title, &right, page.side == crate::tour::Side::List, area, buf);
        let score = self.score_lines(Plan::score(inner), inner.width);
        let plan = Plan::of(page, inner, score.len());
        if plan.search {
            let cursor = if page.typing { "▏" } else { "" };
            let words = format!("/ {}{cursor}", clean_line(&page.search));
            put(buf, inner, 0, 0, &words, self.theme.style(Role::Accent));
        }
        if plan.names {
            let y = u16::from(plan.search);
            let (you, machine) = columns(inner.width);
            let dim = self.theme.style(Role::Dim);
            put(buf, inner, you, y, lang.pick("you", "你"), dim);
            put(buf, inner, machine, y, lang.pick("machine", "机器"), dim);
        }
        if listed.is_empty() {
            let none = lang.pick("No claim is like that. f lists others.", "没有这样的说法。按 f 列出别的。");
            put(buf, plan.rows, 0, 0, none, self.theme.style(Role::Dim));
        }
        let rows = self.claim_rows(&listed);
        let first = first_row(&rows, page.cursor, plan.rows.height);
        for (y, row) in (0..plan.rows.height).zip(rows.iter().skip(first)) {
            match row {
                Row::Lesson(lesson) => self.heading(*lesson, y, plan.rows, buf),
                Row::Claim(n) => self.claim_row(*n, *n == page.cursor, y, plan.rows, buf),
            }
        }
        for (y, line) in (0..plan.score).zip(&score) {
            let y = inner.height.saturating_sub(plan.score) + y;
            super::super::put::put_line(buf, inner, 0, y, line);
        }
    }

    fn claim_rows(&self, listed: &[usize]) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut before = None;
        for n in listed {
            let lesson = self.tour.claims.place(*n).and_then(|place| place.lesson);
            if before != Some(lesson) {
                before = Some(lesson);
                rows.push(Row::Lesson(lesson));
            }
            rows.push(Row::Claim(*n));
        }
        rows
    }

    fn heading(&self, lesson: Option<usize>, y: u16, area: Rect, buf: &mut Buffer) {
        let lesson = lesson.and_then(|n| self.tour.lessons.get(n));
        let words = lesson.map_or_else(
            || self.tour.claims.lang.pick("In no lesson", "没有课程讲它").to_owned(),
            |lesson| format!("{} {}", lesson.number, clean_line(&lesson.title)),
        );
        put(buf, area, 0, y, &words, self.theme.style(Role::Heading));
    }

    fn claim_row(&self, n: usize, chosen: bool, y: u16, area: Rect, buf: &mut Buffer) {
        let Some(claim) = self.tour.claims.get(n) else { return };
        let lang = self.tour.claims.lang;
        let (you, at) = columns(area.width);
        let (sign, look) = sign(self.tour.standing(claim));
        put(buf, area, 0, y, if chosen { "▸" } else { " " }, self.theme.style(Role::Accent));
        put(buf, area, 1, y, sign, self.theme.style(look));
        let word = said(self.tour.recall.beliefs.get(&claim.id).copied(), lang);
        let verdict = self.word_of(claim);
        // Where there is little room, the sentence has that of the words that are not there.
        let end = match (word, verdict) {
            ("", None) if area.width < ROOMY => area.width + 1,
            ("", Some(_)) if area.width < ROOMY => at,
            _ => you,
        };
        let words = format!("{} {}", claim.id, clean_line(lang.pick(&claim.en, &claim.zh)));
        let style = self.theme.style(if chosen { Role::Strong } else { Role::Text });
        put(buf, area, 3, y, &cut(&words, usize::from(end.saturating_sub(4))), style);
        put(buf, area, you, y, word, self.theme.style(Role::Text));
        if let Some((word, look)) = verdict {
            // Where there is no room for both, the sign goes.
            let word = if area.width < ROOMY { word.split_once(' ').map_or(word, |(_, word)| word) } else { word };
            put(buf, area, at, y, word, self.theme.style(look));
        }
        if chosen {
            paint(buf, area, 0, y, area.width, self.theme.style(Role::Selection));
        }
    }

    /// What the machine says of a claim, once the learner has said something.
    fn word_of(&self, claim: &Claim) -> Option<(&'static str, Role)> {
        let (told, lang) = (self.tour.told(claim)?, self.tour.claims.lang);
        let waits = self.tour.standing(claim) == Standing::NotSaid && told.verdict != Verdict::NotTestable;
        Some(if waits { (lang.pick("· answered", "· 已答"), Role::Dim) } else { machine(told.verdict, lang) })
    }

    /// "you said 41 of 245; the machine agrees on 29, differs on 8, leaves 4 open", as whole as it fits in `rows` rows.
    fn score_lines(&self, rows: u16, room: u16) -> Vec<Line<'static>> {
        let style = self.theme.style(Role::Dim);
        let tries = scores(&self.tour.score(), self.tour.claims.lang);
        let lines = tries.into_iter().map(|words| wrap(&[Piece::new(words, style)], room.into()));
        let mut lines: Vec<_> = lines.collect();
        let fits = lines.iter().position(|lines| lines.len() <= usize::from(rows));
        let last = lines.len() - 1;
        lines.swap_remove(fits.unwrap_or(last))
    }

    /// The claim that stands in row `y` of the screen.
    pub(super) fn listed_at(&self, page: &Page, inner: Rect, y: u16) -> Option<usize> {
        let score = self.score_lines(Plan::score(inner), inner.width).len();
        let plan = Plan::of(page, inner, score);
        let rows = self.claim_rows(&self.tour.listed());
        let first = first_row(&rows, page.cursor, plan.rows.height);
        let y = y.checked_sub(plan.rows.y).filter(|y| *y < plan.rows.height)?;
        match rows.get(first + usize::from(y))? {
            Row::Claim(n) => Some(*n),
            Row::Lesson(_) => None,
        }
    }
}

/// The score in words, whole and shorter.
fn scores(score: &Score, lang: Lang) -> [String; 3] {
    let Score { all, said, agree, differ, open, untested } = score;
    let (en, zh) = match untested {
        0 => (String::new(), String::new()),
        n => (format!(", {n} not tested"), format!("，{n} 条未检验")),
    };
    match lang {
        Lang::En => [
            format!(
                "you said {said} of {all}; the machine agrees on {agree}, differs on {differ}, leaves {open} open{en}"
            ),
            format!("agrees {agree}, differs {differ}, open {open}{en}"),
            format!("agrees {agree}, differs {differ}, open {open}"),
        ],
        Lang::Zh => [
            format!("{all} 条中你说了 {said} 条；机器同意 {agree} 条，不同意 {differ} 条，{open} 条未定{zh}"),
            format!("同意 {agree}，不同意 {differ}，未定 {open}{zh}"),
            format!("同意 {agree}，不同意 {differ}，未定 {open}"),
        ],
    }
}

/// Where the learner's word and the machine's begin.
fn columns(wide: u16) -> (u16, u16) {
    let machine = wide.saturating_sub(if wide < ROOMY { MACHINE - 2 } else { MACHINE });
    (machine.saturating_sub(YOU), machine)
}

/// The row at the top, so that the cursor is in sight.
fn first_row(rows: &[Row], cursor: usize, height: u16) -> usize {
    let at = rows.iter().position(|row| *row == Row::Claim(cursor)).unwrap_or(0);
    at.saturating_sub(usize::from(height / 2)).min(rows.len().saturating_sub(usize::from(height)))
}
