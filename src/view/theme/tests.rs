//! Theme files in, styles and errors out.

use super::ink::{Rgb, luminance};
use super::*;

fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn every_theme_defines_every_role_and_can_be_read() {
    let all = Theme::default().roles.len();
    for (name, text) in BUILT_IN {
        let file = read(text).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!((file.name.as_str(), file.roles.len()), (name, all), "roles of {name}");
        let ground = file.roles[&Role::Screen].bg.expect("a ground").full;
        let least = if name == "contrast" { 7.0 } else { 4.5 };
        for (role, look) in &file.roles {
            let (Some(fg), bg) = (look.fg, look.bg.map_or(ground, |bg| bg.full)) else { continue };
            // A frame and an idle core are not read.
            let least = if matches!(role, Role::Border | Role::Nobody) { 2.0 } else { least };
            let found = contrast(fg.full, bg);
            assert!(found >= least, "{name}: {role:?} has {found:.2}");
        }
        for worker in file.workers.expect("workers") {
            let found = contrast(worker.ink.full, ground);
            assert!(found >= least, "{name}: worker {} has {found:.2}", worker.word);
        }
    }
}

/// Machado, Oliveira and Fernandes 2009, severity 1.0, on linear light.
const DEUTERANOPIA: [[f64; 3]; 3] =
    [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]];
const PROTANOPIA: [[f64; 3]; 3] =
    [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]];

#[test]
fn the_first_workers_differ_for_colour_blind_eyes() {
    let seen = |(r, g, b): Rgb, eye: [[f64; 3]; 3]| {
        let c = [r, g, b].map(|c| (f64::from(c) / 255.0).powf(2.2));
        eye.map(|row| row.iter().zip(c).map(|(m, c)| m * c).sum::<f64>().clamp(0.0, 1.0).powf(1.0 / 2.2))
    };
    for (name, text) in BUILT_IN {
        let workers = read(text).expect(name).workers.expect("workers");
        for eye in [DEUTERANOPIA, PROTANOPIA] {
            for (i, a) in workers[..4].iter().enumerate() {
                for b in &workers[..i] {
                    let (x, y) = (seen(a.ink.full, eye), seen(b.ink.full, eye));
                    let apart = x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt();
                    assert!(apart > 0.12, "{name}: {} and {} are {apart:.2} apart", a.word, b.word);
                }
            }
        }
    }
}

#[test]
fn without_colour_nothing_has_a_colour() {
    for name in Theme::names() {
        let theme = Theme::named(name).expect(name).on(ColourDepth::None, Charset::Unicode);
        let workers = (0..9).map(Some).chain([None]).map(|slot| theme.worker(slot));
        let styles = workers.flat_map(|w| [w.ink, w.fill, w.texture, w.faded, w.faded_letter]);
        for style in styles.chain(theme.roles.keys().map(|role| theme.style(*role))) {
            assert_eq!((style.fg, style.bg, style.underline_color), (None, None, None));
            let allowed = Modifier::BOLD | Modifier::UNDERLINED | Modifier::REVERSED;
            assert!(allowed.contains(style.add_modifier), "{style:?}");
        }
        assert!(theme.style(Role::Selection).add_modifier.contains(Modifier::REVERSED));
    }
}

#[test]
fn neighbours_differ_in_pattern_and_colour() {
    let theme = Theme::default();
    for slot in 0..20 {
        let (a, b) = (theme.worker(Some(slot)), theme.worker(Some(slot + 1)));
        assert_ne!((a.pattern, a.ink.fg), (b.pattern, b.ink.fg));
        assert!(a.pattern != b.pattern && a.word != b.word);
    }
}

#[test]
fn a_theme_of_ones_own_builds_on_another() {
    let theme =
        Theme::parse("name = \"mine\"\nbase = \"light\"\n[roles]\naccent = \"#010203 red underline\"").expect("good");
    assert_eq!(theme.style(Role::Accent).fg, Some(Color::Rgb(1, 2, 3)));
    assert_eq!(theme.style(Role::Text), Theme::named("light").expect("light").style(Role::Text));
    assert_eq!(theme.on(ColourDepth::Sixteen, Charset::Unicode).style(Role::Accent).fg, Some(Color::Red));
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let wrong = |text: &str| Theme::parse(text).expect_err(text).to_string();
    assert_eq!(
        wrong("name = \"x\"\n\n[roles]\ntext = \"#12 red\"\n"),
        "line 4 of the theme: “#12” is no colour: it is written #rrggbb"
    );
    assert_eq!(
        wrong("name = \"x\"\n[roles]\ntext = \"#123456 red blink\"\n"),
        "line 3 of the theme: “blink” is neither a colour nor bold, italic, underline or reverse"
    );
    assert!(
        wrong("name = \"x\"\n[roles]\ntextt = \"bold\"\n").starts_with("line 3 of the theme: unknown variant `textt`")
    );
    assert!(wrong("name = \"x\"\nworkers = [\n\"#123456 red\"]\n").starts_with("line "));
    assert_eq!(
        wrong("name = \"x\"\nbase = \"night\"\n"),
        "line 2 of the theme: there is no theme “night” to build on, only dark, light, contrast"
    );
    assert!(wrong("name = ").starts_with("line 1 of the theme"));
}
