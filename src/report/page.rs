//! A report as one page of HTML that needs nothing else: no script, no network. The template escapes whatever is put into it.

use super::PAGE_MARK;
use super::chart::Chart;
use super::document::{Block, Document, Figure, Section, Span, Table, Text};
use super::draw::{Drawing, Shape, draw};
use crate::lore::Lang;
use askama::Template;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'p> {
    mark: &'static str,
    document: &'p Document,
}

#[derive(Template)]
#[template(path = "report-text.html")]
struct Inline<'p> {
    text: &'p Text,
}

#[derive(Template)]
#[template(path = "report-table.html")]
struct Rows<'p> {
    table: &'p Table,
}

#[derive(Template)]
#[template(path = "report-chart.svg")]
struct Sheet {
    id: String,
    title: String,
    description: String,
    drawing: Drawing,
}

/// The report as a page.
pub(super) fn write(document: &Document) -> String {
    // Writing to a string does not fail, and no template has a filter of its own that could.
    Page { mark: PAGE_MARK, document }.render().unwrap_or_default() + "\n"
}

impl Page<'_> {
    fn lang(&self) -> &'static str {
        match self.document.lang {
            Lang::En => "en",
            Lang::Zh => "zh",
        }
    }

    fn words(&self, en: &'static str, zh: &'static str) -> &'static str {
        self.document.lang.pick(en, zh)
    }

    fn parts(&self) -> impl Iterator<Item = &Section> {
        self.document.sections.iter().filter(|section| section.level == 2)
    }

    fn below<'s>(&'s self, part: &'s Section) -> impl Iterator<Item = &'s Section> {
        let after = self.document.sections.iter().skip_while(move |section| section.id != part.id).skip(1);
        after.take_while(|section| section.level > 2)
    }

    fn inline<'t>(&self, text: &'t Text) -> Inline<'t> {
        Inline { text }
    }

    fn rows<'t>(&self, table: &'t Table) -> Rows<'t> {
        Rows { table }
    }

    /// How to read what is drawn.
    fn legend(&self, chart: &Chart) -> &'static str {
        match chart {
            Chart::Intervals(chart) if chart.points.iter().any(|point| point.open) => {
                self.words(" (logarithmic; hollow: inconclusive)", "（对数刻度；空心：尚无定论）")
            }
            Chart::Intervals(_) => self.words(" (logarithmic)", "（对数刻度）"),
            Chart::Curves(_) | Chart::Counts(_) => "",
        }
    }

    /// A chart; its id is made of the section's and of its place there.
    fn sheet(&self, section: &str, n: &usize, figure: &Figure) -> Sheet {
        Sheet {
            id: format!("{section}-figure-{n}"),
            title: format!("{}{}", figure.chart.title(), self.legend(&figure.chart)),
            description: figure.chart.description(),
            drawing: draw(&figure.chart),
        }
    }
}

impl Rows<'_> {
    fn inline<'t>(&self, text: &'t Text) -> Inline<'t> {
        Inline { text }
    }

    /// A table of many words is read row by row where there is little room.
    fn stacks(&self) -> bool {
        let words = self.table.head.iter().filter(|column| !column.numbers).count();
        self.table.head.len() > 3 && words > 2
    }

    /// What stands above a cell.
    fn head(&self, column: &usize) -> String {
        self.table.head.get(*column).map(|column| column.title.words()).unwrap_or_default()
    }

    /// The look of a cell.
    fn class(&self, column: &usize) -> &'static str {
        if self.table.head.get(*column).is_some_and(|column| column.numbers) { "number" } else { "words" }
    }
}
