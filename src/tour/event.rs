//! What can happen to the tour, and what it can ask of the shell. Two closed enums.

use super::{Pane, Scrolled, Side, Told};
use crate::fact::{Cpu, Nanos, RunId, Steer, Values};
use serde_json::Value;

/// A key as the learner pressed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// A character; capital letters are their own.
    Char(char),
    /// Control and a letter.
    Ctrl(char),
    /// Return.
    Enter,
    /// Escape.
    Esc,
    /// Tabulator.
    Tab,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Page up: "back" on a presenter's remote.
    PageUp,
    /// Page down: "on" on a presenter's remote.
    PageDown,
    /// Home.
    Home,
    /// End.
    End,
    /// Backspace.
    Backspace,
    /// A function key.
    F(u8),
}

/// What can happen.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A key.
    Key(Key),
    /// A click on something.
    Click(Click),
    /// The wheel over a pane, in lines; down is positive.
    Wheel(Pane, i32),
    /// The run's values can be judged now; they stand in the scene.
    Settled {
        /// Which run.
        run: RunId,
    },
    /// The run has ended; its outcome stands in the scene.
    Over {
        /// Which run.
        run: RunId,
    },
    /// The run should have settled or ended long ago.
    Late {
        /// Which run.
        run: RunId,
    },
    /// A run could not even be started: the sentence.
    CannotRun(String),
    /// One sentence for the learner.
    Notice(String),
    /// A sentence that stays, or its end.
    Banner(Option<String>),
    /// Seconds since the presentation began.
    Clock(u64),
    /// How far the text can be scrolled, as the screen found when it drew.
    Extent {
        /// Lines.
        text: usize,
        /// Lines of the waiting question that lie below what is seen.
        below: usize,
        /// How far the text is scrolled, in lines.
        scroll: usize,
        /// How far the pictures on the stage are scrolled.
        stage: Scrolled,
    },
}

/// What a click can hit. The screen finds it (`view::hit`).
#[derive(Debug, Clone, PartialEq)]
pub enum Click {
    /// A lesson of the catalogue.
    Lesson(usize),
    /// An option of the open question.
    Option(usize),
    /// A worker.
    Worker(String),
    /// A moment on a lane.
    Moment(Cpu, Nanos),
    /// A pane.
    Pane(Pane),
    /// A claim of the ledger, by its number.
    Claim(usize),
    /// A part of the ledger's screen.
    Side(Side),
}

/// A run that is to be started.
#[derive(Debug, Clone, PartialEq)]
pub struct StartRun {
    /// Its number.
    pub run: RunId,
    /// The demo.
    pub demo: String,
    /// The parameters that differ from the defaults.
    pub params: Values,
}

/// What the shell is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Start a run; one that goes on is ended first.
    Start(StartRun),
    /// Pass a wish on to the demo.
    Steer(Steer),
    /// Ask the run to come to its end and report.
    Finish,
    /// End the run now.
    Stop,
    /// Keep the scene as it is for the screen, while the world goes on.
    Hold,
    /// Show the world again.
    Release,
    /// Remember something of the learner's.
    Remember(Memory),
    /// Go on to the next theme.
    NextTheme,
    /// Draw everything anew.
    Redraw,
    /// Give the terminal back to the shell for a while.
    Suspend,
    /// Leave.
    Quit,
}

/// What is to be remembered.
#[derive(Debug, Clone, PartialEq)]
pub enum Memory {
    /// A step was opened; steps count from 0.
    Seen {
        /// The lesson.
        lesson: String,
        /// The step.
        step: usize,
    },
    /// A lesson is done: its last step is.
    Done {
        /// The lesson.
        lesson: String,
    },
    /// A prediction was answered by the machine.
    Predicted {
        /// The lesson.
        lesson: String,
        /// The step.
        step: usize,
        /// The option that the learner chose.
        chosen: String,
        /// Whether it was right; none if no option covers what was measured.
        right: Option<bool>,
        /// What was measured.
        measured: Value,
    },
    /// The learner said of a claim whether it is so; none: they cannot say.
    Believed {
        /// The claim's id.
        claim: String,
        /// What they said.
        so: Option<bool>,
    },
    /// The machine said something of a claim.
    Answered {
        /// The claim's id.
        claim: String,
        /// What it said.
        told: Told,
    },
    /// A value was measured: `demo.value`.
    Figure {
        /// The name.
        name: String,
        /// The value.
        value: Value,
    },
}
