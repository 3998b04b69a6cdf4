//! The ledger as a screen: the claims in the order of the lessons, what the learner says of each, and what the machine said.

mod claims;
mod standing;
mod testing;

pub use claims::{Claims, Place};
pub use standing::{Filter, Score, Standing, Told};
pub use testing::{Batch, Testing};

use super::event::{Effect, Memory};
use super::{Pane, Screen, Tour, Watch};
use crate::lore::Claim;

/// Claims that a page key moves over.
const PAGE: i32 = 10;

/// Characters that a search has at most.
const LONGEST: usize = 60;

/// Which part of the screen takes the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Side {
    /// The list.
    #[default]
    List,
    /// The chosen claim.
    Claim,
    /// The run.
    Stage,
}

/// The screen's state.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The chosen claim, by its number in [`Claims`].
    pub cursor: usize,
    /// Which claims are listed.
    pub filter: Filter,
    /// Words that all listed claims have.
    pub search: String,
    /// Keys go to the search.
    pub typing: bool,
    /// The part that takes the keys.
    pub side: Side,
    /// Lines of the chosen claim scrolled away.
    pub scroll: usize,
    /// The run, once there is one.
    pub watch: Option<Watch>,
    /// What is being tested.
    pub testing: Option<Testing>,
    /// The claims that the run answers.
    on_stage: Vec<usize>,
    /// A claim that stays in the list, though it is not as the filter asks any more: the learner is reading it.
    stays: Option<usize>,
    /// The claim at which the learner was told to say something first.
    warned: Option<usize>,
}

impl Page {
    /// The run, while it goes on, and after it with the claims that it answered.
    pub(super) fn on_show(&self) -> Option<&Watch> {
        self.watch.as_ref().filter(|watch| watch.running || self.on_stage.contains(&self.cursor))
    }

    pub(super) fn on_show_mut(&mut self) -> Option<&mut Watch> {
        let answered = self.on_stage.contains(&self.cursor);
        self.watch.as_mut().filter(|watch| watch.running || answered)
    }

    /// The claims that the run on the stage answers.
    #[must_use]
    pub fn answers(&self) -> &[usize] {
        &self.on_stage
    }

    fn choose(&mut self, claim: usize) {
        if claim != self.cursor {
            (self.cursor, self.scroll, self.stays) = (claim, 0, None);
        }
    }
}

/// What can be done on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerAction {
    /// Open the screen.
    Open,
    /// Say that the claim is so, that it is not, or that one cannot say.
    Say(Option<bool>),
    /// Test the chosen claim, or end its run.
    Test,
    /// Test all that are listed, or stop that.
    TestAll,
    /// The next filter.
    Filter,
    /// Begin to search.
    Search,
    /// Go on with what was found.
    Found,
    /// Search no more.
    Clear,
    /// The last character of the search away.
    RubOut,
    /// Read the lesson that takes the claim up.
    Read,
    /// To the claim that says the contrary.
    Contrary,
    /// The next part of the screen.
    Side,
    /// The claim below, whatever part takes the keys.
    Next,
    /// The claim above.
    Previous,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
}

impl Tour {
    /// The ledger's page, while it is on the screen.
    #[must_use]
    pub fn page(&self) -> Option<&Page> {
        if let Screen::Ledger(page) = &self.screen { Some(page) } else { None }
    }

    pub(super) fn page_mut(&mut self) -> Option<&mut Page> {
        if let Screen::Ledger(page) = &mut self.screen { Some(page) } else { None }
    }

    /// The claims that are listed on the ledger's page, by number.
    #[must_use]
    pub fn listed(&self) -> Vec<usize> {
        let Some(page) = self.page() else { return Vec::new() };
        let words: Vec<_> = page.search.split_whitespace().map(str::to_lowercase).collect();
        let all = self.claims.iter().enumerate();
        let listed = all.filter(|(n, claim)| {
            Some(*n) == page.stays || self.is_in(page.filter, claim) && words.iter().all(|word| has(claim, word))
        });
        listed.map(|(n, _)| n).collect()
    }

