//! What a page says: headings, sentences, tables and drawings, without a word on how they look.
//!
//! Pages are made of these by `pages`, and laid out by `html` and `markdown`; so both forms say the same. Text is kept as it
//! is and escaped where it is laid out.

use serde::Serialize;

use super::map::Drawing;
use crate::source::is_forbidden;

/// A page of the site.
#[derive(Clone, Serialize, Debug)]
pub(super) struct Page {
    /// The name of its file, without an ending.
    pub(super) file: String,
    /// Its title.
    pub(super) title: String,
    /// What is being described, such as `class`; over the title.
    pub(super) kicker: &'static str,
    /// The page of the contents that it belongs to.
    pub(super) chapter: &'static str,
    /// What it says first, in a sentence or two.
    pub(super) lead: Inlines,
    /// What it says.
    pub(super) blocks: Vec<Block>,
}

/// A piece of a page.
#[derive(Clone, Serialize, Debug)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Block {
    Heading {
        level: u8,
        id: String,
        parts: Inlines,
    },
    Paragraph {
        parts: Inlines,
    },
    /// A sentence that must not be overlooked.
    Notice {
        parts: Inlines,
    },
    List {
        items: Vec<Inlines>,
    },
    /// Things to do, each with a box to tick.
    Checklist {
        items: Vec<Inlines>,
    },
    /// Names with what belongs to each.
    Facts {
        items: Vec<Fact>,
    },
    /// Numbers that stand out.
    Numbers {
        items: Vec<Number>,
    },
    Table(Table),
    /// Lines to type.
    Commands {
        lines: Vec<String>,
    },
    Drawing(Drawing),
    Matrix(Matrix),
    /// A field that finds pages; only where scripts run.
    Search,
}

/// A name and what belongs to it.
#[derive(Clone, Serialize, Debug)]
pub(super) struct Fact {
    pub(super) label: &'static str,
    pub(super) parts: Inlines,
}

/// A number that stands out, with what it counts and where that is.
#[derive(Clone, Serialize, Debug)]
pub(super) struct Number {
    pub(super) value: usize,
    pub(super) label: String,
    pub(super) to: Link,
}

/// A table.
#[derive(Clone, Serialize, Debug)]
pub(super) struct Table {
    pub(super) caption: String,
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<Row>,
    /// True if it is so long that one wants to search in it.
    pub(super) is_long: bool,
}

/// A row of a table; its first cell says what the row is about.
#[derive(Clone, Serialize, Debug)]
pub(super) struct Row {
    /// Its name on the page, or nothing.
    pub(super) id: String,
    pub(super) cells: Vec<Inlines>,
}

/// Who may open connections to whom: a row for each source, a column for each destination.
#[derive(Clone, Serialize, Debug)]
pub(super) struct Matrix {
    pub(super) caption: String,
    /// The destinations.
    pub(super) columns: Vec<Inline>,
    pub(super) rows: Vec<MatrixRow>,
    /// What is behind each cell.
    pub(super) panels: Vec<Panel>,
}

/// A source of the matrix.
#[derive(Clone, Serialize, Debug)]
pub(super) struct MatrixRow {
    pub(super) zone: Inline,
    pub(super) cells: Vec<MatrixCell>,
}

/// A cell of the matrix.
#[derive(Clone, Serialize, Debug)]
pub(super) struct MatrixCell {
    /// `none`, `same`, `phi-clear`, `phi` or `other`.
    pub(super) class: &'static str,
    /// How many rules allow something.
    pub(super) count: usize,
    /// The panel behind it.
    pub(super) id: String,
    /// All rules between the two, where the panel shows only some.
    pub(super) to: Option<Link>,
    /// In words, for who cannot see the table as a whole.
    pub(super) label: String,
}

/// The rules behind a cell.
#[derive(Clone, Serialize, Debug)]
pub(super) struct Panel {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) path: Inlines,
    pub(super) table: Table,
    /// How many rules it leaves out, and where they are.
    pub(super) left_out: usize,
    pub(super) to: Link,
}

/// A run of text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Debug)]
pub(super) struct Inline {
    pub(super) style: Style,
    pub(super) text: String,
    pub(super) to: Option<Link>,
}

