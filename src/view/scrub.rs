//! The last step before cells are written: nothing leaves that could act on the terminal or that it cannot show.

use super::theme::Charset;
use crate::fact::clean;
use ratatui::buffer::Buffer;

/// Replaces what [`clean`] would not let through, whatever widget put it there, and on a terminal of
/// [`Charset::Ascii`] every other character by one of the same width that looks like it.
pub fn scrub(buf: &mut Buffer, charset: Charset) {
    let mut widened = 0;
    for cell in &mut buf.content {
        let symbol = cell.symbol();
        if let [b' '..=b'~'] = symbol.as_bytes() {
            // The second half of a wide character holds a space until the first half no longer covers it.
            if widened > 0 {
                widened -= 1;
                cell.set_symbol("?");
            }
            continue;
        }
        widened = 0;
        if symbol.is_empty() || symbol.contains('\n') || !(drawn(symbol) || clean(symbol) == symbol) {
            cell.set_symbol(if charset == Charset::Ascii { "?" } else { "\u{fffd}" });
        } else if charset == Charset::Ascii {
            widened = super::put::width(symbol).saturating_sub(1);
            let plain = symbol.chars().next().map_or("?", ascii);
            cell.set_symbol(plain);
        }
    }
}

/// A single box, block or geometric character, of which most of the screen consists: known to be harmless.
fn drawn(symbol: &str) -> bool {
    let mut chars = symbol.chars();
    matches!((chars.next(), chars.next()), (Some('\u{2500}'..='\u{25ff}'), None))
}

/// The ASCII character that stands for `c`.
fn ascii(c: char) -> &'static str {
    match c {
        '▓' | '█' | '■' | '▋' | '▊' | '▉' => "#",
        '▒' | '≡' => "=",
        '░' => ":",
        '▚' => "%",
        '▙' => "&",
        '▞' => "/",
        '▟' => "@",
        '▜' => "$",
        '▀' | '▔' => "\"",
        '▄' | '▁' | '▂' | '▃' | '▅' => "_",
        '▆' | '▇' => "#",
        '▌' | '▐' | '▍' | '▏' | '│' | '┃' | '║' | '▕' | '▎' => "|",
        '─' | '━' | '┄' | '–' | '—' | '−' | '╌' => "-",
        '═' | '‖' => "=",
        '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┬' | '┴' | '┼' | '╔' | '╗' | '╚' | '╝' | '╭' | '╮' | '╰' | '╯' | '╟'
        | '╢' | '╞' | '╡' | '╪' | '╫' | '┏' | '┓' | '┗' | '┛' | '┣' | '┫' | '┳' | '┻' | '╋' => {
            "+"
        }
        '▸' | '▶' | '→' | '›' | '❯' | '↳' => ">",
        '◂' | '◀' | '←' | '‹' => "<",
        '▲' | '▴' | '↑' => "^",
        '▼' | '▾' | '↓' => "v",
        '✓' | '✔' => "+",
        '✗' | '✘' | '×' | '╳' => "x",
        '•' | '●' | '◆' => "*",
        '○' | '◇' | '◦' | '□' => "o",
        // A dot would end the sentence that was cut.
        '…' | '⋯' => "~",
        '·' | '▪' | '∙' => ".",
        '“' | '”' | '„' => "\"",
        '‘' | '’' => "'",
        'µ' | 'μ' => "u",
        '±' => "~",
        '⚠' | '≠' => "!",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;

    fn shown(symbols: &[&str], charset: Charset) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, u16::try_from(symbols.len()).expect("few"), 1));
        for (cell, symbol) in buf.content.iter_mut().zip(symbols) {
            cell.set_symbol(symbol);
        }
        scrub(&mut buf, charset);
        buf.content.iter().map(|c| c.symbol()).collect()
    }

    #[test]
    fn nothing_that_acts_on_a_terminal_leaves() {
        assert_eq!(
            shown(&["a", "\u{1b}", "[", "\u{202e}", "\n", "线", " ", "é"], Charset::Unicode),
            "a\u{fffd}[\u{fffd}\u{fffd}线 é"
        );
        assert_eq!(shown(&["\u{9b}", "z\u{301}\u{301}\u{301}\u{301}\u{301}"], Charset::Unicode), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn on_an_ascii_terminal_all_is_ascii_and_as_wide_as_before() {
        let shown = shown(&["┌", "▓", "▒", "░", "线", " ", "e\u{301}", "✓", "µ", " ", "\u{1b}"], Charset::Ascii);
        assert_eq!(shown, "+#=:???+u ?");
    }
}