    /// The chosen claim, if the list has any.
    #[must_use]
    pub fn chosen_claim(&self) -> Option<(usize, &Claim)> {
        let cursor = self.page()?.cursor;
        if self.listed().contains(&cursor) { Some((cursor, self.claims.get(cursor)?)) } else { None }
    }

    pub(super) fn ledger(&mut self, action: LedgerAction) -> Vec<Effect> {
        match action {
            LedgerAction::Open => return self.open_ledger(),
            LedgerAction::Say(so) => return self.say(so),
            LedgerAction::Test => return self.test(),
            LedgerAction::TestAll => return self.test_all(),
            LedgerAction::Read => return self.read(),
            LedgerAction::Contrary => self.choose_contrary(),
            LedgerAction::Filter => {
                self.search(|page| page.filter = page.filter.next());
                let listed = self.listed().len();
                let lang = self.claims.lang;
                let words =
                    |page: &Page| format!("{}{} ({listed})", lang.pick("Listed: ", "列出："), page.filter.words(lang));
                self.notice = self.page().map(words);
            }
            LedgerAction::Search => self.search(|page| page.typing = true),
            LedgerAction::Found => self.search(|page| page.typing = false),
            LedgerAction::Clear => self.search(|page| {
                page.typing = false;
                page.search.clear();
            }),
            LedgerAction::RubOut => self.search(|page| _ = page.search.pop()),
            LedgerAction::Side => self.next_side(),
            LedgerAction::Next => self.next_claim(1),
            LedgerAction::Previous => self.next_claim(-1),
            LedgerAction::PageUp => self.scroll(-PAGE),
            LedgerAction::PageDown => self.scroll(PAGE),
        }
        Vec::new()
    }

    /// A character that the learner types into the search; whether there is one.
    pub(super) fn typed(&mut self, c: char) -> bool {
        let typing = self.help.is_none() && self.page().is_some_and(|page| page.typing);
        if typing {
            self.search(|page| {
                let room = page.search.chars().count() < LONGEST;
                page.search.extend(Some(c).filter(|c| room && !c.is_control()));
            });
        }
        typing
    }

    /// Changes what is listed; the chosen claim stays if it still is, or is the next that is.
    fn search(&mut self, change: impl FnOnce(&mut Page)) {
        let Some(page) = self.page_mut() else { return };
        page.stays = None;
        change(page);
        let (listed, cursor) = (self.listed(), self.page().map_or(0, |page| page.cursor));
        let next = listed.iter().find(|n| **n >= cursor).or(listed.first()).copied();
        if let (Some(page), Some(next)) = (self.page_mut(), next) {
            page.choose(next);
        }
    }

    /// The ledger, with the first claim that the open step takes up, or else the lesson.
    fn open_ledger(&mut self) -> Vec<Effect> {
        if matches!(self.behind.last(), Some(Screen::Ledger(_))) {
            return self.back();
        }
        let step = self.step().map(|step| step.claims.iter()).into_iter().flatten();
        let lesson = self.lesson().map(|lesson| lesson.claims.iter()).into_iter().flatten();
        let cursor = step.chain(lesson).find_map(|id| self.claims.find(id)).unwrap_or(self.at_claim);
        let mut stopped = Vec::new();
        if let Some(player) = self.player_mut() {
            // The stage is the ledger's now; what the run answered stays in the text.
            player.watch = None;
            player.pane = Pane::Text;
            stopped.push(Effect::Stop);
        }
        let page = Page { cursor, ..Page::default() };
        let before = std::mem::replace(&mut self.screen, Screen::Ledger(page));
        self.behind.push(before);
        stopped
    }

    /// Leaves the page; where a test goes on, only that is ended, and where a search leaves claims out, that.
    pub(super) fn leave_ledger(&mut self) -> Vec<Effect> {
        let Some(page) = self.page_mut() else { return Vec::new() };
        let cursor = page.cursor;
        if page.testing.take().is_some() {
            if let Some(watch) = &mut page.watch {
                watch.running = false;
            }
            self.notice = Some("Stopped; what was measured is kept. Esc again leaves the ledger.".to_owned());
        } else if !page.search.is_empty() {
            return self.ledger(LedgerAction::Clear);
        } else {
            self.at_claim = cursor;
            self.screen = self.behind.pop().unwrap_or_else(|| self.catalogue());
        }
        vec![Effect::Stop]
    }

