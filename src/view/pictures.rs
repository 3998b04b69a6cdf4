//! Which widget draws a picture, and how many rows it wants. The one place where a new kind of picture is made known.

use super::View;
use super::put::{cut, put};
use super::theme::Role;
use super::widget::{
    Bars, Cards, Curves, Histogram, Journey, Pages, RunQueue, Shares, Sides, Space, States, Table, Tree, Workers,
};
use crate::fact::{Picture, Source, Turns};
use crate::tour::Watch;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

/// A picture that is ready to be drawn.
pub(super) trait Drawn {
    /// The least and the liked number of rows at a width of `wide` columns, where `left` rows are left.
    fn rows(&self, wide: u16, left: u16) -> (u16, u16);

    /// Draws it.
    fn draw(&self, area: Rect, buf: &mut Buffer);
}

/// A widget, with its rows.
struct Widgets<W, R> {
    widget: W,
    rows: R,
}

impl<W, R: Fn(u16, u16) -> (u16, u16)> Drawn for Widgets<W, R>
where
    for<'w> &'w W: Widget,
{
    fn rows(&self, wide: u16, left: u16) -> (u16, u16) {
        (self.rows)(wide, left)
    }

    fn draw(&self, area: Rect, buf: &mut Buffer) {
        (&self.widget).render(area, buf);
    }
}

fn boxed<'a, W: 'a, R: Fn(u16, u16) -> (u16, u16) + 'a>(widget: W, rows: R) -> Box<dyn Drawn + 'a>
where
    for<'w> &'w W: Widget,
{
    Box::new(Widgets { widget, rows })
}

impl View<'_> {
    /// The picture, for the scene as it is.
    pub(super) fn drawn<'a>(&'a self, picture: Picture, watch: &'a Watch) -> Box<dyn Drawn + 'a> {
        let (scene, theme) = (self.scene, self.theme);
        let tally = &scene.tally;
        let chosen = self.chosen(watch);
        let workers = u16::try_from(tally.workers().count()).unwrap_or(u16::MAX);
        match picture {
            Picture::Lanes => Box::new(LanesOf { view: self, watch }),
            Picture::Turns => Box::new(TurnsOf { view: self }),
            Picture::Workers => {
                let widget = Workers { scene, theme, now: scene.now(), chosen };
                boxed(widget, move |_, _| (2, workers.saturating_add(1).max(2)))
            }
            Picture::Pages => boxed(Pages { scene, theme }, move |wide, _| {
                let longest = tally.pages.values().map(String::len).max().unwrap_or(64);
                let across = usize::from(wide / 2).max(8);
                (6, u16::try_from(longest / across).unwrap_or(8).saturating_add(9).min(20))
            }),
            Picture::Space => {
                let space = Space { tally, theme, chosen };
                boxed(space, move |_, left| space.rows(left))
            }
            Picture::Cards => boxed(Cards { scene, theme, chosen }, move |wide, left| {
                let across = (wide / 26).max(1);
                let cards = workers.div_ceil(across).saturating_mul(6).max(6);
                // Where the cards do not fit, each is a line.
                (2, if cards <= left { cards } else { workers.max(2) })
            }),
            Picture::States => {
                let states = States { scene, theme, chosen };
                boxed(states, move |wide, left| states.rows(wide, left))
            }
            Picture::Shares => {
                let shares = Shares { scene, theme, chosen };
                boxed(shares, move |wide, _| shares.rows(wide))
            }
            Picture::Table(spec) => {
                let table = Table { tally, spec, theme };
                boxed(table, move |wide, _| table.rows(wide))
            }
            Picture::Sides(spec) => {
                let sides = Sides { tally, spec, theme };
                boxed(sides, move |wide, _| sides.rows(wide))
            }
            Picture::Curves(spec) => {
                let curves = Curves { tally, spec, theme };
                boxed(curves, move |_, left| curves.rows(left))
            }
            Picture::Bars(spec) => {
                let bars = Bars { tally, spec, theme };
                boxed(bars, move |_, _| bars.rows())
            }
            Picture::Journey(spec) => {
                let journey = Journey { tally, spec, theme };
                boxed(journey, move |wide, _| journey.rows(wide))
            }
            Picture::RunQueue(spec) => {
                let queue = RunQueue { tally, spec, theme };
                boxed(queue, move |_, _| queue.rows())
            }
            Picture::Tree(spec) => {
                let tree = Tree { tally, spec, theme };
                boxed(tree, move |wide, _| tree.rows(wide))
            }
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