/// How a run of text is set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Debug)]
#[serde(rename_all = "lowercase")]
pub(super) enum Style {
    Plain,
    /// Words of the policy, addresses, commands.
    Code,
    Strong,
    /// Less important than what stands before it.
    Small,
    /// A word that marks what is as it should be.
    Good,
    /// A word that marks what wants attention.
    Attention,
    /// A word that marks what is serious.
    Serious,
    /// A word that marks neither.
    Neutral,
    /// The end of a line.
    Break,
}

/// A place on the site.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Debug)]
pub(super) struct Link {
    /// The file, without its ending.
    pub(super) page: String,
    /// The name of the place on the page, or nothing.
    pub(super) anchor: String,
}

/// Text with its styles and links.
pub(super) type Inlines = Vec<Inline>;

impl Link {
    /// A page as a whole.
    pub(super) fn page(page: impl Into<String>) -> Self {
        Link { page: page.into(), anchor: String::new() }
    }

    /// A place on a page.
    pub(super) fn to(page: impl Into<String>, anchor: impl Into<String>) -> Self {
        Link { page: page.into(), anchor: anchor.into() }
    }
}

impl Inline {
    pub(super) fn new(style: Style, text: impl Into<String>) -> Self {
        let mut text = text.into();
        // A policy holds no such character, but an inventory may.
        if text.contains(is_forbidden) {
            text = text.replace(is_forbidden, "\u{fffd}");
        }
        Inline { style, text, to: None }
    }

    /// The same, leading somewhere.
    pub(super) fn leading(self, to: Link) -> Self {
        Inline { to: Some(to), ..self }
    }
}

/// Plain text.
pub(super) fn plain(text: impl Into<String>) -> Inline {
    Inline::new(Style::Plain, text)
}

/// Words of the policy.
pub(super) fn code(text: impl Into<String>) -> Inline {
    Inline::new(Style::Code, text)
}

/// Text that is less important than what stands before it.
pub(super) fn small(text: impl Into<String>) -> Inline {
    Inline::new(Style::Small, text)
}

/// The end of a line.
pub(super) fn line_end() -> Inline {
    Inline::new(Style::Break, "")
}

/// Plain text that leads somewhere.
pub(super) fn link(text: impl Into<String>, to: Link) -> Inline {
    plain(text).leading(to)
}

/// Runs of text with something between them.
pub(super) fn joined(parts: impl IntoIterator<Item = Inlines>, between: &Inline) -> Inlines {
    let mut all = Inlines::new();
    for part in parts {
        if !all.is_empty() {
            all.push(between.clone());
        }
        all.extend(part);
    }
    all
}

impl Block {
    /// A heading of the second level.
    pub(super) fn heading(id: &str, text: impl Into<String>) -> Self {
        Block::Heading { level: 2, id: id.to_owned(), parts: vec![plain(text)] }
    }

    /// A heading of the third level.
    pub(super) fn subheading(id: impl Into<String>, parts: Inlines) -> Self {
        Block::Heading { level: 3, id: id.into(), parts }
    }

    /// A paragraph of plain text.
    pub(super) fn says(text: impl Into<String>) -> Self {
        Block::Paragraph { parts: vec![plain(text)] }
    }

    /// A table; one that is long can be searched in.
    pub(super) fn table(
        caption: impl Into<String>,
        columns: &[&'static str],
        rows: impl IntoIterator<Item = Row>,
    ) -> Self {
        Block::Table(Table::new(caption, columns, rows))
    }
}

/// How many rows make a table long.
const LONG: usize = 12;

impl Table {
    pub(super) fn new(
        caption: impl Into<String>,
        columns: &[&'static str],
        rows: impl IntoIterator<Item = Row>,
    ) -> Self {
        let rows: Vec<Row> = rows.into_iter().collect();
        let is_long = rows.len() > LONG;
        Table { caption: caption.into(), columns: columns.to_vec(), rows, is_long }
    }
}

impl Row {
    /// A row that nothing leads to.
    pub(super) fn new(cells: impl IntoIterator<Item = Inlines>) -> Self {
        Row { id: String::new(), cells: cells.into_iter().collect() }
    }

    /// A row with a name on the page.
    pub(super) fn named(id: impl Into<String>, cells: impl IntoIterator<Item = Inlines>) -> Self {
        Row { id: id.into(), cells: cells.into_iter().collect() }
    }
}
