//! `family`: fork, exec, exit, zombie, orphan, and a main thread that ends first, told step by step.
//!
//! The leader directs: it gives an order, waits until /proc shows the effect, and tells what it saw. A and D are its
//! workers; B and C are children of A, so that A alone decides when they are waited for.

mod parts;
mod story;

use super::Demo;
use super::pace::{self, Cut, Pace};
use crate::fact::{
    ColumnSpec, DemoSpec, Fact, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, Row, TableSpec, Tally,
    TreeSpec, Values,
};
use crate::stage::Stage;
use serde_json::{Value, json};
use std::time::Duration;
use story::{GONE, Story};

/// See the module.
pub(super) struct Family;

/// How long the family stays when all is told.
const STAY: Duration = Duration::from_millis(1500);

/// The chapters of the story; the first is all of them.
const CHAPTERS: &[&str] = &["all", "exec", "zombie", "orphan", "threads"];

/// What has been seen of one of the family at one moment, a row each.
const TABLE: &str = "family";

static TREE: TreeSpec = TreeSpec { name: "family tree", table: TABLE };

static STORY: TableSpec = TableSpec {
    name: "story",
    head: "step",
    columns: &[
        ColumnSpec { value: "who", head: "who", kind: ReturnKind::Word },
        ColumnSpec { value: "what", head: "what was seen", kind: ReturnKind::Word },
    ],
};

static SPEC: DemoSpec = DemoSpec {
    name: "family",
    title: "a family of processes, from fork to the last wait",
    part: "Anatomy",
    about: "A process forks a child. The child executes another program, ends, and stays as a zombie until its parent asks \
            for it. An orphan gets a new parent, and a main thread ends before its process does. See each step as it happens.",
    params: &[
        ParamSpec { name: "chapter", kind: ParamKind::Choice(CHAPTERS), help: "which part of the story" },
        pace::param(1500),
    ],
    returns: &[
        ReturnSpec { name: "steps", kind: ReturnKind::Count, help: "steps of the story that were seen" },
        ReturnSpec { name: "pid_kept", kind: ReturnKind::Flag, help: "B kept its process id over exec" },
        ReturnSpec { name: "program_before", kind: ReturnKind::Word, help: "what B was called before exec" },
        ReturnSpec { name: "program_after", kind: ReturnKind::Word, help: "what B is called after exec" },
        ReturnSpec { name: "zombie_seen", kind: ReturnKind::Flag, help: "B had ended and was still listed" },
        ReturnSpec { name: "after_exit", kind: ReturnKind::Word, help: "B's state when it had ended: Z, or gone" },
        ReturnSpec { name: "exit_code", kind: ReturnKind::Number, help: "what A got by waiting for B" },
        ReturnSpec { name: "reaped", kind: ReturnKind::Flag, help: "B was gone when A had waited for it" },
        ReturnSpec { name: "new_parent", kind: ReturnKind::Word, help: "who is C's parent when A has ended" },
        ReturnSpec {
            name: "main_thread_gone_first",
            kind: ReturnKind::Flag,
            help: "D's main thread had ended, and the other went on",
        },
    ],
    pictures: &[Picture::Tree(&TREE), Picture::Table(&STORY)],
    controls: &[pace::SLOWER, pace::FASTER],
    ..DemoSpec::BASE
};

impl Demo for Family {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        let params = stage.params(&SPEC);
        let mut story = Story::new(stage, Pace::new(params.int("pace")));
        let told = story.tell(params.word("chapter"));
        if let Err(Cut::Refused(refused)) = &told {
            story.stage().tell(Fact::Refused(refused.clone()));
        }
        if !matches!(told, Err(Cut::Finish)) {
            story.stage().tell(Fact::settled());
            story.stay(STAY);
        }
        story.send_off();
        Ok(())
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let rows = tally.table(TABLE);
        let at = |step: &str| rows.iter().find(|row| text(row, "step") == Some(step));
        let value = |step: &str, name: &str| at(step).and_then(|row| row.values.get(name)).cloned();
        let kept = at("forked").zip(at("executed")).map(|(before, after)| {
            ["pid", "started"].iter().all(|name| before.values.get(*name) == after.values.get(*name))
        });
        let after_exit = value("ended", "state");
        let went_on = at("main ended").map(|row| row.values.get("went_on") == Some(&json!(true)));
        [
            ("steps", Some(json!(rows.iter().filter(|row| text(row, "step").is_some()).count()))),
            ("pid_kept", kept.map(|kept| json!(kept))),
            ("program_before", at("executed").and_then(|_| value("forked", "program"))),
            ("program_after", value("executed", "program")),
            ("zombie_seen", after_exit.as_ref().map(|state| json!(state == "Z"))),
            ("after_exit", after_exit),
            ("exit_code", value("reaped", "code")),
            ("reaped", at("reaped").map(|row| json!(text(row, "state") == Some(GONE)))),
            ("new_parent", value("adopted", "adopter")),
            ("main_thread_gone_first", went_on.map(|went_on| json!(went_on))),
        ]
        .map(|(name, value)| (name.to_owned(), value.unwrap_or(Value::Null)))
        .into()
    }
}

fn text<'a>(row: &'a Row, name: &str) -> Option<&'a str> {
    row.values.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests;
