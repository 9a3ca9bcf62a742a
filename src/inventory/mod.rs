//! Inventories: from tables that other tools export to the devices that a policy can speak of.
//!
//! In: `inventory` statements, each with the text of its table and of its mapping. Out: an [`Asset`] for each row, with
//! everything that could not be read. What cannot be read is never guessed: a cell without a meaning leaves the asset
//! without that value, and is reported; a row whose cells do not fit the header is an error, since they may have moved.

mod cell;
mod error;
mod mapping;
mod nmap;
mod table;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

// INVARIANT: texts are only looked up in it, never walked, so its order reaches nothing.
use hashbrown::HashSet;
use miette::LabeledSpan;

use self::error::InventoryError;
pub use self::mapping::OWN_NAMES;
use self::mapping::{Mapping, TableKind};
pub(crate) use self::table::separator;
pub(crate) use self::table::shown as row_place;
use self::table::{Row, Rows};
use crate::diag::Diagnostics;
use crate::ir::Asset;
use crate::source::{SourceFile, Span};
use crate::syntax::ast;

/// An `inventory` statement with the files that it names.
#[derive(Clone, Debug)]
pub struct Export {
    /// The statement.
    pub statement: ast::Inventory,
    /// The table.
    pub table: SourceFile,
    /// The mapping, if the statement names one.
    pub mapping: Option<SourceFile>,
}

/// What all inventories of a policy hold.
#[derive(Clone, Default, Debug)]
pub struct Inventories {
    /// The devices, in the order of their rows, inventories by name.
    pub assets: Vec<Asset>,
    /// The columns that mappings add to those that every device has, by name.
    pub columns: BTreeSet<String>,
    /// How many inventories were read without a mistake.
    pub read: usize,
}

impl Inventories {
    /// Reads all exports of a policy.
    pub fn read(exports: &[Export], diagnostics: &mut Diagnostics) -> Self {
        let mut exports: Vec<&Export> = exports.iter().collect();
        exports.sort_by(|one, other| one.statement.name.node.cmp(&other.statement.name.node));
        let mut inventories = Inventories::default();
        let mut texts = Texts::default();
        for pair in exports.windows(2) {
            if let [one, other] = pair
                && one.statement.name.node == other.statement.name.node
            {
                let [first, span] = [one, other].map(|export| export.statement.name.span);
                let (first, span) = (first.min(span), first.max(span));
                let name = one.statement.name.node.clone();
                diagnostics.push(InventoryError::Twice { name, span, first });
            }
        }
        for export in exports {
            let errors = diagnostics.errors();
            inventories.add(export, &mut texts, diagnostics);
            inventories.read += usize::from(diagnostics.errors() == errors);
        }
        inventories
    }

    fn add(&mut self, export: &Export, texts: &mut Texts, diagnostics: &mut Diagnostics) {
        let Some(mapping) = mapping_of(export, diagnostics) else { return };
        self.columns.extend(mapping.columns.more.keys().cloned());
        let rows = match mapping.table {
            TableKind::Csv => table::csv(&export.table),
            TableKind::Nmap => nmap::hosts(&export.table),
        };
        let Rows { header, rows } = match rows {
            Ok(rows) => rows,
            Err(error) => return diagnostics.push(error),
        };
        let header_span = export.table.span(0..0);
        let columns = mapping::Found::new(&mapping, &header);
        for (name, place) in columns.ambiguous() {
            diagnostics.push(InventoryError::ColumnTwice { name, place, span: header_span });
        }
        if !columns.has_addresses() {
            let expected = mapping.columns.address.join("`, `");
            let found = header.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let (path, statement) = (export.table.path().to_owned(), export.statement.name.span);
            diagnostics.push(InventoryError::NoAddresses {
                path,
                expected,
                found,
                span: header_span,
                statement,
            });
            return;
        }
        let mut reader = Reader { export, columns, texts, unreadable: Unreadable::default() };
        for (number, row) in rows.enumerate() {
            match row {
                Ok(row) => self.assets.extend(reader.asset(&row, number)),
                Err(error) => return diagnostics.push(error),
            }
        }
        reader.unreadable.report(&export.table, diagnostics);
    }
}

/// The mapping that a statement asks for.
fn mapping_of(export: &Export, diagnostics: &mut Diagnostics) -> Option<Mapping> {
    let statement = &export.statement;
    let parsed = match (&export.mapping, &statement.format) {
        (Some(_), Some(format)) => {
            let span = statement.mapping.as_ref().map_or(statement.name.span, |mapping| mapping.span);
            Err(InventoryError::FormatAndMapping { span, format: format.span })
        }
        (Some(file), None) => mapping::parse(file.text()).map_err(|mistake| {
            let span = file.span(mistake.place);
            InventoryError::Mapping { path: file.path().to_owned(), what: mistake.what, span }
        }),
        (None, Some(format)) => match mapping::built_in(&format.node) {
            Some(text) => own_mapping(text, format.span),
            None => {
                let (format, span) = (format.node.clone(), format.span);
                let help = mapping::help_for(&format);
                Err(InventoryError::UnknownFormat { format, span, help })
            }
        },
        (None, None) => own_mapping(mapping::PLAIN, statement.name.span),
    };
    parsed.map_err(|error| diagnostics.push(error)).ok()
}

