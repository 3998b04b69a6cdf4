//! `report`: on a pipe and in files; from nothing, from what was kept, from what is damaged or newer; and over what is not ours.

use super::{Said, forklore};
use crate::support::{Surroundings, User};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

const RESULTS: &str = r#"{"schema": 1,
"hosts": {"M": {"cpu": "Model 7", "online": 4, "allowed": 2, "memory_mib": 900, "kernel": "6.1", "virtual": true}},
"runs": {"1767225600-crash-1": {"demo": "crash", "params": {"tabs": 5}, "by": "run", "when": 1767225600, "host": "M",
"version": "0.1.0", "source": "exact", "seconds": 2.0, "values": {"survivors": 5}}},
"answers": {"000-15": {"verdict": "holds", "because": "measured so", "host": "M", "when": 1767225700}},
"beliefs": {"000-15": {"so": true, "when": 1}}}"#;

/// Keeps this as what was measured.
fn keep(here: &Surroundings, results: &str) -> PathBuf {
    let folder = here.home().join(".local/state/forklore");
    fs::create_dir_all(&folder).expect("a folder of ours");
    fs::write(folder.join("results.json"), results).expect("a file of ours");
    folder
}

fn listed(here: &Surroundings) -> Vec<String> {
    let names = fs::read_dir(here.home()).expect("our home").flatten();
    let mut names: Vec<_> = names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn before_anything_was_measured_it_says_how_to_begin() {
    for user in User::all() {
        let here = Surroundings::new(user);
        let said = forklore(&here, "report");
        assert_eq!(said.code, 0, "{}", said.err);
        assert!(
            said.out.starts_with("<!-- forklore report -->\n\n# ") && said.out.contains("`forklore lore`"),
            "{}",
            said.out
        );
        assert!(said.err.contains("nothing was measured yet") && said.err.lines().count() == 1, "{}", said.err);
    }
}

#[test]
fn what_was_kept_is_told_in_the_language_that_is_asked_for_and_nothing_is_read() {
    let here = Surroundings::new(User::Me);
    keep(&here, RESULTS);
    // A standard input that never ends: who read it would not come back.
    let said = Said::by(here.shell("mkfifo in && exec 3<>in && exec \"$0\" report <&3"));
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    for part in
        ["| Model 7", "`crash` tabs=5", "| `survivors`", "forklore run crash tabs=5", "**holds here**: measured so."]
    {
        assert!(said.out.contains(part), "{part} is not in:\n{}", said.out);
    }
    let chinese = forklore(&here, "report --lang zh");
    assert!(chinese.out.contains("## 实验") && chinese.out.contains("在此成立"), "{}", chinese.out);
    forklore(&here, "report --lang xx").could_not("--lang xx: the languages are: en, zh");
    forklore(&here, "report --lessons nowhere").could_not("nowhere");
}

#[test]
fn a_file_is_markdown_or_a_page_by_its_name_and_is_replaced_if_it_is_ours() {
    for user in User::all() {
        let here = Surroundings::new(user);
        for (name, beginning) in
            [("lab.md", "<!-- forklore"), ("lab.HTML", "<!DOCTYPE html><!-- forklore"), ("lab.htm", "<!DOCTYPE")]
        {
            for _ in 0..2 {
                let said = forklore(&here, &format!("report -o {name}"));
                assert_eq!((said.code, said.out.as_str()), (0, ""), "{name}: {}", said.err);
            }
            let text = fs::read_to_string(here.home().join(name)).expect("it was written");
            assert!(text.starts_with(beginning) && text.ends_with('\n'), "{text}");
        }
        assert_eq!(listed(&here), [".local", "lab.HTML", "lab.htm", "lab.md"], "no temporary file stays");
    }
}

#[test]
fn a_report_keeps_its_mode_and_is_found_behind_a_link() {
    let here = Surroundings::new(User::Me);
    let (file, link) = (here.home().join("lab.md"), here.home().join("link.md"));
    assert_eq!(forklore(&here, "report -o lab.md").code, 0);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o604)).expect("ours");
    symlink("lab.md", &link).expect("ours");
    keep(&here, RESULTS);
    assert_eq!(forklore(&here, "report -o link.md").code, 0);
    assert!(link.symlink_metadata().expect("it is there").is_symlink());
    assert!(fs::read_to_string(&file).expect("it is there").contains("Model 7"));
    assert_eq!(file.metadata().expect("it is there").permissions().mode() & 0o777, 0o604);
}

