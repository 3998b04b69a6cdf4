//! Charts as data: what is measured, how sure it is, what it is called. How they are drawn is said in `draw`.

use crate::fact::{ReturnKind, clean_line};

/// A chart.
#[derive(Debug, Clone, PartialEq)]
pub enum Chart {
    /// Medians with intervals on one logarithmic axis.
    Intervals(Intervals),
    /// Curves over whole numbers.
    Curves(Curves),
    /// Parts of a whole, counted.
    Counts(Counts),
}

/// Medians with intervals.
#[derive(Debug, Clone, PartialEq)]
pub struct Intervals {
    title: String,
    /// What the values are.
    pub kind: ReturnKind,
    /// A value to compare with: 1, for ratios.
    pub against: Option<f64>,
    /// The rows, top to bottom.
    pub points: Vec<Point>,
}

/// One median.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// What it is of.
    pub name: String,
    /// The median.
    pub value: f64,
    /// The ends of its interval, if it has one.
    pub ends: Option<(f64, f64)>,
    /// It in words.
    pub said: String,
    /// It decides nothing: it is drawn hollow.
    pub open: bool,
}

/// Curves.
#[derive(Debug, Clone, PartialEq)]
pub struct Curves {
    title: String,
    /// What goes to the right.
    pub x: String,
    /// What goes up.
    pub y: String,
    /// The curves; what was measured comes first.
    pub curves: Vec<Curve>,
}

/// A curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// What it is.
    pub label: String,
    /// It was measured; the others are what it is compared with.
    pub measured: bool,
    /// Its points, from left to right.
    pub points: Vec<(u32, f64)>,
}

/// Parts of a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    title: String,
    /// What each is called, and how many there are.
    pub parts: Vec<(String, usize)>,
}

impl Chart {
    /// What it shows.
    #[must_use]
    pub fn title(&self) -> &str {
        match self {
            Self::Intervals(Intervals { title, .. })
            | Self::Curves(Curves { title, .. })
            | Self::Counts(Counts { title, .. }) => title,
        }
    }

    /// What is to be seen on it, for who does not see it.
    #[must_use]
    pub fn description(&self) -> String {
        let parts: Vec<_> = match self {
            Self::Intervals(chart) => {
                chart.points.iter().map(|point| format!("{}: {}", point.name, point.said)).collect()
            }
            Self::Curves(chart) => chart.curves.iter().map(Curve::described).collect(),
            Self::Counts(chart) => chart.parts.iter().map(|(name, n)| format!("{name}: {n}")).collect(),
        };
        parts.join("; ")
    }
}

impl Intervals {
    /// Those of `points` that a logarithmic axis can show; none if there are not any.
    #[must_use]
    pub fn chart(title: &str, kind: ReturnKind, against: Option<f64>, points: Vec<Point>) -> Option<Chart> {
        let points: Vec<_> = points.into_iter().filter(|point| drawable(point.value)).map(Point::sound).collect();
        (!points.is_empty()).then(|| Chart::Intervals(Self { title: clean_line(title), kind, against, points }))
    }
}

/// Values beyond these are none of a machine, and no axis could hold them.
fn drawable(value: f64) -> bool {
    (1e-9..1e18).contains(&value)
}

impl Point {
    /// Without ends that cannot be, as a file may have them.
    fn sound(mut self) -> Self {
        self.ends = self.ends.filter(|(low, high)| drawable(*low) && drawable(*high) && low <= high);
        self.name = clean_line(&self.name);
        self.said = clean_line(&self.said);
        self
    }
}

impl Curves {
    /// Those of `curves` that are curves; none if none of them was measured.
    #[must_use]
    pub fn chart(title: &str, x: &str, y: &str, mut curves: Vec<Curve>) -> Option<Chart> {
        for curve in &mut curves {
            curve.points.retain(|(_, y)| (0.0..1e12).contains(y));
            curve.points.sort_by_key(|(x, _)| *x);
            curve.label = clean_line(&curve.label);
        }
        curves.retain(|curve| curve.points.len() > 1);
        curves.sort_by_key(|curve| !curve.measured);
        let [title, x, y] = [title, x, y].map(clean_line);
        curves.iter().any(|curve| curve.measured).then_some(Chart::Curves(Self { title, x, y, curves }))
    }
}

impl Curve {
    fn described(&self) -> String {
        let points: Vec<_> = self.points.iter().map(|(x, y)| format!("{x}: {y}")).collect();
        format!("{}: {}", self.label, points.join(", "))
    }
}

impl Counts {
    /// The parts; none if nothing was counted.
    #[must_use]
    pub fn chart(title: &str, parts: Vec<(String, usize)>) -> Option<Chart> {
        let parts: Vec<_> = parts.into_iter().map(|(name, n)| (clean_line(&name), n)).collect();
        parts.iter().any(|(_, n)| *n > 0).then(|| Chart::Counts(Self { title: clean_line(title), parts }))
    }

    /// The whole.
    #[must_use]
    pub fn all(&self) -> usize {
        self.parts.iter().map(|(_, n)| n).sum()
    }
}
