//! Every widget on one terminal, with scenes made up from facts: to look at them, not to teach with them.
//!
//! `cargo run --example gallery [dark|light|contrast] [full|sixteen|none] [unicode|ascii]`. Keys: 1 to 8 choose a page,
//! t, c and a change theme, colours and characters, left and right let time pass, q leaves.

use crossterm::event::{self, Event, KeyCode};
use forklore::fact::{Cpu, Fact, Nanos, Pid, Source, Stamped, Start, Tid, Values, Why};
use forklore::lesson::{Align, Block, Choice, Matches, Pos, Predict, Span, Style as Look, Text};
use forklore::scene::Scene;
use forklore::view::put::put_line;
use forklore::view::scrub::scrub;
use forklore::view::text::{Context, layout};
use forklore::view::theme::{Charset, ColourDepth, Role, Theme};
use forklore::view::widget::{
    Answer, Cards, Footer, Header, Help, Histogram, Lanes, Pages, Question, TooSmall, Window, Workers,
};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::widgets::Block as Panel;
use serde_json::json;

struct Gallery {
    page: char,
    theme: &'static str,
    depth: ColourDepth,
    charset: Charset,
    now: u64,
}

fn main() -> std::io::Result<()> {
    let has = |word: &str| std::env::args().any(|a| a == word);
    let depth = match (has("none"), has("sixteen")) {
        (true, _) => ColourDepth::None,
        (_, true) => ColourDepth::Sixteen,
        _ => ColourDepth::Full,
    };
    let theme = Theme::names().find(|name| has(name)).unwrap_or("dark");
    let charset = if has("ascii") { Charset::Ascii } else { Charset::Unicode };
    let mut gallery = Gallery { page: '1', theme, depth, charset, now: 1_234 };
    ratatui::run(|terminal| {
        loop {
            terminal.draw(|frame| gallery.draw(frame))?;
            if let Event::Key(key) = event::read()? {
                match key.code {
                    KeyCode::Char('q') => return Ok(()),
                    KeyCode::Char('a') if gallery.charset == Charset::Ascii => gallery.charset = Charset::Unicode,
                    KeyCode::Char('a') => gallery.charset = Charset::Ascii,
                    KeyCode::Char('t') => {
                        let mut names = Theme::names().chain(Theme::names()).skip_while(|n| *n != gallery.theme);
                        gallery.theme = names.nth(1).unwrap_or("dark");
                    }
                    KeyCode::Char('c') => {
                        gallery.depth = match gallery.depth {
                            ColourDepth::Full => ColourDepth::Sixteen,
                            ColourDepth::Sixteen => ColourDepth::None,
                            ColourDepth::None => ColourDepth::Full,
                        }
                    }
                    KeyCode::Char(c) => gallery.page = c,
                    KeyCode::Right => gallery.now += 33,
                    KeyCode::Left => gallery.now = gallery.now.saturating_sub(33),
                    _ => {}
                }
            }
        }
    })
}

