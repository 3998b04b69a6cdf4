//! The kinds of live picture, and what a demo says of those that it fills itself.

use super::ReturnKind;

/// A live picture. Each kind is a widget; a demo names those that show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Picture {
    /// Who ran when on each core.
    Lanes,
    /// One line a worker: state, ran, waited, turns, pushed off, median.
    Workers,
    /// How long the turns were.
    Turns,
    /// A grid of pages for each process, and the same address in each.
    Pages,
    /// An address space to scale, and where threads point into it: rows of the tables "regions" and "threads".
    Space,
    /// One card a worker, with its counter and its ids.
    Cards,
    /// Running, ready, blocked: the workers in a diagram of states, with the values `ran`, `ready` and `blocked` of the
    /// outcome, tables by letter; what each `waits_for`, and its `state` in the kernel's letter, are its own values.
    States,
    /// What each worker had against what it should have had: the values `share` and `expected` of the outcome, tables by
    /// letter; `weight` and the word `disturbed` where there are any.
    Shares,
    /// The rows that the demo told, as a table.
    Table(&'static TableSpec),
    /// The same of rows that are told one after the other, as a story is: where there is no room for all, the newest.
    Log(&'static TableSpec),
    /// The rows that the demo told, each on one of two sides or still to come.
    Sides(&'static SidesSpec),
    /// The points that the demo told, as curves.
    Curves(&'static CurvesSpec),
    /// The queue at each lock: who is inside, who waits, for how long. A demo may tell rows of the table "places", named as the
    /// lock, with how many `seats` it has and what it `says` of it, a sentence; the places stand in that order. A worker may
    /// tell its `role`: "reads".
    Queue,
    /// What waiting cost each worker: of its `waited_ns` what was spent on a CPU, its `burnt_ns`; values that are told together.
    /// A sleeper's wait counts once it is over: who sleeps tells nothing.
    Waiting,
    /// Processes and threads, below those that made them, over time.
    Tree(&'static TreeSpec),
    /// Program text, where each worker is in it, its registers, and memory.
    Listing(&'static ListingSpec),
    /// How often each thing happened, as bars.
    Counts(&'static CountsSpec),
    /// A pool: what is in its queue, who is at what, and what is done. Rows of the table "futures", in the order of submission: its
    /// `number`, a word on the task; its `state`, pending, running, cancelled or finished; `by`, the letter and the thread id of
    /// the worker that took it; `took_ns` and `ended_ns`; its `answer` in words, and `error` if that is one.
    Futures,
    /// Who has which lock, and who waits for which: the wait-for graph.
    WaitFor(&'static WaitForSpec),
    /// A bounded buffer between those that put and those that take: rows of a table, and the locks around them.
    Buffer(&'static BufferSpec),
    /// One message on its way from a writer to a reader, of the steps that the demo told.
    Journey(&'static JourneySpec),
    /// The rows that the demo told, each as a bar with how sure it is.
    Bars(&'static BarsSpec),
    /// Who has the thread and who is ready, in which order, of tasks that share it without the kernel's help.
    RunQueue(&'static RunQueueSpec),
}

impl Picture {
    /// What it is called in a list of what a demo shows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lanes => "lanes",
            Self::Workers => "workers",
            Self::Turns => "turns",
            Self::Pages => "pages",
            Self::Space => "address space",
            Self::Cards => "cards",
            Self::States => "state diagram",
            Self::Shares => "shares",
            Self::Table(table) | Self::Log(table) => table.name,
            Self::Sides(_) => "two sides",
            Self::Curves(curves) => curves.name,
            Self::Queue => "queues",
            Self::Waiting => "what waiting cost",
            Self::Tree(tree) => tree.name,
            Self::Listing(listing) => listing.name,
            Self::Counts(counts) => counts.name,
            Self::Futures => "futures",
            Self::WaitFor(graph) => graph.name,
            Self::Buffer(buffer) => buffer.name,
            Self::Journey(_) => "journey",
            Self::Bars(bars) => bars.name,
            Self::RunQueue(queue) => queue.name,
        }
    }
}

/// A table of rows that a demo tells with `Fact::Row`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct TableSpec {
    /// The table that its rows name.
    pub name: &'static str,
    /// What stands above the rows' names.
    pub head: &'static str,
    /// The columns, left to right. The last one takes what room is left and is wrapped.
    pub columns: &'static [ColumnSpec],
}

/// A column of a table.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ColumnSpec {
    /// The value that it shows.
    pub value: &'static str,
    /// What stands above it.
    pub head: &'static str,
    /// What the value is.
    pub kind: ReturnKind,
}

/// Two sides, and the rows of a table on them. A row's value `side` says where it belongs; until it is told, `act` says what
/// one does and `saw` what the other sees of it. A row with another `side` stands on neither, and `why` says why.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct SidesSpec {
    /// The table that its rows name.
    pub name: &'static str,
    /// The one on the left.
    pub left: SideSpec,
    /// The one on the right.
    pub right: SideSpec,
    /// Who acts.
    pub acts: &'static str,
    /// Who sees.
    pub looks: &'static str,
}

/// One of two sides.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct SideSpec {
    /// The word for it in the rows.
    pub side: &'static str,
    /// What stands above it.
    pub head: &'static str,
}

/// A tree of processes, of rows that a demo tells with `Fact::Row`, or of all tasks of the run if it tells none.
///
/// A row is what was seen of one process or thread at one moment. Its values: `who`, what it is called, the same in all of
/// its rows; `pid`; `tid`, for a thread only; `parent`, the process id of its parent; `program`, what the kernel calls it;
/// `state`, the letter of /proc, or "gone"; and `what`, a sentence on what has just happened.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct TreeSpec {
    /// What it is called in a list: "family tree".
    pub name: &'static str,
    /// The table that its rows name.
    pub table: &'static str,
}

/// A program that several workers go through, line by line, of rows that a demo tells with `Fact::Row`.
///
/// A row that is called as a worker is holds where that is: `at`, the line that it runs next, counted from 1, or one past the
/// last when it is through; `round`, a word on which time round it is; and any other value is one of its registers. The row
/// "memory" holds the words of memory by their names. The row "last" holds `words`, the last step in a sentence, and `order`,
/// the letters of the workers in the order of their steps so far.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ListingSpec {
    /// What it is called in a list: "program".
    pub name: &'static str,
    /// The table that its rows name.
    pub table: &'static str,
    /// The lines of the program.
    pub lines: &'static [&'static str],
}

/// How often each thing happened: the rows of a table, each a bar. Rows with a number `at` stand in its order, others in that
/// in which they were told; a word `note` stands after the count. Neighbours share a bar where there are too many.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct CountsSpec {
    /// What it is called in a list: "totals".
    pub name: &'static str,
    /// The table that its rows name.
    pub table: &'static str,
    /// What a row is, above the names: "total".
    pub head: &'static str,
    /// What is counted, above the counts: "trials".
    pub of: &'static str,
    /// The value of a row that is the count.
    pub count: &'static str,
}

/// Curves of points that a demo tells with `Fact::Point`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct CurvesSpec {
    /// What it is called in a list: "speed-up".
    pub name: &'static str,
    /// What goes to the right: "workers".
    pub x: &'static str,
    /// What goes up, and in which unit.
    pub y: &'static str,
    /// What the values that go up are.
    pub kind: ReturnKind,
    /// The curves, the most important first.
    pub curves: &'static [CurveSpec],
}

