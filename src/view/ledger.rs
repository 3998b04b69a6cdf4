//! The ledger: the claims, the chosen one with what the learner and the machine say of it, and the run that tests it.

mod claim;
mod list;

use super::panel::{beside, inside, one_at_a_time, panel};
use super::put::put_line;
use super::text::{Piece, wrap};
use super::theme::Role;
use super::{Extent, View};
use crate::fact::clean;
use crate::tour::{Click, Page, Side, Watch};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Where the parts stand; one that is not shown has no area.
#[derive(Debug, Clone, Copy)]
struct Areas {
    list: Rect,
    claim: Rect,
    stage: Rect,
}

impl Areas {
    /// The list at the left and the rest beside it, or one above the other, or one alone, as a lesson's panes.
    fn of(body: Rect, side: Side, stage: bool) -> Self {
        let none = Rect { width: 0, height: 0, ..body };
        let halves = |area: Rect, above: u16| {
            let below = Rect { y: area.y + above, height: area.height - above, ..area };
            (Rect { height: above, ..area }, below)
        };
        if beside(body.width) {
            let wide = body.width / 2;
            let list = Rect { width: wide, ..body };
            let right = Rect { x: body.x + wide, width: body.width - wide, ..body };
            if !stage {
                return Self { list, claim: right, stage: none };
            }
            let (claim, stage) = halves(right, right.height * 2 / 5);
            return Self { list, claim, stage };
        }
        if one_at_a_time(body) {
            let of = |shown| if shown { body } else { none };
            let (list, staged) = (side == Side::List, side == Side::Stage && stage);
            return Self { list: of(list), claim: of(!list && !staged), stage: of(staged) };
        }
        let (above, below) = halves(body, body.height * 2 / 5);
        match (side, stage) {
            (_, false) => Self { list: above, claim: below, stage: none },
            (Side::List, true) => Self { list: above, claim: none, stage: below },
            (Side::Claim, true) => {
                let (claim, stage) = halves(body, body.height * 3 / 5);
                Self { list: none, claim, stage }
            }
            (Side::Stage, true) => Self { list: none, claim: above, stage: below },
        }
    }
}

impl View<'_> {
    pub(super) fn ledger(&self, page: &Page, body: Rect, buf: &mut Buffer) -> Extent {
        if let Some(wrong) = &self.tour.claims.wrong {
            let inner = panel(self.theme, "The ledger", "", true, body, buf);
            let words = [Piece::new(clean(wrong), self.theme.style(Role::Warning))];
            for (line, y) in wrap(&words, inner.width.into()).iter().zip(0..inner.height) {
                put_line(buf, inner, 0, y, line);
            }
            return Extent::default();
        }
        let watch = self.staged(page, body);
        let areas = Areas::of(body, page.side, watch.is_some());
        self.list(page, areas.list, buf);
        let on = watch.filter(|_| areas.stage.height > 0);
        let stage = on.map(|watch| self.stage(watch, page.side == Side::Stage, areas.stage, buf)).unwrap_or_default();
        Extent { stage, ..self.claim(page, areas.claim, buf) }
    }

    /// The run that is shown: where there is little room, only to those who do not look through the list, or while it goes on.
    fn staged(&self, page: &Page, body: Rect) -> Option<&Watch> {
        self.tour.watch().filter(|watch| watch.running || page.side != Side::List || beside(body.width))
    }

    /// Whether the demo's own keys are taken: on the ledger's stage, and wherever else there is a stage.
    pub(super) fn own_keys_count(&self) -> bool {
        self.tour.page().is_none_or(|page| page.side == Side::Stage)
    }

    /// What the next part of the screen is called.
    pub(super) fn next_side(&self, page: &Page) -> &'static str {
        match page.side {
            Side::List => "claim",
            Side::Claim if self.tour.watch().is_some() => "stage",
            Side::Claim | Side::Stage => "list",
        }
    }

    pub(super) fn hit_ledger(&self, page: &Page, body: Rect, x: u16, y: u16) -> Option<Click> {
        if self.tour.claims.wrong.is_some() {
            return None;
        }
        let watch = self.staged(page, body);
        let areas = Areas::of(body, page.side, watch.is_some());
        let at = (x, y).into();
        if areas.list.contains(at) {
            let claim = self.listed_at(page, inside(areas.list), y);
            return Some(claim.map_or(Click::Side(Side::List), Click::Claim));
        }
        if areas.claim.contains(at) {
            let answer = self.answer_at(page, inside(areas.claim), y);
            return Some(answer.map_or(Click::Side(Side::Claim), Click::Option));
        }
        let watch = watch.filter(|_| areas.stage.contains(at))?;
        Some(self.hit_stage(watch, areas.stage, x, y).unwrap_or(Click::Side(Side::Stage)))
    }
}

/// Which of several runs goes on: "run 7 of 62".
pub(super) fn run_of(page: &Page) -> Option<String> {
    let testing = page.testing.as_ref().filter(|testing| testing.runs.len() > 1)?;
    Some(format!("run {} of {}", testing.at + 1, testing.runs.len()))
}

/// What is being tested, and how long it will take if the rest is as what was.
pub(super) fn progress(page: &Page) -> Option<String> {
    let testing = page.testing.as_ref()?;
    let batch = testing.now()?;
    let what = format!("{}, {}", batch.spec.name, super::put::count(batch.claims.len() as u64, "claim", "claims"));
    let Some(run) = run_of(page) else { return Some(format!("Tested: {what}.")) };
    let left = match testing.left() {
        _ if testing.stopped => "; it is the last".to_owned(),
        Some(seconds) => format!("; about {} left", roughly(seconds)),
        None => String::new(),
    };
    Some(format!("{run}: {what}{left}"))
}

/// Seconds as people say them: "20 s", "3 min".
fn roughly(seconds: f64) -> String {
    if seconds < 55.0 {
        format!("{:.0} s", (seconds / 5.0).ceil() * 5.0)
    } else {
        format!("{:.0} min", (seconds / 60.0).ceil())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_share_the_screen_by_its_size() {
        let at = |w, h, side, stage| Areas::of(Rect::new(0, 1, w, h), side, stage);
        let wide = at(120, 34, Side::List, true);
        assert_eq!((wide.list.width, wide.claim.x, wide.claim.height, wide.stage.height), (60, 60, 13, 21));
        let stacked = at(80, 22, Side::List, false);
        assert_eq!((stacked.list.height, stacked.claim.height, stacked.stage.height), (8, 14, 0));
        let testing = at(80, 22, Side::Stage, true);
        assert_eq!((testing.list.height, testing.claim.height, testing.stage.height), (0, 8, 14));
        for (side, stage) in [(Side::List, true), (Side::Claim, true), (Side::Stage, true), (Side::Stage, false)] {
            let tiny = at(40, 10, side, stage);
            let shown = [tiny.list, tiny.claim, tiny.stage].iter().filter(|area| area.height > 0).count();
            assert_eq!(shown, 1, "{side:?}");
        }
    }

    #[test]
    fn times_are_said_as_people_do() {
        assert_eq!([0.0, 3.0, 41.0, 59.0, 61.0, 300.0].map(roughly), ["0 s", "5 s", "45 s", "1 min", "2 min", "5 min"]);
    }
}