impl Gallery {
    fn draw(&self, frame: &mut Frame<'_>) {
        let theme = Theme::named(self.theme).unwrap_or_default().on(self.depth, self.charset);
        let area = frame.area();
        frame.buffer_mut().set_style(area, theme.style(Role::Screen));
        let [top, body, bottom] =
            Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)]).areas(area);
        let truth = [("exact", Role::Good), ("2 cores", Role::Dim), ("nothing lost", Role::Dim)];
        let title = "4 One core: the scheduler’s illusion";
        frame.render_widget(&Header { theme: &theme, title, place: "step 3/7", truth: &truth }, top);
        let keys = [("space", "run"), ("p", "pause"), ("n/b", "step"), ("[ ]", "zoom"), ("?", "help"), ("q", "leave")];
        frame.render_widget(&Footer { theme: &theme, keys: &keys, keep: 2 }, bottom);
        match self.page {
            '2' => self.cards(frame, body, &theme),
            '3' => self.pages(frame, body, &theme),
            '4' => self.many_cores(frame, body, &theme),
            '5' => self.help(frame, body, &theme),
            '6' => frame.render_widget(&TooSmall { theme: &theme }, body),
            '7' => self.frozen(frame, body, &theme),
            _ => self.step(frame, body, &theme),
        }
        scrub(frame.buffer_mut(), self.charset);
    }

    fn step(&self, frame: &mut Frame<'_>, body: Rect, theme: &Theme) {
        let parts = [Constraint::Percentage(38), Constraint::Fill(1)];
        let [left, right] = if body.width >= 100 {
            Layout::horizontal(parts).areas(body)
        } else {
            Layout::vertical([Constraint::Percentage(45), Constraint::Fill(1)]).areas(body)
        };
        let text = panel(frame, left, "Taking turns", theme, false);
        lesson(frame, text, theme);
        let stage = panel(frame, right, "timeslice: 3 threads on core 0", theme, true);
        let scene = timeslice(self.now, 2);
        let [lanes, table, turns] =
            Layout::vertical([Constraint::Length(5), Constraint::Length(5), Constraint::Fill(1)]).areas(stage);
        let window = Window::Live { now: scene.now() };
        frame.render_widget(&Lanes { scene: &scene, theme, column: Nanos::from_millis(1), window, tall: 1 }, lanes);
        frame.render_widget(&Workers { scene: &scene, theme, now: scene.now(), chosen: Some(Tid(102)) }, table);
        if let Some(task) = scene.tally.tasks.first() {
            let bars = theme.worker(task.slot).ink;
            frame.render_widget(&Histogram { turns: &task.turns, theme, bars }, turns);
        }
    }

    fn cards(&self, frame: &mut Frame<'_>, body: Rect, theme: &Theme) {
        let scene = crash(self.now);
        let stage = panel(frame, body, "crash: 6 tabs, a process each", theme, true);
        let [cards, lanes] = Layout::vertical([Constraint::Fill(1), Constraint::Length(5)]).areas(stage);
        frame.render_widget(&Cards { scene: &scene, theme, chosen: Some(Tid(202)) }, cards);
        let window = Window::Live { now: scene.now() };
        frame.render_widget(&Lanes { scene: &scene, theme, column: Nanos::from_millis(20), window, tall: 1 }, lanes);
    }

    fn pages(&self, frame: &mut Frame<'_>, body: Rect, theme: &Theme) {
        let stage = panel(frame, body, "isolation: one address, two memories", theme, true);
        frame.render_widget(&Pages { scene: &isolation(self.now), theme }, stage);
    }

    fn many_cores(&self, frame: &mut Frame<'_>, body: Rect, theme: &Theme) {
        let scene = timeslice(self.now, 64);
        let stage = panel(frame, body, "cores: 64", theme, true);
        let window = Window::Live { now: scene.now() };
        frame.render_widget(&Lanes { scene: &scene, theme, column: Nanos::from_millis(2), window, tall: 1 }, stage);
    }

    fn frozen(&self, frame: &mut Frame<'_>, body: Rect, theme: &Theme) {
        let mut scene = timeslice(self.now, 4);
        scene.apply(&Stamped::new(Nanos::from_millis(self.now), Fact::Lost { records: 12 }));
        let stage = panel(frame, body, "timeslice: paused", theme, true);
        let [near, far] = Layout::vertical([Constraint::Length(16), Constraint::Fill(1)]).areas(stage);
        let cursor = Some((Cpu(0), Nanos::from_millis(self.now - 50)));
        let window = Window::Frozen { from: Nanos::from_millis(self.now - 60), cursor };
        frame.render_widget(&Lanes { scene: &scene, theme, column: Nanos::from_millis(1), window, tall: 3 }, near);
        let window = Window::Frozen { from: Nanos::ZERO, cursor: None };
        frame.render_widget(&Lanes { scene: &scene, theme, column: Nanos::from_millis(20), window, tall: 1 }, far);
    }

    fn help(&self, frame: &mut Frame<'_>, body: Rect, theme: &Theme) {
        self.step(frame, body, theme);
        let rows = [
            ("", "A lesson"),
            ("n, Page Down", "the next step"),
            ("b, Page Up", "the step before"),
            ("enter, 1 to 9", "answer the question"),
            ("", "A running demo"),
            ("space", "run it, or stop it"),
            ("[ and ]", "zoom the lanes, from 1 ms to 1 s a column"),
        ]
        .map(|(keys, what)| (keys.to_owned(), what.to_owned()));
        frame.render_widget(&Help { theme, title: "Keys", rows: &rows, scroll: 0 }, body);
    }
}

