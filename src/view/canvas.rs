//! The pictures one below the other, as high as they must be, and the part of them that the stage has room for.

use super::View;
use super::pictures::Drawn;
use super::put::put_line;
use super::theme::Role;
use crate::fact::Picture;
use crate::tour::{Scrolled, Watch};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// From this height on there is room for blank rows and asides.
pub(super) const ROOMY: u16 = 16;
/// Rows that a picture may have; a demo that tells more has told too much.
const HIGHEST: u16 = 2000;

/// Pictures in places whose rows are counted from the top of the first; and remarks below them.
pub(super) struct Canvas {
    pub(super) places: Vec<(Picture, Rect)>,
    remarks: Vec<Line<'static>>,
    /// The page is this part of it, from the row `at` on.
    page: Rect,
    pub(super) scrolled: Scrolled,
}

impl Canvas {
    /// The same row, counted from the top of the first picture.
    pub(super) fn row(&self, y: u16) -> u16 {
        let at = u16::try_from(self.scrolled.at).unwrap_or(u16::MAX);
        y.saturating_sub(self.page.y).saturating_add(at)
    }
}

impl View<'_> {
    /// Where everything stands on a stage with room for `page`.
    pub(super) fn canvas(&self, watch: &Watch, page: Rect, remarks: Vec<Line<'static>>) -> Canvas {
        let high = |rows: usize| u16::try_from(rows).unwrap_or(u16::MAX);
        let said = high(remarks.len());
        // What is remarked stays in sight where that costs no picture its place.
        let pinned = self.laid_out(watch, Rect { height: page.height.saturating_sub(said), ..page });
        let fits = |places: &[(Picture, Rect)], room: u16| places.last().is_none_or(|(_, p)| p.bottom() <= room);
        let all = fits(&pinned, page.height.saturating_sub(said));
        let mut places = if all { pinned } else { self.laid_out(watch, page) };
        let room = if all { page.height.saturating_sub(said) } else { page.height };
        self.stretch(&mut places, room);
        let below = places.last().map_or(0, |(_, place)| place.bottom());
        let total = below.max(room).saturating_add(said);
        let beyond = usize::from(total.saturating_sub(page.height));
        let at = match watch.scrolled.by_hand {
            true => watch.scrolled.at.min(beyond),
            false => beyond.min(newest(&places, page.height)),
        };
        Canvas { places, remarks, page, scrolled: Scrolled { at, beyond, page: page.height.into(), ..watch.scrolled } }
    }

    /// The pictures in their order, each as high as it likes; with less room, as high as it must be, and what has none
    /// follows below.
    fn laid_out(&self, watch: &Watch, page: Rect) -> Vec<(Picture, Rect)> {
        let order = order(watch);
        let gap = u16::from(page.height >= ROOMY);
        let (mut places, mut below): (Vec<(Picture, Rect)>, Vec<Picture>) = (Vec::new(), Vec::new());
        let mut y: u16 = 0;
        let mut place = |picture: Picture, y: &mut u16, high: u16| {
            let high = high.min(HIGHEST);
            places.push((picture, Rect { x: page.x, y: *y, width: page.width, height: high }));
            *y = y.saturating_add(high).saturating_add(gap);
        };
        for (n, picture) in order.iter().enumerate() {
            let left = page.height.saturating_sub(y);
            let drawn = self.drawn(*picture, watch);
            let (least, liked) = drawn.rows(page.width, left);
            match left.checked_sub(least) {
                // One that likes no row has nothing to show.
                _ if liked == 0 => {}
                _ if order.len() == 1 => place(*picture, &mut y, left.max(least)),
                None if left > 0 && n > 0 && !drawn.in_parts() => below.push(*picture),
                None => place(*picture, &mut y, whole(&*drawn, page)),
                // The lanes see to it themselves, and what is seen whole or not at all is better large.
                Some(_) if *picture == Picture::Lanes || !drawn.in_parts() => place(*picture, &mut y, liked.min(left)),
                Some(spare) => {
                    // Of what it likes beyond what it must have, it leaves the next as much as that must have.
                    let next = order.get(n + 1).map(|next| self.drawn(*next, watch).rows(page.width, left));
                    let next = next.filter(|(_, liked)| *liked > 0).map_or(0, |(least, _)| least.saturating_add(gap));
                    let most = if spare >= next { left - next } else { left };
                    place(*picture, &mut y, liked.min(most));
                }
            }
        }
        y = y.max(page.height);
        below.into_iter().for_each(|picture| place(picture, &mut y, whole(&*self.drawn(picture, watch), page)));
        places
    }

    /// Gives the rows that are left over to the lanes: a core may be as tall as [`View::tall`] rows.
    fn stretch(&self, places: &mut [(Picture, Rect)], room: u16) {
        let used = places.iter().filter(|(_, place)| place.y < room).map(|(_, place)| place.bottom().min(room)).max();
        let used = used.unwrap_or(room);
        let Some(at) = places.iter().position(|(picture, _)| *picture == Picture::Lanes) else { return };
        let cores = u16::try_from(self.scene.lanes.cpus().len().max(1)).unwrap_or(u16::MAX);
        let spare = room.saturating_sub(used).min(cores.saturating_mul(self.tall() - 1));
        let more = spare / cores * cores;
        // What stands below the page stays there.
        for (n, (_, place)) in places.iter_mut().enumerate().skip(at).filter(|(_, (_, place))| place.y < room) {
            if n == at {
                place.height += more;
            } else {
                place.y += more;
            }
        }
    }

    /// Draws the part that there is room for.
    pub(super) fn put_canvas(&self, canvas: &Canvas, watch: &Watch, buf: &mut Buffer) {
        let page = canvas.page;
        let at = u16::try_from(canvas.scrolled.at).unwrap_or(u16::MAX);
        let end = at.saturating_add(page.height);
        for (picture, place) in canvas.places.iter().filter(|(_, p)| p.y < end && p.bottom() > at) {
            let drawn = self.drawn(*picture, watch);
            if place.y >= at && place.bottom() <= end {
                drawn.draw(Rect { y: page.y + place.y - at, ..*place }, buf);
                continue;
            }
            let whole = Rect { y: 0, ..*place };
            let mut aside = Buffer::empty(whole);
            aside.set_style(whole, self.theme.style(Role::Screen));
            drawn.draw(whole, &mut aside);
            for y in place.y.max(at)..place.bottom().min(end) {
                for x in place.left()..place.right() {
                    buf[(x, page.y + y - at)] = aside[(x, y - place.y)].clone();
                }
            }
        }
        let last = (canvas.scrolled.beyond + usize::from(page.height)).saturating_sub(canvas.remarks.len());
        for (line, n) in canvas.remarks.iter().zip(last..) {
            if let Some(y) = n.checked_sub(canvas.scrolled.at).and_then(|y| u16::try_from(y).ok()) {
                put_line(buf, page, 0, y, line);
            }
        }
    }
}

/// The rows of a picture that has the page to itself.
fn whole(drawn: &dyn Drawn, page: Rect) -> u16 {
    let (least, liked) = drawn.rows(page.width, page.height);
    liked.min(page.height.max(least))
}

/// The learner's first, the lanes while paused.
fn order(watch: &Watch) -> Vec<Picture> {
    let pictures = watch.spec.pictures;
    let lanes = pictures.iter().position(|p| *p == Picture::Lanes).filter(|_| watch.paused.is_some());
    let first = lanes.unwrap_or(watch.picture);
    (0..pictures.len()).filter_map(|n| pictures.get((first + n) % pictures.len()).copied()).collect()
}

/// Where a page of this height begins that shows the newest line of a log that comes first; with other pictures, their top.
fn newest(places: &[(Picture, Rect)], page: u16) -> usize {
    match places.first() {
        Some((Picture::Log(_), place)) => place.bottom().saturating_sub(page).into(),
        _ => 0,
    }
}
