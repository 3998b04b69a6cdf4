//! The commands over pipes: what they say, how they end, and that nothing in it acts on a terminal.

mod check;
mod lore;
mod outside;
mod parameters;
mod recordings;
mod report;
mod results;
mod run;

use crate::support::{Patience, Surroundings, User, foreign};
use assert_cmd::Command;
use forklore::fact::{DemoSpec, Params, Stamped};
use std::time::Instant;

/// How a command ended, and what it said.
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Said {
    /// Runs a command that must end by itself within patience, and write plain text only.
    fn by(mut command: Command) -> Self {
        let begun = Instant::now();
        let output = command.timeout(Patience::default().0).output().expect("forklore starts");
        let code = output.status.code().unwrap_or_else(|| panic!("{} after {:?}", output.status, begun.elapsed()));
        for bytes in [&output.stdout, &output.stderr] {
            assert!(!bytes.contains(&0x1b), "an escape byte: {}", String::from_utf8_lossy(bytes));
            assert_eq!(foreign(bytes), [""; 0]);
        }
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self { code, out: text(output.stdout), err: text(output.stderr) }
    }

    /// One sentence on standard error, nothing on standard output, and the code of what could not run.
    #[track_caller]
    fn could_not(&self, part: &str) {
        assert_eq!((self.code, &*self.out), (2, ""), "{}", self.err);
        assert_eq!(self.err.lines().count(), 1, "one sentence: {}", self.err);
        assert!(self.err.starts_with("forklore: ") && self.err.contains(part), "{part} is not in: {}", self.err);
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}", self.out))
    }

    fn facts(&self) -> Vec<Stamped> {
        let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        self.out.lines().map(read).collect()
    }
}

/// Runs forklore with these words.
fn forklore(here: &Surroundings, words: &str) -> Said {
    Said::by(here.forklore(words.split_whitespace()))
}

#[test]
fn list_tells_lessons_and_demos_to_everybody() {
    for user in User::all() {
        let here = Surroundings::new(user);
        let said = forklore(&here, "list");
        assert_eq!((said.code, &*said.err), (0, ""));
        assert!(said.out.lines().all(|line| line.chars().count() <= 80), "{}", said.out);
        let json = forklore(&here, "list --json").json();
        let names = |what: &str, key: &str| -> Vec<String> {
            let all = json[what].as_array().expect("a list").iter();
            all.map(|one| one[key].as_str().expect("a name").to_owned()).collect()
        };
        for name in names("lessons", "id").iter().chain(&names("lessons", "title")).chain(&names("demos", "name")) {
            assert!(said.out.contains(name.split(' ').next().expect("a word")), "{name} is not in the words");
        }
        for lesson in json["lessons"].as_array().expect("a list") {
            assert!(lesson["number"].is_u64() && lesson["minutes"].is_u64() && lesson["part"].is_string(), "{lesson}");
            assert!(!lesson["steps"].as_array().expect("steps").is_empty(), "{lesson}");
        }
    }
}

#[test]
fn list_speaks_the_language_that_is_asked_for() {
    let here = Surroundings::new(User::Me);
    let titles = |words| forklore(&here, words).json()["lessons"].to_string();
    let (english, chinese) = (titles("list --json"), titles("list --json --lang zh"));
    assert!(english.is_ascii() && !chinese.is_ascii(), "{english}\n{chinese}");
    let by_environment = Said::by({
        let mut command = here.forklore(["list", "--json"]);
        command.env("LANG", "zh_CN.UTF-8");
        command
    });
    assert_eq!(by_environment.json()["lessons"].to_string(), chinese);
}

#[test]
fn a_theme_or_language_that_is_wrong_is_refused_by_every_command() {
    let here = Surroundings::new(User::Me);
    std::fs::write(here.home().join("mine.toml"), "name = \"mine\"\n[roles]\ntitel = \"red\"\n").expect("written");
    std::fs::write(here.home().join("good.toml"), "name = \"good\"\n[roles]\ntitle = \"#7a3e00 yellow bold\"\n")
        .expect("written");
    std::fs::create_dir(here.home().join("de")).expect("made");
    let text = "+++\nid = \"eins\"\ntitle = \"Eins\"\npart = \"P\"\n+++\n## Eins\nWort.\n";
    std::fs::write(here.home().join("de/01-eins.md"), text).expect("written");
    std::fs::write(here.home().join("run.json"), forklore(&here, "run crash --for 1 --json").out).expect("written");
    for command in ["list", "check", "doctor", "run crash --for 1", "replay run.json"] {
        forklore(&here, &format!("{command} --theme mine.toml")).could_not("mine.toml:3: ");
        forklore(&here, &format!("{command} --theme nowhere")).could_not("--theme nowhere: neither a theme (");
        forklore(&here, &format!("{command} --lang xx")).could_not("--lang xx: the languages are: en, zh");
        let said = forklore(&here, &format!("{command} --theme good.toml --lang zh_CN.UTF-8"));
        assert_eq!((said.code, &*said.err), (0, ""), "{command}");
    }
    for command in ["list --lessons . --lang de", "check de --lang de", "doctor --lessons . --lang de"] {
        assert_eq!(forklore(&here, command).code, 0, "{command}: a language of one's own");
    }
}

