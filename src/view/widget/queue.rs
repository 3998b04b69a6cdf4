//! The queue at a lock: a room with who is inside, and before its door who waits, the first in line on top, each with a bar as
//! long as it has waited. Below it what it came to so far, in words.

mod model;
#[cfg(test)]
mod tests;

use super::Rows;
use crate::fact::{Tally, Tid};
use crate::view::put::{cut, put, put_right, width};
use crate::view::theme::{Role, Theme};
use model::{Guest, Place, places};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

/// The queues at all locks of a run.
#[derive(Debug, Clone, Copy)]
pub struct Queue<'a> {
    /// The totals that hold the locks.
    pub tally: &'a Tally,
    /// How it looks.
    pub theme: &'a Theme,
    /// The worker that the learner's keys act on.
    pub chosen: Option<Tid>,
}

/// Columns from which on a place is drawn as a room; rows that a room takes at least.
const ROOMY: u16 = 40;
const LEAST: u16 = 3;
/// Rows within a room at most.
const BODY: usize = 8;
/// Columns for a time: "1,234 s".
const TIME: u16 = 8;

impl Queue<'_> {
    /// "A ▓ reads".
    fn name(&self, guest: &Guest) -> String {
        let role = guest.role.as_ref().map_or(String::new(), |role| format!(" {role}"));
        format!("{} {}{role}", guest.name, self.theme.worker(guest.slot).pattern)
    }

    fn ink(&self, guest: &Guest) -> Style {
        if guest.dead { self.theme.style(Role::Bad) } else { self.theme.worker(guest.slot).ink }
    }

    fn mark(&self, guest: &Guest) -> &'static str {
        if Some(guest.tid) == self.chosen { "▸" } else { " " }
    }

    /// All of a place in one row.
    fn put_line(&self, buf: &mut Buffer, line: Rect, place: &Place) {
        let (text, dim) = (self.theme.style(Role::Text), self.theme.style(Role::Dim));
        let mut x = put(buf, line, 0, 0, &format!("{}: ", place.name), self.theme.style(Role::Strong));
        if place.inside.is_empty() {
            x = put(buf, line, x, 0, if place.seats.is_some() { "free" } else { "nobody" }, dim);
        }
        for (guest, n) in place.inside.iter().zip(0..) {
            x = put(buf, line, x, 0, if n == 0 { "" } else { ", " }, text);
            x = put(buf, line, x, 0, &format!("{} {}", self.name(guest), guest.since()), self.ink(guest));
        }
        x = put(buf, line, x, 0, " inside", text);
        for (guest, n) in place.waiting.iter().zip(0..) {
            x = put(buf, line, x, 0, if n == 0 { "; wait " } else { ", " }, text);
            x = put(buf, line, x, 0, &format!("{} {}", self.name(guest), guest.since()), self.ink(guest));
        }
        if place.waiting.is_empty() && place.is_asked_for() {
            put(buf, line, x, 0, ", nobody waits", dim);
        }
    }

    /// A place as a room with the line before its door.
    fn put_room(&self, buf: &mut Buffer, area: Rect, place: &Place) {
        let room = self.room_width(place, area.width);
        self.put_walls(buf, Rect { width: room, ..area }, place);
        let inside = Rect { x: area.x + 1, y: area.y + 1, width: room - 2, height: area.height - 2 };
        self.put_inside(buf, inside, place);
        let before = Rect { x: area.x + room, width: area.width - room, ..area };
        self.put_waiting(buf, before, place);
    }

    /// Wide enough for whoever may be inside, whether there now or not.
    fn room_width(&self, place: &Place, wide: u16) -> u16 {
        let names = place.inside.iter().chain(&place.waiting).map(|guest| width(&self.name(guest))).max().unwrap_or(0);
        let entry = names.max(6) + usize::from(TIME) + 5;
        let title = width(&place.title()) + 6;
        u16::try_from(entry.max(title).max(22)).unwrap_or(u16::MAX).min(wide / 2)
    }

    fn put_walls(&self, buf: &mut Buffer, room: Rect, place: &Place) {
        let border = self.theme.style(Role::Border);
        let bar = usize::from(room.width.saturating_sub(2));
        let bottom = room.height - 1;
        put(buf, room, 0, 0, &format!("┌{}┐", "─".repeat(bar)), border);
        put(buf, room, 0, bottom, &format!("└{}┘", "─".repeat(bar)), border);
        for y in 1..bottom {
            put(buf, room, 0, y, "│", border);
            put(buf, room, room.width - 1, y, if y == 1 { "◂" } else { "│" }, border);
        }
        let title = format!(" {} ", place.title());
        put(buf, room, 2, 0, &cut(&title, bar.saturating_sub(2)), self.theme.style(Role::Title));
    }

    fn put_inside(&self, buf: &mut Buffer, area: Rect, place: &Place) {
        let dim = self.theme.style(Role::Dim);
        let rows = usize::from(area.height);
        if place.inside.is_empty() && place.seats.is_none() {
            put(buf, area, 2, 0, "nobody", dim);
        }
        if place.inside.len() > rows {
            return self.put_crowd(buf, area, &place.inside);
        }
        for (guest, y) in place.inside.iter().zip(0..) {
            put(buf, area, 0, y, self.mark(guest), self.theme.style(Role::Accent));
            let after = put(buf, area, 1, y, &self.name(guest), self.ink(guest)) + 1;
            let since = guest.since();
            if usize::from(after) + width(&since) < usize::from(area.width) {
                put_right(buf, area, area.width - 1, y, &since, self.ink(guest));
            } else if guest.dead {
                put(buf, area, after, y, "dead", self.ink(guest));
            }
        }
        let free = place.seats.unwrap_or(0).saturating_sub(place.inside.len());
        for y in (place.inside.len()..rows).take(free) {
            put(buf, area, 1, u16::try_from(y).unwrap_or(u16::MAX), "· free", dim);
        }
    }

    /// More than there are rows: letter beside letter.
    fn put_crowd(&self, buf: &mut Buffer, area: Rect, guests: &[Guest]) {
        let (mut x, mut y) = (0_u16, 0_u16);
        for (guest, n) in guests.iter().zip(0..) {
            let words = format!("{}{}{}", self.mark(guest), self.name(guest), if guest.dead { " dead" } else { "" });
            let wide = u16::try_from(width(&words)).unwrap_or(u16::MAX);
            if x > 0 && x.saturating_add(wide) > area.width {
                (x, y) = (0, y + 1);
            }
            if y + 1 == area.height && x.saturating_add(wide).saturating_add(4) > area.width && n + 1 < guests.len() {
                put(buf, area, x, y, &format!(" +{}", guests.len() - n), self.theme.style(Role::Dim));
                return;
            }
            x = put(buf, area, x, y, &words, self.ink(guest)) + 1;
        }
    }

    fn put_waiting(&self, buf: &mut Buffer, area: Rect, place: &Place) {
        let dim = self.theme.style(Role::Dim);
        let caption = match place.waiting.len() {
            0 => "nobody waits".to_owned(),
            1 => "1 waits".to_owned(),
            n if area.width >= 34 => format!("{n} wait, the first in line on top"),
            n => format!("{n} wait"),
        };
        put(buf, area, 1, 0, &caption, if place.waiting.is_empty() { dim } else { self.theme.style(Role::Text) });
        let rows = usize::from(area.height - 1);
        // The last row says who has none.
        let shown = if place.waiting.len() > rows { rows.saturating_sub(1) } else { place.waiting.len() };
        let names = place.waiting.iter().map(|guest| width(&self.name(guest))).max().unwrap_or(0);
        let from = u16::try_from(names).unwrap_or(u16::MAX).saturating_add(3);
        let bar = area.width.saturating_sub(from).saturating_sub(TIME + 2);
        for (guest, y) in place.waiting.iter().take(shown).zip(1..) {
            put(buf, area, 0, y, self.mark(guest), self.theme.style(Role::Accent));
            put(buf, area, 1, y, &self.name(guest), self.ink(guest));
            let cells = share(guest.time.0, place.longest.0, bar);
            let look = self.theme.worker(guest.slot);
            put(buf, area, from, y, &look.pattern.repeat(usize::from(cells)), look.texture);
            put(buf, area, from + cells + u16::from(cells > 0), y, &guest.since(), self.theme.style(Role::Text));
        }
        if shown < place.waiting.len() {
            let letters: Vec<_> = place.waiting[shown..].iter().map(|guest| guest.name.as_str()).collect();
            let words = format!("and {} more: {}", letters.len(), letters.join(" "));
            put(buf, area, 1, u16::try_from(shown + 1).unwrap_or(u16::MAX), &words, dim);
        }
    }
}

