//! The one table from keys to actions. The help is printed from it.

use super::event::Key;
pub use super::ledger::LedgerAction;
pub use super::watch::WatchAction;

/// Where a key counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Context {
    /// The help is open.
    Help,
    /// The picture is paused.
    Paused,
    /// It is, and there are lanes for a cursor.
    Cursor,
    /// A question waits for its answer.
    Question,
    /// The projector's screen.
    Present,
    /// A lesson's step.
    Lesson,
    /// A demo is on the stage.
    Stage,
    /// The stage is looked at, and has not room for all of it.
    Picture,
    /// A recording is shown.
    Replay,
    /// The catalogue.
    Catalogue,
    /// Words are searched for in the ledger.
    Search,
    /// The ledger.
    Ledger,
    /// Anywhere.
    Everywhere,
}

impl Context {
    /// The heading in the help.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Help => "In this help",
            Self::Paused => "While paused",
            Self::Cursor => "While paused, on the lanes",
            Self::Question => "A question",
            Self::Present => "Presenting",
            Self::Lesson => "In a lesson",
            Self::Stage => "The stage",
            Self::Picture => "The stage, where it has not room for all",
            Self::Replay => "A recording",
            Self::Catalogue => "The catalogue",
            Self::Search => "Searching the ledger",
            Self::Ledger => "The ledger",
            Self::Everywhere => "Everywhere",
        }
    }
}

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Leave the program.
    Quit,
    /// Give the terminal back to the shell.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// The next theme.
    Theme,
    /// Open the help.
    Help,
    /// Close it.
    CloseHelp,
    /// Leave this screen.
    Back,
    /// One up: scroll or move.
    Up,
    /// One down.
    Down,
    /// To the top.
    First,
    /// To the end.
    Last,
    /// Open the chosen lesson.
    Open,
    /// The next step.
    Next,
    /// The step before.
    Previous,
    /// Whatever comes next: run, then the next step.
    Go,
    /// Run the demo.
    Run,
    /// The step from its beginning.
    Again,
    /// Choose an option by number, from 0.
    Choose(usize),
    /// The option above.
    OptionUp,
    /// The option below.
    OptionDown,
    /// Answer with the marked option.
    Answer,
    /// Take the last answer back.
    TakeBack,
    /// Show or hide the hint.
    Hint,
    /// Show or hide the instructor's notes.
    Notes,
    /// The other pane.
    Pane,
    /// Show or hide the clock.
    Clock,
    /// Something about the picture.
    Watch(WatchAction),
    /// Something about the ledger.
    Ledger(LedgerAction),
}

/// A line of the table.
#[derive(Debug)]
pub struct Binding {
    /// Where.
    pub context: Context,
    /// The keys.
    pub keys: &'static [Key],
    /// What they do.
    pub action: Action,
    /// The help's words; empty for keys that another line explains.
    pub help: &'static str,
    /// One or two words for the foot of the screen; empty if it has no place there.
    pub hint: &'static str,
}

const fn bind(
    context: Context,
    keys: &'static [Key],
    action: Action,
    help: &'static str,
    hint: &'static str,
) -> Binding {
    Binding { context, keys, action, help, hint }
}

use Action as A;
use Context as C;
use Key::{Char, Ctrl, Down, End, Enter, Esc, F, Home, Left, PageDown, PageUp, Right, Tab, Up};
use LedgerAction as L;
use WatchAction as W;

