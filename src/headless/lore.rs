//! `forklore lore`: every claim of the ledger, tested here. What can be shown by one run is shown by one, and runs are made
//! one after the other: two at once would disturb each other.

mod tell;

use super::out::Out;
use super::request::allowed;
use super::signals::Signals;
use super::{Done, complain, judge, regret, tell as words};
use crate::cli::Common;
use crate::demo;
use crate::fact::{DemoSpec, Params, SourceChoice};
use crate::keep::{self, Notes};
use crate::lesson::{Library, embed};
use crate::library;
use crate::lore::{Came, Claim, Fault, Judgement, Lang, Ledger, Verdict, groups};
use crate::progress::{Answer, By, Measured, When};
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use tell::{Told, Voice};

/// Tests the claims with these ids, or all.
pub(super) fn lore(common: &Common, ids: &[String], json: bool, source: SourceChoice) -> Done {
    let prepared = library::open(common).and_then(|library| Ok((library, ledger(common)?)));
    let (library, ledger) = match prepared {
        Ok(prepared) => prepared,
        Err(sentence) => return complain(&sentence),
    };
    let claims = match chosen(&ledger, ids) {
        Ok(claims) => claims,
        Err(sentence) => return complain(&sentence),
    };
    let signals = match Signals::catch() {
        Ok(signals) => signals,
        Err(sentence) => return complain(&sentence),
    };
    let lang = Lang::of(&library::language(common));
    let voice = Voice { ledger: &ledger, library: &library, lang, json };
    let kept = Kept::default();
    let mut session = Session { kept, out: Out::new(&signals), voice, source, verdicts: BTreeMap::new(), broke: 0 };
    let done = session.test(&claims);
    session.conclude(&claims, done)
}

/// The ledger, if nothing is wrong with it.
///
/// # Errors
/// It cannot be read, or what is wrong with it.
pub fn ledger(common: &Common) -> Result<Ledger, String> {
    let (file, text) = library::lore(common)?;
    Ledger::read(&file, &text, &demo::specs(), &embed::claims()).map_err(|found| {
        let said: Vec<_> = found.iter().map(|diagnostic| diagnostic.render(&text)).collect();
        format!("the ledger cannot be used\n{}", said.join("").trim_end())
    })
}

/// The claims that were asked for, each once, in the order of the ledger.
fn chosen<'l>(ledger: &'l Ledger, ids: &[String]) -> Result<Vec<&'l Claim>, String> {
    let unknown: Vec<String> = ids.iter().filter_map(|id| ledger.find(id).err()).collect();
    if !unknown.is_empty() {
        return Err(unknown.join("\n"));
    }
    Ok(ledger.claims().iter().filter(|claim| ids.is_empty() || ids.contains(&claim.id)).collect())
}

/// What goes into the learner's results.
#[derive(Default)]
struct Kept {
    runs: Vec<Measured>,
    answers: Vec<(String, Answer)>,
}

fn answer(judged: Judgement) -> Answer {
    let (verdict, host) = (judged.verdict.word().to_owned(), String::new());
    Answer { verdict, because: judged.because, shown: judged.shown, host, when: When::now() }
}

struct Session<'s> {
    kept: Kept,
    out: Out<'s>,
    voice: Voice<'s>,
    source: SourceChoice,
    verdicts: BTreeMap<String, Verdict>,
    /// Runs that broke.
    broke: usize,
}

impl Session<'_> {
    /// Runs what there is to run, and tells after each run what it says.
    fn test(&mut self, claims: &[&Claim]) -> Result<(), Done> {
        let groups = groups(claims.iter().copied());
        let runs = groups.iter().filter(|group| group.run.is_some()).count();
        for (n, group) in groups.iter().enumerate() {
            let came = match &group.run {
                Some((spec, params)) => {
                    progress(n + 1, runs, spec, params, group.claims.len());
                    Some(self.run(spec, params)?)
                }
                None => None,
            };
            self.broke += usize::from(matches!(came, Some(Err(Fault::Broke(_)))));
            let Told { lines, judged } = self.voice.group(group.run.as_ref(), &group.claims, came.as_ref());
            for (id, judged) in judged {
                self.verdicts.insert(id.clone(), judged.verdict);
                self.kept.answers.push((id, answer(judged)));
            }
            self.say(&lines)?;
        }
        Ok(())
    }

    fn run(&mut self, spec: &DemoSpec, params: &Params) -> Result<Came, Done> {
        match allowed(spec, params) {
            Ok(()) => {
                let mut notes = Notes::default();
                let came = judge::play(spec, params.clone(), self.source, &mut self.out, &mut notes)?;
                let judged = came.as_ref().ok();
                self.kept.runs.extend(judged.and_then(|values| notes.measured(By::Lore, Some(values))));
                Ok(came)
            }
            Err(sentence) => Ok(Err(Fault::Refused(sentence))),
        }
    }

    fn say(&mut self, lines: &[String]) -> Result<(), Done> {
        if !lines.is_empty() {
            self.out.say(&lines.join("\n"), &mut || ());
        }
        self.out.ended().map_or(Ok(()), Err)
    }

    /// Adds up. What a signal broke off is added up too, as far as it went.
    fn conclude(mut self, claims: &[&Claim], done: Result<(), Done>) -> Done {
        let Kept { runs, answers } = std::mem::take(&mut self.kept);
        let told = keep::add(|results, host| {
            runs.into_iter().for_each(|run| results.keep(host, run));
            answers.into_iter().for_each(|(id, answer)| results.answer(host, &id, answer));
        });
        if matches!(done, Err(Done::Signalled(_))) && std::io::stderr().is_terminal() {
            // The terminal has put ^C at the head of the line.
            let _ = writeln!(std::io::stderr());
        }
        told.iter().for_each(|told| _ = regret(told));
        let lines = self.voice.conclusion(claims, &self.verdicts, done.is_err());
        if !lines.is_empty() {
            self.out.say(&lines.join("\n"), &mut || ());
        }
        let ended = self.out.ended().map_or(done, Err);
        match ended {
            Err(done) => done,
            Ok(()) if self.broke > 0 => Done::Failed,
            Ok(()) => Done::Well,
        }
    }
}

/// What runs now, for somebody who waits at a terminal.
fn progress(n: usize, runs: usize, spec: &DemoSpec, params: &Params, claims: usize) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let given = words::params(params.values());
        let claims = if claims == 1 { "1 claim".to_owned() } else { format!("{claims} claims") };
        let line = format!("run {n} of {runs}, {claims}: {} {given}", spec.name);
        // Nobody need hear it.
        let _ = writeln!(stderr, "{}", line.chars().take(79).collect::<String>());
    }
}

/// The lesson, and its step counted from 1, that takes up `claim`.
fn place<'l>(library: &'l Library, claim: &Claim) -> Option<(&'l str, Option<usize>)> {
    let (lesson, step) = crate::lore::place(library.lessons(), claim)?;
    Some((&library.lessons().nth(lesson)?.id, step.map(|n| n + 1)))
}