/// The cells of `part`, where `whole` has `cells`: one at least for anything that can be seen.
fn share(part: u64, whole: u64, cells: u16) -> u16 {
    let filled = u128::from(part) * u128::from(cells) / u128::from(whole.max(1));
    u16::try_from(filled).unwrap_or(cells).clamp(u16::from(part > 0).min(cells), cells)
}

impl Rows for Queue<'_> {
    /// Rows that it needs at least, and likes. They depend on the most that ever came, so that nothing jumps while they come
    /// and go.
    fn rows(&self, _: u16, left: u16) -> (u16, u16) {
        let places = places(self.tally);
        let rows = |rows: usize| u16::try_from(rows).unwrap_or(u16::MAX).max(2);
        let rooms = rows(places.iter().map(|place| place.body().clamp(1, BODY) + 3).sum());
        // Where the rooms do not fit, a line for each place, and one for what is to be said of it.
        if rooms <= left { (rooms, rooms) } else { (rows(places.len() * 2), rooms) }
    }
}

impl Widget for &Queue<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let places = places(self.tally);
        if places.is_empty() {
            put(buf, area, 0, 0, "Nobody has asked for anything yet.", self.theme.style(Role::Dim));
            return;
        }
        let count = u16::try_from(places.len()).unwrap_or(u16::MAX);
        let each = area.height / count;
        if area.width < ROOMY || each < LEAST {
            for (place, y) in places.iter().zip(0..area.height) {
                self.put_line(buf, Rect { y: area.y + y, height: 1, ..area }, place);
            }
            // Room for words is left where the lines are few.
            for (place, y) in places.iter().zip(count..area.height) {
                put(buf, area, 0, y, &place.words(count > 1), self.theme.style(Role::Dim));
            }
            return;
        }
        let mut y = area.y;
        for place in &places {
            let said = u16::from(each > LEAST);
            let liked = u16::try_from(place.body().clamp(1, BODY) + 2).unwrap_or(each);
            let room = (each - said).min(liked).max(LEAST);
            self.put_room(buf, Rect { y, height: room, ..area }, place);
            let style = if place.says.is_some() || place.died_inside() { Role::Warning } else { Role::Text };
            if said > 0 {
                put(
                    buf,
                    Rect { y: y + room, height: 1, ..area },
                    0,
                    0,
                    &place.words(count > 1),
                    self.theme.style(style),
                );
            }
            y += room + said;
        }
    }
}
