//! The fences with a meaning: `predict`, `demo NAME`, `quiz`, `hint`, and pictures made of text.
//!
//! ````text
//! ```predict                     ```quiz                                    ```demo crash
//! How many tabs are left?        Who decides that a task has to wait?       tabs = 6
//! - 0                            - [ ] the CPU :: It runs what it is given. expect = { survivors = 5 }
//! - 5                            - [x] the scheduler :: It is the part of   ```
//! = survivors                      the kernel that chooses.
//! ```                            ```
//! ````

use super::Parser;
use super::blocks::container;
use super::piece::Piece;
use super::toml_body;
use crate::lesson::{
    Block, Choice, Demo, Diagnostic, Expect, Matches, Pos, Predict, Quiz, QuizOption, Reading, nearest, read_limits,
};
use comrak::nodes::NodeCodeBlock;
use comrak::{Arena, Node};
use serde_json::Value;
use std::collections::BTreeMap;

const KINDS: [&str; 6] = ["predict", "demo", "quiz", "hint", "picture", "text"];

/// One `- ` line, with the lines that continue it.
struct Item {
    text: String,
    at: (Pos, usize),
}

/// A fence of a question, taken apart.
#[derive(Default)]
struct Question {
    text: String,
    at: Pos,
    items: Vec<Item>,
    answers: Vec<Item>,
}

