//! Which widget draws a picture, and how many rows it wants. The one place where a new kind of picture is made known.

use super::View;
use super::put::{cut, put};
use super::theme::Role;
use super::widget::{
    Bars, Buffer as Slots, Cards, Counts, Curves, Futures, Histogram, Journey, Listing, Pages, Queue, Rows, RunQueue,
    Shares, Sides, Space, States, Table, Tree, WaitFor, Waiting, Workers,
};
use crate::fact::{Picture, Source, Turns};
use crate::tour::Watch;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

/// A picture that is ready to be drawn.
pub(super) trait Drawn {
    /// As [`Rows::rows`].
    fn rows(&self, wide: u16, left: u16) -> (u16, u16);

    /// As [`Rows::in_parts`].
    fn in_parts(&self) -> bool;

    /// Draws it.
    fn draw(&self, area: Rect, buf: &mut Buffer);
}

impl<W: Rows> Drawn for W
where
    for<'w> &'w W: Widget,
{
    fn rows(&self, wide: u16, left: u16) -> (u16, u16) {
        Rows::rows(self, wide, left)
    }

    fn in_parts(&self) -> bool {
        Rows::in_parts(self)
    }

    fn draw(&self, area: Rect, buf: &mut Buffer) {
        self.render(area, buf);
    }
}

impl View<'_> {
    /// The picture, for the scene as it is.
    pub(super) fn drawn<'a>(&'a self, picture: Picture, watch: &'a Watch) -> Box<dyn Drawn + 'a> {
        let (scene, theme) = (self.scene, self.theme);
        let tally = &scene.tally;
        let chosen = self.chosen(watch);
        match picture {
            Picture::Lanes => Box::new(LanesOf { view: self, watch }),
            Picture::Turns => Box::new(TurnsOf { view: self }),
            Picture::Workers => Box::new(Workers { scene, theme, now: scene.now(), chosen }),
            Picture::Pages => Box::new(Pages { scene, theme }),
            Picture::Space => Box::new(Space { tally, theme, chosen }),
            Picture::Cards => Box::new(Cards { scene, theme, chosen }),
            Picture::States => Box::new(States { scene, theme, chosen }),
            Picture::Shares => Box::new(Shares { scene, theme, chosen }),
            Picture::Table(spec) | Picture::Log(spec) => Box::new(Table { tally, spec, theme }),
            Picture::Sides(spec) => Box::new(Sides { tally, spec, theme }),
            Picture::Curves(spec) => Box::new(Curves { tally, spec, theme }),
            Picture::Queue => Box::new(Queue { tally, theme, chosen }),
            Picture::Waiting => Box::new(Waiting { tally, theme }),
            Picture::Buffer(spec) => Box::new(Slots { tally, spec, theme, chosen }),
            Picture::Bars(spec) => Box::new(Bars { tally, spec, theme }),
            Picture::Journey(spec) => Box::new(Journey { tally, spec, theme }),
            Picture::Tree(spec) => Box::new(Tree { tally, spec, theme }),
            Picture::Listing(spec) => Box::new(Listing { tally, spec, theme }),
            Picture::Counts(spec) => Box::new(Counts { tally, spec, theme }),
            Picture::RunQueue(spec) => Box::new(RunQueue { tally, spec, theme }),
            Picture::Futures => Box::new(Futures { tally, theme, chosen }),
            Picture::WaitFor(spec) => Box::new(WaitFor { tally, spec, theme, chosen }),
        }
    }
}

/// The lanes, which depend on where they stand and on what the learner does with them.
struct LanesOf<'a> {
    view: &'a View<'a>,
    watch: &'a Watch,
}

impl LanesOf<'_> {
    /// Rows that the picture after the lanes needs, if one comes after them.
    fn after(&self, wide: u16, left: u16) -> u16 {
        let pictures = self.watch.spec.pictures;
        let lanes = pictures.iter().position(|p| *p == Picture::Lanes).unwrap_or(0);
        let first = if self.watch.paused.is_some() { lanes } else { self.watch.picture };
        let next = (lanes + 1) % pictures.len().max(1);
        let after = pictures.get(next).filter(|p| next != first && **p != Picture::Lanes);
        after.map_or(0, |p| self.view.drawn(*p, self.watch).rows(wide, left).0.saturating_add(1))
    }
}

impl Drawn for LanesOf<'_> {
    fn rows(&self, wide: u16, left: u16) -> (u16, u16) {
        let cores = u16::try_from(self.view.scene.lanes.cpus().len().max(1)).unwrap_or(u16::MAX);
        let below = if wide < 130 { 3 } else { 2 };
        let all = cores.saturating_add(below).min(24);
        if all.saturating_add(self.after(wide, left)) <= left {
            return (3, all);
        }
        // Rather than hide the next picture, cores on which nothing happens share a row.
        let area = Rect::new(0, 0, wide, left);
        (3, self.view.lanes(self.watch, area).folded().saturating_add(below).min(all))
    }

    fn in_parts(&self) -> bool {
        true
    }

    fn draw(&self, area: Rect, buf: &mut Buffer) {
        self.view.lanes(self.watch, area).render(area, buf);
    }
}

/// How long the turns of all workers were.
struct TurnsOf<'a> {
    view: &'a View<'a>,
}

impl Drawn for TurnsOf<'_> {
    fn rows(&self, _: u16, _: u16) -> (u16, u16) {
        (4, 8)
    }

    fn in_parts(&self) -> bool {
        false
    }

    fn draw(&self, area: Rect, buf: &mut Buffer) {
        let (scene, theme) = (self.view.scene, self.view.theme);
        if scene.tally.start.as_ref().is_some_and(|start| start.source == Source::Sampled) {
            let words = "Sampled: how long a turn was cannot be seen between two looks.";
            put(buf, area, 0, 0, &cut(words, area.width.into()), theme.style(Role::Dim));
            return;
        }
        let mut turns = Turns::default();
        scene.tally.workers().for_each(|w| turns.merge(&w.turns));
        Histogram { turns: &turns, theme, bars: theme.style(Role::Accent) }.render(area, buf);
    }
}
