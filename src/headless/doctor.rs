//! `forklore doctor`: what this machine allows, what that means, and how to allow more. It tries and leaves nothing behind.

use super::Done;
use super::out::say;
use super::request::ranges;
use super::words::fold;
use crate::demo;
use crate::fact::{DemoSpec, Need, Source, SourceChoice, clean_line};
use crate::kernel::{self, Capability, Machine, State};
use crate::progress::{self, NotKept, Place};
use crate::term::depth::{Colours, Depth, Glyphs};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Says what there is to say.
pub(super) fn doctor(choice: SourceChoice, json: bool) -> Done {
    let report = Report {
        machine: Machine::look(),
        capabilities: kernel::survey(),
        choice,
        depth: Depth::of_environment(),
        progress: progress::try_out(&Place::Standard),
    };
    let text = if json { report.as_json().to_string() } else { report.as_words().join("\n") };
    say(&text).map_or_else(|done| done, |()| Done::Well)
}

struct Report {
    machine: Machine,
    capabilities: Vec<Capability>,
    choice: SourceChoice,
    depth: Depth,
    progress: Result<PathBuf, NotKept>,
}

/// Where the facts of a demo's run would come from.
struct Would {
    source: Option<Source>,
    /// Why no better one, or why none.
    because: Vec<String>,
}

impl Report {
    fn capability(&self, name: &str) -> Option<&Capability> {
        self.capabilities.iter().find(|c| c.name == name)
    }

    /// The source that a run of `spec` would use: as a run does, the best is tried first.
    fn would(&self, spec: &DemoSpec) -> Would {
        let wanted = match self.choice {
            SourceChoice::Best if spec.unwatched => vec![Source::Unwatched],
            SourceChoice::Best => Source::ALL.to_vec(),
            SourceChoice::Only(source) => vec![source],
        };
        let mut because = Vec::new();
        for source in wanted {
            let why = match surveyed_as(source).and_then(|name| self.capability(name)) {
                _ if source == Source::SelfTimed && !spec.self_timed => "its workers do not spin".to_owned(),
                Some(found) if found.state == State::No => found.found.clone(),
                _ => return Would { source: Some(source), because },
            };
            because.push(format!("not {source}: {}", clean_line(&why)));
        }
        Would { source: None, because }
    }

    /// What a demo cannot show on this machine: what is not shown, and the capability that it would take.
    fn missing(&self, spec: &DemoSpec) -> Vec<&'static Need> {
        let refused = |need: &&Need| self.capability(need.capability).is_some_and(|c| c.state == State::No);
        spec.needs.iter().filter(refused).collect()
    }

    fn as_words(&self) -> Vec<String> {
        let mut out = self.machine_words();
        out.extend([String::new(), "What this machine allows".to_owned()]);
        for found in &self.capabilities {
            out.extend(capability_words(found));
        }
        out.extend([String::new(), "What the demos show here".to_owned()]);
        for spec in demo::specs() {
            out.extend(self.demo_words(spec));
        }
        out.extend([String::new(), "The terminal".to_owned()]);
        let Depth { colours: c, glyphs, screen } = self.depth;
        let screen = if screen { "" } else { ", and it cannot move its cursor: no tour on it" };
        out.extend(fold("  ", &format!("{}, {}{screen}.", colours(c), characters(glyphs))));
        out.extend([String::new(), "Progress".to_owned()]);
        out.extend(self.progress_words());
        out
    }

    fn progress_words(&self) -> Vec<String> {
        match &self.progress {
            Ok(place) => fold("  yes     kept in ", &clean_line(&place.to_string_lossy())),
            Err(NotKept { place, why, remedy }) => {
                let place = place.as_ref().map(|place| format!(" in {}", place.display())).unwrap_or_default();
                let mut out = fold("  no      ", &clean_line(&format!("not kept{place}: {why}")));
                out.extend(fold("          to allow it: ", &clean_line(remedy)));
                out
            }
        }
    }

    fn machine_words(&self) -> Vec<String> {
        let Machine { allowed, online, model, memory, kernel, virtual_machine, page_size, governor } = &self.machine;
        let mut out = vec![format!("forklore {} on Linux {}", env!("CARGO_PKG_VERSION"), clean_line(kernel))];
        let model = if model.is_empty() { String::new() } else { format!("; {}", clean_line(model)) };
        out.extend(fold("  CPUs     ", &format!("{} allowed of {}{model}", ranges(allowed), ranges(online))));
        let mib = memory / (1 << 20);
        out.push(format!("  memory   {} MiB, in pages of {page_size} bytes", crate::fact::thousands(mib)));
        if let Some(governor) = governor {
            out.push(format!("  clock    governed by {}", clean_line(governor)));
        }
        if *virtual_machine {
            let what =
                "this is a virtual machine: its host may take the CPUs away for a while, and nothing here sees that";
            out.extend(fold("  note     ", what));
        }
        out
    }

    fn demo_words(&self, spec: &DemoSpec) -> Vec<String> {
        let Would { source, because } = self.would(spec);
        let head = format!("  {:<11}  ", spec.name);
        let indent = " ".repeat(head.len());
        let pictures: Vec<_> = spec.pictures.iter().map(|p| p.name()).collect();
        let mut out = match source {
            Some(source) => fold(&head, &format!("{source}: {}", pictures.join(", "))),
            None => fold(&head, "cannot run with this source"),
        };
        because.iter().for_each(|why| out.extend(fold(&indent, why)));
        let needs: Vec<_> = spec.needs.iter().map(|need| self.need_words(need)).collect();
        if !needs.is_empty() {
            out.extend(fold(&indent, &format!("needs {}", needs.join(", "))));
        }
        for need in self.missing(spec) {
            out.extend(fold(&indent, &format!("without {}: see {} above", need.without, need.capability)));
        }
        out
    }

    fn need_words(&self, need: &Need) -> String {
        let state = self.capability(need.capability).map_or("unknown", |found| state(found.state));
        format!("{} ({state})", need.capability)
    }

    fn as_json(&self) -> Value {
        let demos = demo::specs().into_iter().map(|spec| {
            let Would { source, because } = self.would(spec);
            let pictures: Vec<_> = spec.pictures.iter().map(|p| p.name()).collect();
            json!({
                "name": spec.name, "source": source, "because": because, "pictures": pictures,
                "needs": spec.needs.iter().map(|need| need.capability).collect::<Vec<_>>(),
                "missing": self.missing(spec).into_iter().map(|need| need.without).collect::<Vec<_>>(),
            })
        });
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "machine": self.machine,
            "capabilities": self.capabilities,
            "demos": demos.collect::<Vec<_>>(),
            "terminal": {
                "colours": match self.depth.colours {
                    Colours::None => 0, Colours::Sixteen => 16, Colours::Cube => 256, Colours::True => 1 << 24,
                },
                "characters": match self.depth.glyphs {
                    Glyphs::Ascii => "ascii", Glyphs::Boxes => "boxes", Glyphs::Unicode => "unicode",
                },
                "screen": self.depth.screen,
            },
            "progress": match &self.progress {
                Ok(place) => json!({ "kept": true, "place": place.to_string_lossy() }),
                Err(NotKept { place, why, remedy }) => json!({
                    "kept": false, "place": place.as_ref().map(|place| place.to_string_lossy()), "why": why,
                    "remedy": remedy,
                }),
            },
        })
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::Yes => "yes",
        State::Partly => "partly",
        State::No => "no",
    }
}