/// One curve.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct CurveSpec {
    /// The curve that its points name.
    pub curve: &'static str,
    /// What it is, in the legend.
    pub label: &'static str,
    /// Measured here, or what something says that it should be.
    pub stroke: Stroke,
}

/// How a curve is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stroke {
    /// What was measured: points that stand out, joined.
    Measured,
    /// How often each value came out: it tells where that was most often, and not its last point.
    Counted,
    /// What it is compared with: a law, a limit. A faint line.
    Reference,
}

/// A graph of who has which lock and who waits for which, as the facts about locks tell. A row "note" of its table says in its
/// value `words` what holds at the moment. Where there are as many locks as workers, they are drawn as round a table: each
/// worker between two locks, the first lock between the last worker and the first.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct WaitForSpec {
    /// What it is called in a list, and the table of its note: "wait-for graph".
    pub name: &'static str,
    /// What a lock is called here: "fork".
    pub lock: &'static str,
    /// The value of a worker that counts how often it had what it wants, and the word for one of it: ("meals", "meal").
    pub count: (&'static str, &'static str),
}

/// A bounded buffer. Each row of its table is a slot, with a number in the value `item` while something lies in it. A worker
/// with a value `made` is one that puts, one with a value `taken` one that takes.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct BufferSpec {
    /// What it is called in a list and above its slots: "hatch".
    pub name: &'static str,
    /// The table that its rows name.
    pub table: &'static str,
    /// The lock that whoever is at it has.
    pub lock: &'static str,
    /// What those that put wait for: "not full".
    pub puts: &'static str,
    /// What those that take wait for: "not empty".
    pub takes: &'static str,
    /// What lies in it, one and several: "dish", "dishes".
    pub items: (&'static str, &'static str),
}

