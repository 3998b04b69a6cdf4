//! How much of a lesson is read. A real lesson stays far below every one of these; what is above is a mistake or an attack.

/// Bytes of a file. Whoever reads the disk need not read further than one byte more.
pub const BYTES: usize = 1 << 20;
/// Bytes of a line.
pub const LINE: usize = 64 << 10;
/// Lines of a file.
pub const LINES: usize = 20_000;
/// Blanks, and marks of lists and quotations, at the beginning of a line: every line is held against each container that
/// is open, so that deep ones make many lines dear.
pub const INDENT: usize = 256;
/// See [`INDENT`].
pub const MARKS: usize = 2 * DEPTH;
/// Bytes of the front matter, and of the body of a `demo` block.
pub const TOML: usize = 16 << 10;
/// Levels of lists, quotations and emphasis within each other.
pub const DEPTH: usize = 32;
/// Blocks and runs of text.
pub const NODES: usize = 200_000;
/// Columns of a table.
pub const COLUMNS: usize = 64;
/// Steps of a lesson.
pub const STEPS: usize = 500;
/// Options of a question: one for each digit key.
pub const OPTIONS: usize = 9;
/// Messages for one lesson.
pub const MESSAGES: usize = 200;
/// Work that the markdown parser may do, in units of 256 of its own small steps. A megabyte of prose needs under a thousand.
pub const WORK: u32 = 2048;