/// The table.
pub static BINDINGS: &[Binding] = &[
    bind(C::Help, &[Esc, Char('?'), Char('q'), Enter, F(1)], A::CloseHelp, "close the help", "close"),
    bind(C::Help, &[Up, Char('k'), PageUp], A::Up, "", ""),
    bind(C::Help, &[Down, Char('j'), PageDown, Char(' ')], A::Down, "", ""),
    bind(C::Help, &[Ctrl('c')], A::Quit, "", ""),
    bind(C::Paused, &[Char('p'), Char(' '), Esc], A::Watch(W::Resume), "go on watching", "go on"),
    bind(C::Cursor, &[Left, Char('h')], A::Watch(W::Earlier), "cursor to an earlier column", "earlier"),
    bind(C::Cursor, &[Right, Char('l')], A::Watch(W::Later), "cursor to a later column", "later"),
    bind(C::Cursor, &[PageUp], A::Watch(W::PageBack), "a page back", ""),
    bind(C::Cursor, &[PageDown], A::Watch(W::PageOn), "a page on", ""),
    bind(C::Cursor, &[Home], A::Watch(W::Earliest), "to the beginning", ""),
    bind(C::Cursor, &[End], A::Watch(W::Latest), "to the end", ""),
    bind(C::Cursor, &[Up, Char('k')], A::Watch(W::LaneUp), "to the core above", ""),
    bind(C::Cursor, &[Down, Char('j')], A::Watch(W::LaneDown), "to the core below", ""),
    bind(C::Cursor, &[Char('.')], A::Watch(W::NextSlice), "to the next turn on this core", "next turn"),
    bind(C::Cursor, &[Char(',')], A::Watch(W::PreviousSlice), "to the turn before", ""),
    bind(C::Question, &[Up, Char('k')], A::OptionUp, "the option above", ""),
    bind(C::Question, &[Down, Char('j')], A::OptionDown, "the option below", "choose"),
    bind(C::Question, &[Enter], A::Answer, "answer with the marked option", "answer"),
    bind(C::Question, &[Char('1')], A::Choose(0), "answer with option 1, 2, ... (1 to 9)", ""),
    bind(C::Question, &[Char('2')], A::Choose(1), "", ""),
    bind(C::Question, &[Char('3')], A::Choose(2), "", ""),
    bind(C::Question, &[Char('4')], A::Choose(3), "", ""),
    bind(C::Question, &[Char('5')], A::Choose(4), "", ""),
    bind(C::Question, &[Char('6')], A::Choose(5), "", ""),
    bind(C::Question, &[Char('7')], A::Choose(6), "", ""),
    bind(C::Question, &[Char('8')], A::Choose(7), "", ""),
    bind(C::Question, &[Char('9')], A::Choose(8), "", ""),
    bind(C::Present, &[Char('t')], A::Clock, "show or hide the clock", ""),
    // These are the keys of a presenter's remote.
    bind(C::Present, &[PageDown], A::Next, "the next step", ""),
    bind(C::Present, &[PageUp], A::Previous, "the step before", ""),
    bind(C::Picture, &[Up, Char('k')], A::Watch(W::RowUp), "scroll the pictures up", ""),
    bind(C::Picture, &[Down, Char('j')], A::Watch(W::RowDown), "scroll the pictures down", "scroll"),
    bind(C::Picture, &[PageUp], A::Watch(W::ScreenUp), "a page up", ""),
    bind(C::Picture, &[PageDown], A::Watch(W::ScreenDown), "a page down", ""),
    bind(C::Picture, &[Home, Char('g')], A::Watch(W::Top), "to the top of the pictures", ""),
    bind(C::Picture, &[End, Char('G')], A::Watch(W::Bottom), "to their end", ""),
    bind(C::Lesson, &[Char(' ')], A::Run, "run the demo, or end it", "run"),
    bind(C::Lesson, &[Enter], A::Go, "whatever comes next: run, then the next step", ""),
    bind(C::Lesson, &[Char('n'), Right, PageDown, Char('l')], A::Next, "the next step", "next"),
    bind(C::Lesson, &[Char('b'), Left, PageUp, Char('h')], A::Previous, "the step before", ""),
    bind(C::Lesson, &[Char('r')], A::Again, "the step from its beginning", "again"),
    bind(C::Lesson, &[Up, Char('k')], A::Up, "scroll the text up", ""),
    bind(C::Lesson, &[Down, Char('j')], A::Down, "scroll the text down", ""),
    bind(C::Lesson, &[Home, Char('g')], A::First, "to the top of the text", ""),
    bind(C::Lesson, &[End, Char('G')], A::Last, "to its end", ""),
    bind(C::Lesson, &[Tab], A::Pane, "from the text to the stage and back", "other pane"),
    bind(C::Lesson, &[Key::Backspace], A::TakeBack, "take the last answer back, until the machine has answered", ""),
    bind(C::Lesson, &[Char('u')], A::Hint, "uncover the hint", ""),
    bind(C::Lesson, &[Char('m')], A::Notes, "the instructor's notes", ""),
    bind(C::Lesson, &[Char('L')], A::Ledger(L::Open), "the ledger, at the claims of this step", "ledger"),
    bind(C::Stage, &[Char('p')], A::Watch(W::Pause), "pause the picture; the world goes on", "pause"),
    bind(C::Stage, &[Char('v')], A::Watch(W::Picture), "the next picture of this demo", "picture"),
    bind(C::Stage, &[Char(']')], A::Watch(W::ZoomOut), "more time in a column, up to 1 s", "zoom"),
    bind(C::Stage, &[Char('[')], A::Watch(W::ZoomIn), "less time in a column, down to 1 ms", ""),
    bind(C::Stage, &[Char('.')], A::Watch(W::NextWorker), "choose the next worker", ""),
    bind(C::Stage, &[Char(',')], A::Watch(W::PreviousWorker), "choose the worker before", ""),
    bind(C::Replay, &[Char(' ')], A::Watch(W::Pause), "pause", ""),
    bind(C::Catalogue, &[Enter, Right, Char('l'), Char(' ')], A::Open, "open the lesson, where you left it", "open"),
    bind(C::Catalogue, &[Up, Char('k')], A::Up, "the lesson above", ""),
    bind(C::Catalogue, &[Down, Char('j')], A::Down, "the lesson below", "choose"),
    bind(C::Catalogue, &[Home, Char('g'), PageUp], A::First, "the first lesson", ""),
    bind(C::Catalogue, &[End, Char('G'), PageDown], A::Last, "the last", ""),
    bind(C::Catalogue, &[Char('L')], A::Ledger(L::Open), "the ledger: what is true, and what you believe", "ledger"),
    bind(C::Search, &[Enter, Tab], A::Ledger(L::Found), "go on with what was found", "found"),
    bind(C::Search, &[Esc], A::Ledger(L::Clear), "search no more", "all again"),
    bind(C::Search, &[Key::Backspace], A::Ledger(L::RubOut), "the last character away", ""),
    bind(C::Search, &[Up], A::Up, "", ""),
    bind(C::Search, &[Down], A::Down, "", ""),
    bind(C::Search, &[Ctrl('c')], A::Quit, "", ""),
    bind(C::Ledger, &[Char('y'), Char('1')], A::Ledger(L::Say(Some(true))), "say: it is so", "so"),
    bind(C::Ledger, &[Char('n'), Char('2')], A::Ledger(L::Say(Some(false))), "say: it is not so", "not so"),
    bind(C::Ledger, &[Char('d'), Char('3')], A::Ledger(L::Say(None)), "say: I cannot say", "unsure"),
    bind(C::Ledger, &[Char(' ')], A::Ledger(L::Test), "test this claim here and now; end the run", "test"),
    bind(
        C::Ledger,
        &[Char('a')],
        A::Ledger(L::TestAll),
        "test all that are listed and have no verdict of this machine, or all again if they have; stop",
        "test all",
    ),
    bind(
        C::Ledger,
        &[Char('f')],
        A::Ledger(L::Filter),
        "list others: not said yet, not tested yet, where you differ, what does not hold, what stays open",
        "filter",
    ),
    bind(C::Ledger, &[Char('/')], A::Ledger(L::Search), "search by words, or by id", "search"),
    bind(C::Ledger, &[Enter], A::Ledger(L::Read), "read the lesson that takes it up; esc comes back", "read"),
    bind(C::Ledger, &[Char('c')], A::Ledger(L::Contrary), "to the claim that says the contrary", ""),
    bind(C::Ledger, &[Tab], A::Ledger(L::Side), "from the list to the claim, to the stage, and back", "other pane"),
    bind(C::Ledger, &[Up, Char('k')], A::Up, "the claim above; up in the chosen one", ""),
    bind(C::Ledger, &[Down, Char('j')], A::Down, "the claim below; down in the chosen one", ""),
    bind(C::Ledger, &[Right, Char('l')], A::Ledger(L::Next), "the next claim, in the list or out of it", "next"),
    bind(C::Ledger, &[Left, Char('h')], A::Ledger(L::Previous), "the claim before", ""),
    bind(C::Ledger, &[PageUp], A::Ledger(L::PageUp), "ten up", ""),
    bind(C::Ledger, &[PageDown], A::Ledger(L::PageDown), "ten down", ""),
    bind(C::Ledger, &[Home, Char('g')], A::First, "the first", ""),
    bind(C::Ledger, &[End, Char('G')], A::Last, "the last", ""),
    bind(C::Everywhere, &[Char('?'), F(1)], A::Help, "this help", "help"),
    bind(C::Everywhere, &[Char('T')], A::Theme, "the next theme: dark, light, high contrast", ""),
    bind(
        C::Everywhere,
        &[Char('q'), Esc],
        A::Back,
        "leave: a lesson or the ledger for the screen before, the catalogue for the shell",
        "leave",
    ),
    bind(C::Everywhere, &[Ctrl('l')], A::Redraw, "draw the screen anew", ""),
    bind(C::Everywhere, &[Ctrl('z')], A::Suspend, "back to the shell for a while (fg returns)", ""),
    bind(C::Everywhere, &[Ctrl('c')], A::Quit, "leave the program", ""),
];