/// A message on its way. A row of the table is a step, with what was found at it: `writer` and `reader`, what each does, in
/// a word or two; `at`, where the message is ("writer", "between" or "reader"); `now`, `capacity` and `unit`, what lies in
/// between; `copies`, how many there have been of it; and `what`, a sentence or two.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct JourneySpec {
    /// The table that its rows name.
    pub table: &'static str,
    /// The worker that writes, by letter.
    pub writer: &'static str,
    /// The worker that reads, by letter.
    pub reader: &'static str,
    /// What the two are: "writer" and "reader", or "caller" and "server".
    pub roles: [&'static str; 2],
    /// What a message lies in on its way: "pipe's buffer (kernel)".
    pub between: &'static str,
}

/// A bar for each row of a table, with the interval in which its true value lies: a ladder of figures that were measured.
///
/// A row is a number `value`, and `low` and `high` once they are known; or the word `why`, if it cannot be measured here.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct BarsSpec {
    /// What it is called in a list: "latency".
    pub name: &'static str,
    /// The table that its rows name.
    pub table: &'static str,
    /// What stands above the figures: what was measured.
    pub head: &'static str,
    /// The value of a row that its bar shows.
    pub value: &'static str,
    /// The value where the interval begins.
    pub low: &'static str,
    /// The value where it ends.
    pub high: &'static str,
    /// The value that says why there is no figure.
    pub why: &'static str,
    /// A word of the first row that holds for all of them: where it was measured.
    pub note: &'static str,
    /// What the values are.
    pub kind: ReturnKind,
    /// How the axis goes up.
    pub scale: Scale,
}

/// How an axis goes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scale {
    /// The same distance for each step: from nothing on.
    Linear,
    /// The same distance for each tenfold: from the power of ten below the least value on.
    Logarithmic,
}

/// A run queue in user space, of rows that a demo tells with `Fact::Row`, one a task.
///
/// A row's values: `place`, 0 for the task that runs, 1 for the next, and so on, or none where the kernel keeps the queue;
/// `slot`, whose colour it has; `turns`; `longest_ns`, its longest wait between two turns; `waiting_ns`, how long it has waited by
/// now; and the flag `greedy`, if it gives nothing up. What the kernel counts is that of the workers: they are the threads
/// below.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct RunQueueSpec {
    /// What it is called in a list: "run queue".
    pub name: &'static str,
    /// The table that its rows name.
    pub table: &'static str,
    /// The worker's value that counts the handings over.
    pub switches: &'static str,
}