fn capability_words(found: &Capability) -> Vec<String> {
    let state = state(found.state);
    let mut out = vec![format!("  {state:<6}  {}", found.name)];
    out.extend(fold("          ", &format!("{} ({})", clean_line(&found.means), clean_line(&found.found))));
    if let Some(remedy) = &found.remedy {
        out.extend(fold("          to allow more: ", &clean_line(remedy)));
    }
    out
}

/// The name under which the survey speaks of what a source needs, if it needs anything.
fn surveyed_as(source: Source) -> Option<&'static str> {
    match source {
        Source::Exact => Some("exact switch records"),
        Source::SelfTimed => Some("self-timed slices"),
        Source::Sampled => Some("sampling /proc"),
        Source::Unwatched => None,
    }
}

fn colours(colours: Colours) -> &'static str {
    match colours {
        Colours::None => "no colours",
        Colours::Sixteen => "16 colours",
        Colours::Cube => "256 colours",
        Colours::True => "16 million colours",
    }
}

fn characters(glyphs: Glyphs) -> &'static str {
    match glyphs {
        Glyphs::Ascii => "ASCII characters",
        Glyphs::Boxes => "ASCII characters and boxes",
        Glyphs::Unicode => "all characters",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    fn report(choice: SourceChoice) -> Report {
        let depth = Depth { colours: Colours::None, glyphs: Glyphs::Ascii, screen: false };
        let progress =
            Err(NotKept { place: None, why: "as \u{1b}[2Jasked".to_owned(), remedy: "ask again".to_owned() });
        Report { machine: Machine::look(), capabilities: kernel::survey(), choice, depth, progress }
    }

    #[test]
    fn the_survey_speaks_of_every_source_and_of_what_demos_need() {
        let report = report(SourceChoice::Best);
        let needed = demo::specs().into_iter().flat_map(|spec| spec.needs).map(|need| need.capability);
        for name in Source::ALL.into_iter().filter_map(surveyed_as).chain(needed) {
            assert!(report.capability(name).is_some(), "{name}");
        }
    }

    #[test]
    fn what_is_refused_is_not_used_and_the_reason_is_told() {
        let mut report = report(SourceChoice::Best);
        for found in &mut report.capabilities {
            found.state = if Some(found.name) == surveyed_as(Source::Exact) { State::No } else { State::Yes };
            found.found = "paranoid \u{1b}[2J".to_owned();
        }
        for spec in demo::specs() {
            let would = report.would(spec);
            let best = match spec {
                spec if spec.unwatched => (Source::Unwatched, 0),
                spec if spec.self_timed => (Source::SelfTimed, 1),
                _ => (Source::Sampled, 2),
            };
            assert_eq!((would.source, would.because.len()), (Some(best.0), best.1));
        }
        let words = report.as_words();
        assert!(words.iter().all(|line| line.width() <= 80 && !line.contains('\u{1b}')), "{words:#?}");
        report.choice = SourceChoice::Only(Source::Exact);
        assert!(demo::specs().into_iter().all(|spec| report.would(spec).source.is_none()));
        let json = report.as_json();
        assert!(json["demos"][0]["source"].is_null(), "{json}");
        assert_eq!((&json["progress"]["kept"], &json["progress"]["remedy"]), (&json!(false), &json!("ask again")));
    }
}