impl Parser<'_> {
    /// A fenced block, by its first word.
    pub(super) fn fence(&mut self, node: Node<'_>, code: &NodeCodeBlock, piece: &Piece<'_>, depth: usize) -> Block {
        let at = piece.start(self, node);
        let inside = Piece::new(code.literal.strip_suffix('\n').unwrap_or(&code.literal), at.line + 1);
        if !code.closed {
            let fence = (code.fence_char as char).to_string().repeat(code.fence_length);
            let open = Diagnostic::error(self.file, (at, code.fence_length), "this block is never closed");
            self.wrong(open.help(format!("end it with a line {fence}")));
        }
        let (kind, words) = code.info.trim().split_once(char::is_whitespace).unwrap_or((code.info.trim(), ""));
        let width = code.fence_length + code.info.chars().count();
        let special = matches!(kind, "predict" | "demo" | "quiz" | "hint");
        if special && (depth > 0 || piece.first != self.body_line) {
            let what = format!("a {kind} cannot stand inside {}", container(depth));
            let help = "move it to the left margin";
            return Block::Wrong(self.wrong(Diagnostic::error(self.file, (at, width), what).help(help)));
        }
        let read = match kind {
            "predict" => self.predict(&inside, (at, width)).map(Block::Predict),
            "quiz" => self.quiz(&inside, (at, width)).map(Block::Quiz),
            "demo" => self.demo(words.trim(), &inside, (at, width)).map(Block::Demo),
            "hint" => self.hint(&inside, (at, width)).map(Block::Hint),
            "picture" | "text" => Ok(Block::Picture(inside.text.to_owned())),
            _ => {
                self.mistyped(kind, (at, width));
                Ok(Block::Code(kind.to_owned(), inside.text.to_owned()))
            }
        };
        read.unwrap_or_else(Block::Wrong)
    }

    /// A language that is one slip away from a fence with a meaning.
    fn mistyped(&mut self, kind: &str, at: (Pos, usize)) {
        if let Some(near) = nearest(kind, KINDS).filter(|_| kind.len() >= 4) {
            let what = format!("“{kind}” is shown as code");
            self.wrong(Diagnostic::warning(self.file, at, what).help(format!("did you mean “{near}”?")));
        }
    }

    fn hint(&mut self, inside: &Piece<'_>, at: (Pos, usize)) -> Result<Vec<Block>, String> {
        if inside.text.trim().is_empty() {
            return self.refuse(at, "this hint says nothing", "write what it hints at before the fence ends");
        }
        let arena = Arena::new();
        Ok(match self.markdown(&arena, inside) {
            Some(root) => self.blocks(root, inside, 0),
            None => vec![Block::Wrong("this hint could not be read".to_owned())],
        })
    }

    fn refuse<T>(&mut self, at: (Pos, usize), what: impl Into<String>, help: &str) -> Result<T, String> {
        Err(self.wrong(Diagnostic::error(self.file, at, what).help(help)))
    }

    /// Takes the inside of a `predict` or `quiz` apart; the question is what stands before the first option.
    fn question(&mut self, inside: &Piece<'_>, kind: &str, at: (Pos, usize)) -> Result<Question, String> {
        let mut found = Question { at: Pos { line: at.0.line + 1, column: 1 }, ..Question::default() };
        for (n, line) in inside.lines.iter().enumerate() {
            let trimmed = line.trim();
            let item = |text: &str| Item { text: text.trim().to_owned(), at: inside.line(self, n + 1) };
            if let Some(text) = trimmed.strip_prefix("- ").or((trimmed == "-").then_some("")) {
                found.items.push(item(text));
            } else if let Some(name) = trimmed.strip_prefix('=').filter(|_| kind == "predict") {
                found.answers.push(item(name));
            } else if found.items.is_empty() && found.answers.is_empty() {
                found.text.push_str(line);
                found.text.push('\n');
            } else if trimmed.is_empty() {
            } else if line.starts_with([' ', '\t']) && found.answers.is_empty() {
                if let Some(last) = found.items.last_mut() {
                    last.text.push('\n');
                    last.text.push_str(trimmed);
                }
            } else {
                let what = "this line is neither an option nor goes on with one";
                return self.refuse(inside.line(self, n + 1), what, "begin an option with “- ”, or indent the line");
            }
        }
        if found.text.trim().is_empty() {
            return self.refuse(at, format!("this {kind} asks nothing"), "write the question before the options");
        }
        if found.items.len() < 2 || found.items.len() > read_limits::OPTIONS {
            let what = format!("this {kind} has {} options", found.items.len());
            return self.refuse(at, what, &format!("give it 2 to {}, each a line “- option”", read_limits::OPTIONS));
        }
        Ok(found)
    }

    fn predict(&mut self, inside: &Piece<'_>, at: (Pos, usize)) -> Result<Predict, String> {
        let found = self.question(inside, "predict", at)?;
        let answer = match found.answers.as_slice() {
            [answer] if !answer.text.is_empty() => answer.text.clone(),
            [] => {
                let help = "end it with a line “= value”, naming a value of the demo";
                return self.refuse(at, "this predict does not say which value answers it", help);
            }
            [_, more, ..] => return self.refuse(more.at, "one value answers a prediction", "remove this line"),
            [answer] => return self.refuse(answer.at, "the value's name is missing", "write “= value”"),
        };
        let mut options = Vec::new();
        for Item { text, at } in found.items {
            if text.is_empty() {
                return self.refuse(at, "this option is empty", "write what it covers after the dash");
            }
            match Reading::of(&text) {
                Ok(reading) => options.push(Choice { label: text, matches: reading.matches }),
                Err(what) => return self.refuse(at, what, "write it as “1 ms .. 10 ms”"),
            }
        }
        Ok(Predict { at: at.0, question: self.line_text(found.text.trim_end(), found.at), options, answer })
    }

    fn quiz(&mut self, inside: &Piece<'_>, at: (Pos, usize)) -> Result<Quiz, String> {
        const HELP: &str = "write “- [x] right option :: reason” or “- [ ] wrong option :: reason”";
        let found = self.question(inside, "quiz", at)?;
        let mut options = Vec::new();
        for Item { text, at } in found.items {
            let ticked = text.strip_prefix("[x]").or_else(|| text.strip_prefix("[X]"));
            let Some(rest) = ticked.or_else(|| text.strip_prefix("[ ]")) else {
                return self.refuse(at, "this option does not say whether it is right", HELP);
            };
            let spaced = rest.replace('\n', " ");
            let (label, reason) = spaced.split_once(" :: ").unwrap_or((&spaced, ""));
            if label.trim().is_empty() || reason.trim().is_empty() {
                self.wrong(Diagnostic::error(self.file, at, "this option gives no reason").help(HELP));
            }
            let (label, reason) = (self.line_text(label.trim(), at.0), self.line_text(reason.trim(), at.0));
            options.push(QuizOption { label, right: ticked.is_some(), reason });
        }
        match options.iter().filter(|o| o.right).count() {
            0 => return self.refuse(at, "none of these options is right", HELP),
            1 => {}
            _ => _ = self.wrong(Diagnostic::error(self.file, at, "more than one of these options is right").help(HELP)),
        }
        Ok(Quiz { at: at.0, question: self.line_text(found.text.trim_end(), found.at), options })
    }

    fn demo(&mut self, name: &str, inside: &Piece<'_>, at: (Pos, usize)) -> Result<Demo, String> {
        if name.is_empty() || name.contains(char::is_whitespace) {
            return self.refuse(at, "a demo block names one demo", "write ```demo NAME, and its parameters below");
        }
        let (entries, mut broken) = toml_body::read(self, inside);
        let mut demo = Demo { at: at.0, name: name.to_owned(), params: BTreeMap::new(), expect: BTreeMap::new() };
        for entry in entries {
            match (entry.key.as_str(), entry.value) {
                ("expect", Value::Object(expected)) => {
                    for (name, value) in expected {
                        match expect(&name, value) {
                            Ok(expect) => drop(demo.expect.insert(name, expect)),
                            Err(what) => {
                                let help = "write expect = { value = 5, other = \"1 ms .. 10 ms\" }";
                                broken = self.refuse::<()>(entry.value_at, what, help).err();
                            }
                        }
                    }
                }
                ("expect", _) => {
                    let what = "expect takes a table";
                    broken = self.refuse::<()>(entry.value_at, what, "write expect = { value = 5 }").err();
                }
                (_, value) => drop(demo.params.insert(entry.key, value)),
            }
        }
        broken.map_or(Ok(demo), Err)
    }
}

/// What an author expects of one value.
fn expect(name: &str, value: Value) -> Result<Expect, String> {
    let matches = match &value {
        Value::String(written) => Reading::of(written)?.matches,
        Value::Number(n) => Matches::Number(n.as_f64().unwrap_or(f64::NAN)),
        Value::Bool(_) | Value::Array(_) => Matches::Is(value.clone()),
        _ => return Err(format!("{name} cannot be compared with a table")),
    };
    let written = match value {
        Value::String(written) => written,
        other => other.to_string(),
    };
    Ok(Expect { written, matches })
}