fn panel(frame: &mut Frame<'_>, area: Rect, title: &'static str, theme: &Theme, focused: bool) -> Rect {
    let role = if focused { Role::BorderFocused } else { Role::Border };
    let panel = Panel::bordered()
        .border_style(theme.style(role))
        .title(format!(" {title} "))
        .title_style(theme.style(Role::Title));
    let inner = panel.inner(area);
    frame.render_widget(panel, area);
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

fn lesson(frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
    let words = |text: &str| Span { text: text.into(), ..Span::default() };
    let strong = |text: &str| Span {
        text: text.into(),
        style: Look { strong: true, ..Look::default() },
        link: None,
        figure: None,
    };
    let plain = |cells: [&str; 2]| cells.map(Text::plain).to_vec();
    let blocks = [
        Block::Paragraph(Text(vec![
            words("Three workers, one core, and none of them ever waits for anything. "),
            strong("Only one can run."),
            words(" Watch who does. 线程轮流使用同一个核心。"),
        ])),
        Block::Code("rust".into(), "while !stop {\n    work += 1; // for ever\n}\n".into()),
        Block::Table(
            vec![Align::Left, Align::Right],
            plain(["what", "median"]),
            vec![plain(["one turn", "4.00 ms"]), plain(["a switch", "1.31 µs"])],
        ),
        Block::Quote(vec![Block::Paragraph(Text::plain(
            "An illusion is what remains when nobody looks at the clock.",
        ))]),
    ];
    let choice = |label: &str| Choice { label: label.into(), matches: Matches::Number(0.0) };
    let predict = Predict {
        at: Pos::default(),
        question: Text::plain("How long is one turn?"),
        options: vec![choice("under 1 ms"), choice("1 ms .. 10 ms"), choice("over 10 ms")],
        answer: "median_turn_ns".into(),
    };
    let mut question = Question::predict(&predict, theme, Context::PLAIN);
    (question.cursor, question.chosen) = (Some(2), Some(0));
    (question.answer, question.measured) = (Answer::Measured(Some(1)), Some("4.00 ms"));
    let mut lines = question.lines(area.width).0;
    lines.push(ratatui::text::Line::default());
    lines.extend(layout(&blocks, area.width, theme, &Context::PLAIN));
    for (line, y) in lines.iter().zip(0..area.height) {
        put_line(frame.buffer_mut(), area, 0, y, line);
    }
}

struct Made {
    scene: Scene,
    facts: Vec<Stamped>,
}

impl Made {
    fn new(demo: &str, cpus: u32) -> Self {
        let start = Start {
            format: 1,
            demo: demo.into(),
            params: Values::new(),
            source: Source::Exact,
            cpus: (0..cpus).map(Cpu).collect(),
            kernel: "made up".into(),
            hz: None,
            because: None,
            page_size: Some(4096),
        };
        Self { scene: Scene::new(), facts: vec![Stamped::new(Nanos::ZERO, Fact::Start(start))] }
    }

    fn at(&mut self, us: u64, fact: Fact) {
        self.facts.push(Stamped::new(Nanos(us * 1_000), fact));
    }

    fn worker(&mut self, slot: u16, pid: u32, tid: u32) {
        let name = char::from(b'A' + u8::try_from(slot % 26).unwrap_or(0)).to_string();
        self.at(0, Fact::Task { tid: Tid(tid), pid: Pid(pid), parent: 99, name, slot: Some(slot) });
    }

    fn turn(&mut self, cpu: u32, tid: u32, from: u64, to: u64, why: Why) {
        let (cpu, tid) = (Cpu(cpu), Tid(tid));
        self.at(from, Fact::In { cpu, tid });
        self.at(to, Fact::Out { cpu, tid, why });
    }

    fn done(mut self) -> Scene {
        self.facts.sort_by_key(|f| f.t);
        self.scene.extend(&self.facts);
        self.scene
    }
}

/// Three workers in turn on core 0; on every other core a worker of its own, some of them mostly idle.
fn timeslice(now: u64, cpus: u32) -> Scene {
    let mut made = Made::new("timeslice", cpus);
    for slot in 0..3 {
        made.worker(slot, 100, 101 + u32::from(slot));
        made.at(
            now * 1_000,
            Fact::Value { tid: Tid(101 + u32::from(slot)), name: "work".into(), value: json!(now * 8_123) },
        );
    }
    let mut t = 300;
    for n in 0_u32.. {
        let to = t + 3_960 + u64::from(n * 7_919 % 80);
        if to > now * 1_000 {
            break;
        }
        made.turn(0, 101 + n % 3, t, to, Why::Preempted);
        t = to;
    }
    for cpu in 2..cpus {
        let slot = u16::try_from(cpu).unwrap_or(0) + 1;
        made.worker(slot, 100, 200 + cpu);
        let mut t = u64::from(cpu) * 500;
        while t + 30_000 < now * 1_000 {
            let long = 400 + u64::from(cpu * 2_617 % 23) * 900;
            made.turn(cpu, 200 + cpu, t, t + long, Why::Blocked);
            t += long + u64::from(cpu * 7_919 % 17) * 1_100 + 10;
        }
    }
    made.done()
}

fn crash(now: u64) -> Scene {
    let mut made = Made::new("crash", 2);
    for slot in 0..6_u16 {
        let pid = 200 + u32::from(slot);
        made.worker(slot, pid, pid);
        let value = json!(now * 1_031 * (u64::from(slot) + 3));
        made.at(now * 1_000, Fact::Value { tid: Tid(pid), name: "counter".into(), value });
    }
    for cpu in 0..2 {
        for n in 0..now / 4 {
            let tid = 200 + cpu + 2 * u32::try_from(n % 3).unwrap_or(0);
            if tid != 202 || n * 4 < now / 2 {
                made.turn(cpu, tid, n * 4_000, n * 4_000 + 4_000, Why::Preempted);
            }
        }
    }
    let exit = |pid, code, signal: Option<&str>| Fact::Exit {
        tid: Tid(pid),
        pid: Pid(pid),
        code,
        signal: signal.map(str::to_owned),
        core: signal.map(|_| false),
    };
    made.at(now * 500, exit(202, None, Some("SIGSEGV")));
    made.at(now * 700, exit(204, Some(3), None));
    made.at(now * 700, Fact::Stopped { pid: Pid(205), stopped: true });
    made.done()
}

fn isolation(now: u64) -> Scene {
    let mut made = Made::new("isolation", 2);
    let own = usize::try_from(now / 40).unwrap_or(0).min(64);
    for (pid, parent, value) in [(300, 99, 1), (301, 300, 2)] {
        let slot = Some(u16::from(pid == 301));
        let name = if pid == 300 { "A" } else { "B" }.to_owned();
        made.at(0, Fact::Task { tid: Tid(pid), pid: Pid(pid), parent, name, slot });
        for (name, value) in [
            ("address", json!("0x7f3a5c000000")),
            ("value", json!(value)),
            ("pss_kib", json!(152 + own)),
            ("private_dirty_kib", json!(own * 4)),
        ] {
            made.at(1_000, Fact::Value { tid: Tid(pid), name: name.into(), value });
        }
        let map = "X".repeat(own) + &"s".repeat(64 - own);
        made.at(2_000, Fact::Pages { pid: Pid(pid), region: "heap".into(), map });
    }
    made.done()
}