/// A mapping that cordon comes with, all of which the tests read.
fn own_mapping(text: &str, span: Span) -> Result<Mapping, InventoryError> {
    mapping::parse(text).map_err(|mistake| InventoryError::Mapping {
        path: "cordon's own".to_owned(),
        what: mistake.what,
        span,
    })
}

/// Texts that were seen before, so that each is kept once.
#[derive(Default)]
struct Texts {
    /// INVARIANT: only looked up, never walked, so its order reaches nothing.
    known: HashSet<Arc<str>>,
}

impl Texts {
    fn keep(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.known.get(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = text.into();
        self.known.insert(Arc::clone(&text));
        text
    }
}

/// Cells that have no meaning, by the column that they are in.
#[derive(Default)]
struct Unreadable {
    cells: Vec<(&'static str, String, Span)>,
    more: usize,
}

impl Unreadable {
    /// How many cells are kept to be shown.
    const KEPT: usize = 3;

    fn add(&mut self, what: &'static str, text: &str, span: Span) {
        if self.cells.len() < Self::KEPT {
            let text = text.chars().take(40).collect();
            self.cells.push((what, text, span));
        } else {
            self.more += 1;
        }
    }

    fn report(self, table: &SourceFile, diagnostics: &mut Diagnostics) {
        if self.cells.is_empty() {
            return;
        }
        let number = match self.cells.len() + self.more {
            1 => "1 cell".to_owned(),
            number => format!("{number} cells"),
        };
        let cells = self.cells.iter().map(|(what, text, _)| format!("`{text}` is no {what}"));
        let cells = cells.collect::<Vec<_>>().join("; ");
        let label = |(what, _, span): &(&str, String, Span)| {
            LabeledSpan::new_with_span(Some(format!("no {what}")), *span)
        };
        let (path, labels) = (table.path().to_owned(), self.cells.iter().map(label).collect());
        diagnostics.push(InventoryError::Unreadable { path, number, cells, labels });
    }
}

/// What rows of one table become.
struct Reader<'e, 't> {
    export: &'e Export,
    columns: mapping::Found,
    texts: &'t mut Texts,
    unreadable: Unreadable,
}

impl Reader<'_, '_> {
    /// The device that a row is about; none if the mapping says that such rows are left out.
    fn asset(&mut self, row: &Row, number: usize) -> Option<Asset> {
        if self.columns.is_skipped(row) {
            return None;
        }
        let span = self.export.table.span(row.place.clone());
        let columns = &self.columns;
        let mut unreadable = |what, text: &str| self.unreadable.add(what, text, span);
        let mut addresses: Vec<IpAddr> = Vec::new();
        for text in columns.addresses(row) {
            cell::addresses(text, &mut addresses, &mut |part| unreadable("address", part));
        }
        addresses.sort_unstable();
        addresses.dedup();
        let mut macs = Vec::new();
        for text in columns.macs(row) {
            cell::macs(text, &mut macs, &mut |part| unreadable("MAC address", part));
        }
        macs.sort_unstable();
        macs.dedup();
        let supported_until = columns.supported_until(row).and_then(|text| {
            let date = cell::date(text);
            if date.is_none() {
                unreadable("date in the form YYYY-MM-DD", text);
            }
            date
        });
        let risk = columns.risk(row).unwrap_or_else(|text| {
            unreadable("risk that the mapping knows", text);
            None
        });
        let phi = columns.phi(row).unwrap_or_else(|text| {
            unreadable("`phi` that the mapping knows", text);
            None
        });
        let name = match (mapping::first(&columns.name, row), addresses.first()) {
            ("", Some(address)) => self.texts.keep(&address.to_string()),
            ("", None) => self.texts.keep(&format!("row {}", number + 1)),
            (name, _) => self.texts.keep(name),
        };
        let more =
            columns.more(row).map(|(name, value)| (self.texts.keep(name), self.texts.keep(value))).collect();
        let inventory = self.texts.keep(&self.export.statement.name.node);
        let mut text = |places: &[usize]| self.texts.keep(mapping::first(places, row));
        Some(Asset {
            inventory,
            name,
            addresses,
            macs,
            kind: text(&columns.kind),
            vendor: text(&columns.vendor),
            model: text(&columns.model),
            os: text(&columns.os),
            owner: text(&columns.owner),
            zone: text(&columns.zone),
            risk,
            phi,
            supported_until,
            more,
            span,
        })
    }
}

#[cfg(test)]
mod tests;