#[test]
fn doctor_tells_everybody_what_is_allowed() {
    for user in User::all() {
        let here = Surroundings::new(user);
        let said = forklore(&here, "doctor");
        assert_eq!((said.code, &*said.err), (0, ""));
        for part in ["exact switch records", "What the demos show here", "The terminal", ".local/state/forklore"] {
            assert!(said.out.contains(part), "{part} is not in:\n{}", said.out);
        }
        let json = forklore(&here, "doctor --json").json();
        assert!(json["capabilities"].as_array().is_some_and(|all| all.len() > 10), "{json}");
        assert!(json["demos"].as_array().is_some_and(|all| all.iter().all(|d| d["source"].is_string())), "{json}");
        assert_eq!(json["progress"]["kept"], true, "{json}");
        assert!(std::fs::read_dir(here.home()).expect("home").next().is_none(), "doctor leaves nothing behind");
    }
}

#[test]
fn doctor_tries_whether_progress_can_be_kept() {
    for user in User::all() {
        let here = Surroundings::new(user);
        std::fs::write(here.home().join("state"), "no directory").expect("written");
        let state = here.home().join("state");
        let ask = |words: &str| {
            let mut command = here.forklore(words.split(' '));
            command.env("XDG_STATE_HOME", &state);
            Said::by(command)
        };
        let said = ask("doctor");
        let words = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!((said.code, &*said.err), (0, ""));
        assert!(words.contains(&format!("cannot write in {}: ", state.display())), "{}", said.out);
        assert!(words.contains(&format!("to allow it: move the file {} away", state.display())), "{}", said.out);
        let json = ask("doctor --json").json();
        assert_eq!(json["progress"]["kept"], false, "{json}");
        assert!(json["progress"]["remedy"].as_str().is_some_and(|remedy| remedy.contains("move the file")), "{json}");
    }
}

#[test]
fn doctor_says_why_a_source_is_not_used() {
    let here = Surroundings::new(User::Me);
    let json = forklore(&here, "doctor --json --source sampled").json();
    assert!(json["demos"].as_array().expect("a list").iter().all(|d| d["source"] == "sampled"), "{json}");
    forklore(&here, "doctor --source guessed")
        .could_not("the sources are: best, exact, self-timed, sampled, unwatched");
}

#[test]
fn what_is_not_there_is_said_with_what_is() {
    for user in User::all() {
        let here = Surroundings::new(user);
        forklore(&here, "run crahs").could_not("there is no demo “crahs”; there are: ");
        Said::by(here.forklore(["run", "\u{1b}]0;x\u{7}/../sh"])).could_not("there is no demo");
        forklore(&here, "replay nowhere").could_not("nowhere: cannot open it: No such file");
        forklore(&here, "check nowhere.md").could_not("nowhere.md: No such file");
        forklore(&here, "").could_not("needs a terminal");
        forklore(&here, "crash:2").could_not("needs a terminal");
        forklore(&here, "present crash").could_not("needs a terminal");
        for words in ["run", "replay", "list --jsn", "run timeslice --for never", "run timeslice --for 0"] {
            let said = forklore(&here, words);
            assert_eq!((said.code, &*said.out), (2, ""), "{words}");
            assert!(said.err.contains("Usage") || said.err.contains("--help"), "{words}: {}", said.err);
        }
    }
}

/// A demo that runs on until it is told to end, and always has something to tell: its workers spin.
fn one_that_goes_on() -> &'static str {
    let goes_on = |spec: &&DemoSpec| spec.self_timed && (spec.lasts_ms)(&Params::defaults(spec)) > 0;
    forklore::demo::specs().into_iter().find(goes_on).expect("a demo that goes on").name
}