/// What `key` does in the first of `contexts` that knows it.
#[must_use]
pub fn action(contexts: impl Iterator<Item = Context>, key: Key) -> Option<Action> {
    contexts
        .filter_map(|context| BINDINGS.iter().find(|b| b.context == context && b.keys.contains(&key)))
        .map(|b| b.action)
        .next()
}

/// The lines of the table for `context`.
pub fn of(context: Context) -> impl Iterator<Item = &'static Binding> {
    BINDINGS.iter().filter(move |b| b.context == context)
}

/// A key's name for the help.
#[must_use]
pub fn name(key: Key) -> String {
    match key {
        Char(' ') => "space".to_owned(),
        Char(c) => c.to_string(),
        Ctrl(c) => format!("ctrl-{c}"),
        Enter => "enter".to_owned(),
        Esc => "esc".to_owned(),
        Tab => "tab".to_owned(),
        Up => "\u{2191}".to_owned(),
        Down => "\u{2193}".to_owned(),
        Left => "\u{2190}".to_owned(),
        Right => "\u{2192}".to_owned(),
        PageUp => "page up".to_owned(),
        PageDown => "page down".to_owned(),
        Home => "home".to_owned(),
        End => "end".to_owned(),
        Key::Backspace => "backspace".to_owned(),
        F(n) => format!("F{n}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_context_gives_a_key_two_meanings() {
        let mut seen = HashSet::new();
        for binding in BINDINGS {
            for key in binding.keys {
                assert!(seen.insert((binding.context, *key)), "{:?} {:?}", binding.context, key);
            }
        }
    }

    #[test]
    fn esc_leaves_from_everywhere() {
        assert_eq!(action([C::Help].into_iter(), Esc), Some(A::CloseHelp));
        assert_eq!(action([C::Paused, C::Lesson].into_iter(), Esc), Some(A::Watch(W::Resume)));
        assert_eq!(action([C::Question, C::Lesson, C::Everywhere].into_iter(), Esc), Some(A::Back));
    }
}