#[test]
fn what_is_not_ours_is_not_overwritten() {
    let here = Surroundings::new(User::Me);
    let at = |name: &str| here.home().join(name);
    for text in ["", "my diary\n", "<!DOCTYPE html>\n", "\n<!-- forklore report -->\n"] {
        fs::write(at("mine.md"), text).expect("ours");
        forklore(&here, "report -o mine.md")
            .could_not("-o mine.md: something stands there that is no report of forklore");
        assert_eq!(fs::read_to_string(at("mine.md")).expect("it is there"), text);
    }
    fs::create_dir(at("folder.md")).expect("ours");
    symlink("/nowhere/at/all", at("loose.md")).expect("ours");
    nix::unistd::mkfifo(&at("fifo.md"), nix::sys::stat::Mode::S_IRWXU).expect("ours");
    for (name, what) in [
        ("folder.md", "that is a folder; name a file"),
        ("loose.md", "that is a link that leads nowhere; name a file"),
        ("fifo.md", "that is a pipe; name a file"),
        ("/dev/null", "that is a device; name a file"),
        ("lab.pdf", "a report is Markdown or a page; let its name end in .md or .html"),
    ] {
        forklore(&here, &format!("report -o {name}")).could_not(&format!("-o {name}: {what}"));
    }
    forklore(&here, "report -o no/such/lab.md").could_not("-o no/such/lab.md: No such file or directory");
    forklore(&here, "report -o mine.md/lab.md").could_not("-o mine.md/lab.md: ");
    assert_eq!(listed(&here), [".local", "fifo.md", "folder.md", "loose.md", "mine.md"]);
}

#[test]
fn a_dash_is_the_standard_output() {
    let here = Surroundings::new(User::Me);
    let (dash, bare) = (forklore(&here, "report -o -"), forklore(&here, "report"));
    assert_eq!((dash.code, dash.out.lines().next()), (0, bare.out.lines().next()));
    assert!(!listed(&here).contains(&"-".to_owned()));
}

#[test]
fn a_place_that_one_may_not_write_in_is_told_as_that() {
    // The last is an ordinary user, whoever runs the tests.
    let here = Surroundings::new(*User::all().last().expect("oneself at least"));
    forklore(&here, "report -o /forklore-never-there.html")
        .could_not("-o /forklore-never-there.html: Permission denied");
    let said = forklore(&here, "report -o /proc/forklore.md");
    assert!(
        said.code == 2 && said.err.contains("-o /proc/forklore.md: ") && !said.err.contains(".report-"),
        "{}",
        said.err
    );
}

#[test]
fn a_damaged_or_newer_file_is_told_of_and_the_report_is_made_of_what_there_is() {
    let here = Surroundings::new(User::Me);
    let folder = keep(&here, &RESULTS[..RESULTS.len() / 2]);
    let said = forklore(&here, "report");
    assert!(said.code == 0 && said.err.contains("it was moved to"), "{}", said.err);
    assert!(fs::read_dir(&folder).expect("ours").flatten().any(|e| e.file_name().to_string_lossy().contains(".bad-")));
    keep(&here, &RESULTS.replacen("\"schema\": 1", "\"schema\": 9", 1));
    let said = forklore(&here, "report");
    assert!(said.code == 0 && said.err.contains("later forklore") && said.out.contains("Model 7"), "{}", said.err);
}

#[test]
fn a_folder_of_lessons_without_a_ledger_has_claims_by_their_ids() {
    let here = Surroundings::new(User::Me);
    keep(&here, RESULTS);
    let folder = here.home().join("course/en");
    fs::create_dir_all(&folder).expect("ours");
    let lesson = "+++\nid = \"mine\"\ntitle = \"T\"\npart = \"P\"\n+++\nX.\n\n## One\nY.\n";
    fs::write(folder.join("01-mine.md"), lesson).expect("ours");
    let said: Said = forklore(&here, "report --lessons course");
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.err.contains("claims are told by their ids only") && said.out.contains("- **000-15** "),
        "{}",
        said.out
    );
}

#[test]
fn a_full_disk_leaves_the_report_of_before() {
    let here = Surroundings::new(User::Me);
    assert_eq!(forklore(&here, "report -o lab.md").code, 0);
    let before = fs::read(here.home().join("lab.md")).expect("it was written");
    keep(&here, RESULTS);
    // A file may have one block of 512 bytes: less than a report.
    let said = Said::by(here.shell("ulimit -f 1; \"$0\" report -o lab.md"));
    assert!(said.code == 2 && said.err.contains("-o lab.md: "), "{} {}", said.code, said.err);
    assert_eq!(fs::read(here.home().join("lab.md")).expect("it is there"), before);
    assert_eq!(listed(&here), [".local", "lab.md"]);
}