    /// The lesson that takes the chosen claim up, at its step. Esc comes back.
    fn read(&mut self) -> Vec<Effect> {
        let place = self.chosen_claim().and_then(|(n, _)| self.claims.place(n));
        let Some((lesson, step)) = place.and_then(|place| Some((place.lesson?, place.step.unwrap_or(0)))) else {
            self.notice = Some("No lesson here takes it up.".to_owned());
            return Vec::new();
        };
        if let Some(page) = self.page_mut() {
            (page.watch, page.testing) = (None, None);
        }
        let fresh = Screen::Lesson(super::Player::new(lesson));
        let page = std::mem::replace(&mut self.screen, fresh);
        self.behind.push(page);
        self.go(step)
    }

    fn say(&mut self, so: Option<bool>) -> Vec<Effect> {
        let Some((n, claim)) = self.chosen_claim() else { return Vec::new() };
        if self.settled(claim) {
            let words = "The machine has answered: what you said before it stays.";
            self.notice = Some(self.claims.lang.pick(words, "机器已经回答：你之前说的不再改。").to_owned());
            return Vec::new();
        }
        let id = claim.id.clone();
        if let Some(page) = self.page_mut() {
            page.stays = Some(n);
            page.scroll = 0;
        }
        self.recall.beliefs.insert(id.clone(), so);
        vec![Effect::Remember(Memory::Believed { claim: id, so })]
    }

    fn choose_contrary(&mut self) {
        let Some((_, claim)) = self.chosen_claim() else { return };
        let other = claim.contradicts.first().and_then(|id| self.claims.find(id));
        match (other, self.page_mut()) {
            (Some(other), Some(page)) => {
                page.choose(other);
                page.stays = Some(other);
            }
            _ => self.notice = Some("No claim of the ledger says the contrary.".to_owned()),
        }
    }

    fn next_side(&mut self) {
        if let Some(page) = self.page_mut() {
            page.side = match page.side {
                Side::List => Side::Claim,
                Side::Claim if page.on_show().is_some() => Side::Stage,
                Side::Claim | Side::Stage => Side::List,
            };
        }
    }

    pub(super) fn scroll_ledger(&mut self, lines: i32) {
        let by = isize::try_from(lines).unwrap_or(0);
        match self.page_mut() {
            Some(page) if page.side == Side::Claim => page.scroll = page.scroll.saturating_add_signed(by),
            _ => self.move_claim(by),
        }
    }

    /// Who reads a claim reads the next one, and not the stage of the last.
    fn next_claim(&mut self, by: isize) {
        self.move_claim(by);
        if let Some(page) = self.page_mut().filter(|page| page.side == Side::Stage && page.testing.is_none()) {
            page.side = Side::Claim;
        }
    }

    fn move_claim(&mut self, by: isize) {
        let listed = self.listed();
        let Some(page) = self.page_mut() else { return };
        let last = listed.len().saturating_sub(1);
        let at = listed.iter().position(|n| *n == page.cursor);
        let next = at.map_or(0, |at| at.saturating_add_signed(by).min(last));
        if let Some(next) = listed.get(next) {
            page.choose(*next);
        }
    }

    /// A click on a claim: the first chooses it, the second looks at it.
    pub(super) fn click_claim(&mut self, claim: usize) {
        let known = claim < self.claims.len();
        if let Some(page) = self.page_mut().filter(|_| known) {
            page.side = if page.cursor == claim { Side::Claim } else { Side::List };
            page.choose(claim);
        }
    }

    /// A click on one of the three answers.
    pub(super) fn click_answer(&mut self, answer: usize) -> Vec<Effect> {
        [Some(true), Some(false), None].get(answer).map_or_else(Vec::new, |so| self.say(*so))
    }
}

/// Whether `word`, in small letters, stands in the claim or its id.
fn has(claim: &Claim, word: &str) -> bool {
    [&claim.id, &claim.en, &claim.zh].into_iter().any(|text| text.to_lowercase().contains(word))
}

#[cfg(test)]
mod tests;
