//! Who lived when, below whom: of the rows of a table, or of all tasks of a run.

use crate::fact::{Nanos, Row, Tally, Tid, TreeSpec, clean_line};
use serde_json::Value;

/// Something that happened to a process or thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// It executed another program, now called so.
    Program(String),
    /// It has another parent, called so.
    Parent(String),
    /// It has ended, and is still listed: a zombie.
    Ended,
    /// It is no more.
    Gone,
}

/// A process or thread from birth to end.
#[derive(Debug, Clone)]
pub(super) struct Life {
    /// What it is called.
    pub(super) name: String,
    /// Its process.
    pub(super) pid: Option<u32>,
    /// Its own number: the process's, or that of the thread.
    pub(super) id: Option<u32>,
    /// When it was first seen.
    pub(super) born: Nanos,
    /// What happened to it, in order of time.
    pub(super) events: Vec<(Nanos, Event)>,
    /// The lines that join it to its parent.
    pub(super) branch: String,
    /// It is a thread of the process above it.
    pub(super) thread: bool,
    first_parent: Option<u32>,
    parent: Option<u32>,
    program: Option<String>,
}

impl Life {
    fn new(name: String, pid: Option<u32>, tid: Option<u32>, born: Nanos) -> Self {
        let (thread, id) = (tid.is_some(), tid.or(pid));
        let (events, branch) = (Vec::new(), String::new());
        Self { name, pid, id, born, events, branch, thread, first_parent: None, parent: None, program: None }
    }

    /// Its number as it is shown.
    pub(super) fn number(&self) -> String {
        self.id.map_or_else(String::new, |id| id.to_string())
    }

    pub(super) fn alive(&self) -> bool {
        !self.events.iter().any(|(_, event)| matches!(event, Event::Ended | Event::Gone))
    }

    fn gone(&self) -> bool {
        self.events.iter().any(|(_, event)| *event == Event::Gone)
    }

    /// Takes in what a row says of it. `name_of` knows what the process of a number is called.
    fn see(&mut self, row: &Row, name_of: impl Fn(u32) -> String) {
        let at = row.first;
        if let Some(program) = text(row, "program") {
            let known = self.program.replace(program.clone());
            if known.is_some_and(|known| known != program) {
                self.events.push((at, Event::Program(program)));
            }
        }
        if let Some(parent) = number(row, "parent") {
            self.first_parent = self.first_parent.or(Some(parent));
            let known = self.parent.replace(parent);
            if known.is_some_and(|known| known != parent) && !self.thread {
                self.events.push((at, Event::Parent(name_of(parent))));
            }
        }
        match text(row, "state").as_deref() {
            Some("Z") if self.alive() => self.events.push((at, Event::Ended)),
            Some("gone") if !self.gone() => self.events.push((at, Event::Gone)),
            _ => {}
        }
    }
}

fn text(row: &Row, name: &str) -> Option<String> {
    row.values.get(name).and_then(Value::as_str).map(clean_line)
}

fn number(row: &Row, name: &str) -> Option<u32> {
    row.values.get(name).and_then(Value::as_u64).and_then(|n| n.try_into().ok())
}

/// All lives, each below the one that made it.
pub(super) fn lives(tally: &Tally, spec: &TreeSpec) -> Vec<Life> {
    let rows = tally.table(spec.table);
    let lives = if rows.is_empty() { of_tasks(tally) } else { of_rows(rows, tally) };
    planted(lives)
}

fn of_rows(rows: &[Row], tally: &Tally) -> Vec<Life> {
    let mut lives: Vec<Life> = Vec::new();
    let called: Vec<(u32, String)> = rows
        .iter()
        .filter(|row| number(row, "tid").is_none())
        .filter_map(|row| Some((number(row, "pid")?, text(row, "who")?)))
        .collect();
    let name_of = |pid: u32| {
        called.iter().find(|(known, _)| *known == pid).map_or_else(|| pid.to_string(), |(_, name)| name.clone())
    };
    for row in rows {
        let Some(who) = text(row, "who") else { continue };
        let at = lives.iter().position(|life| life.name == who).unwrap_or_else(|| {
            lives.push(Life::new(who, number(row, "pid"), number(row, "tid"), row.first));
            lives.len() - 1
        });
        lives[at].see(row, name_of);
    }
    // Whose end no row tells may have been seen to end all the same.
    for life in lives.iter_mut().filter(|life| !life.gone()) {
        let task = life.id.and_then(|id| tally.task(Tid(id)));
        if let Some((at, _)) = task.and_then(|task| task.ended.as_ref()).filter(|(at, _)| *at >= life.born) {
            let last = life.events.last().map_or(life.born, |(t, _)| *t);
            life.events.push(((*at).max(last), Event::Gone));
        }
    }
    lives
}

fn of_tasks(tally: &Tally) -> Vec<Life> {
    let life = |task: &crate::fact::TaskTally| {
        let tid = (task.tid.0 != task.pid.0).then_some(task.tid.0);
        let mut life = Life::new(clean_line(&task.name), Some(task.pid.0), tid, task.born);
        life.first_parent = Some(task.parent).filter(|parent| *parent != 0);
        life.events.extend(task.ended.as_ref().map(|(at, _)| (*at, Event::Gone)));
        life
    };
    tally.tasks.iter().map(life).collect()
}

/// Puts each below its parent, in order of birth, a process's threads first, and draws the branches.
fn planted(mut lives: Vec<Life>) -> Vec<Life> {
    let above: Vec<Option<usize>> = lives.iter().enumerate().map(|(i, life)| above(&lives, i, life)).collect();
    let mut order: Vec<(usize, Vec<bool>)> = Vec::new();
    let mut placed = vec![false; lives.len()];
    // Where a damaged stream makes a ring of parents, the first of it stands as if it had none.
    let roots = (0..lives.len()).filter(|i| above[*i].is_none()).chain(0..lives.len());
    for root in roots.collect::<Vec<_>>() {
        let mut next = vec![(root, Vec::new())];
        while let Some((i, lasts)) = next.pop() {
            if std::mem::replace(&mut placed[i], true) {
                continue;
            }
            let mut below: Vec<usize> = (0..lives.len()).filter(|c| above[*c] == Some(i) && !placed[*c]).collect();
            below.sort_by_key(|c| !lives[*c].thread);
            let many = below.len();
            for (n, child) in below.into_iter().enumerate().rev() {
                next.push((child, [lasts.as_slice(), &[n + 1 == many]].concat()));
            }
            order.push((i, lasts));
        }
    }
    for (i, lasts) in &order {
        let Some((last, above)) = lasts.split_last() else { continue };
        let mut branch: String = above.iter().map(|last| if *last { "  " } else { "│ " }).collect();
        branch.push_str(if *last { "└ " } else { "├ " });
        lives[*i].branch = branch;
    }
    let mut lives: Vec<Option<Life>> = lives.into_iter().map(Some).collect();
    order.iter().filter_map(|(i, _)| lives[*i].take()).collect()
}

/// Who stands above the life number `i`: its process for a thread, else the process that made it.
fn above(lives: &[Life], i: usize, life: &Life) -> Option<usize> {
    let wanted = if life.thread { life.pid } else { life.first_parent }?;
    lives.iter().enumerate().position(|(other, process)| other != i && !process.thread && process.pid == Some(wanted))
}
