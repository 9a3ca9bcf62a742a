//! The pages: for each chapter a module that makes its pages, and a line in a table.

mod access;
mod assertions;
mod classes;
mod community;
mod enforcement;
mod evidence;
mod exceptions;
mod glossary;
mod guards;
mod inventory;
mod map;
mod matrix;
mod overview;
mod peers;
mod phi;
mod probes;
mod rules;
mod zones;

use super::document::{Block, Inlines, Page, plain};
use super::html::Entry;
use super::view::Site;

/// A chapter: the name of its first page, its title in the contents, and what makes its pages.
struct Chapter {
    file: &'static str,
    title: &'static str,
    pages: fn(&Site) -> Vec<Page>,
}

const fn chapter(file: &'static str, title: &'static str, pages: fn(&Site) -> Vec<Page>) -> Chapter {
    Chapter { file, title, pages }
}

/// All chapters, in the order of the contents.
const CHAPTERS: [Chapter; 16] = [
    chapter(overview::FILE, "Overview", overview::pages),
    chapter(map::FILE, "Zone map", map::pages),
    chapter(matrix::FILE, "Access matrix", matrix::pages),
    chapter(zones::FILE, "Zones", zones::pages),
    chapter(classes::FILE, "Device classes", classes::pages),
    chapter(inventory::FILE, "Inventory", inventory::pages),
    chapter(peers::FILE, "Servers", peers::pages),
    chapter(rules::FILE, "Rules", rules::pages),
    chapter(phi::FILE, "PHI flows", phi::pages),
    chapter(exceptions::FILE, "Exceptions", exceptions::pages),
    chapter(guards::FILE, "Guards and postures", guards::pages),
    chapter(enforcement::FILE, "Enforcement points", enforcement::pages),
    chapter(assertions::FILE, "Assertions", assertions::pages),
    chapter(evidence::FILE, "Evidence", evidence::pages),
    chapter(community::FILE, "For everyone", community::pages),
    chapter(glossary::FILE, "Glossary", glossary::pages),
];

/// All pages, in the order of the contents.
pub(super) fn all(site: &Site) -> Vec<Page> {
    CHAPTERS.iter().flat_map(|chapter| (chapter.pages)(site)).collect()
}

/// The lines of the contents.
pub(super) fn contents() -> Vec<Entry> {
    CHAPTERS.iter().map(|chapter| Entry { file: chapter.file, title: chapter.title }).collect()
}

/// The first page of a chapter.
fn first(file: &'static str, title: &str, lead: &str, blocks: Vec<Block>) -> Page {
    Page {
        file: file.to_owned(),
        title: title.to_owned(),
        kicker: "",
        chapter: file,
        lead: vec![plain(lead)],
        blocks,
    }
}

/// A page of a chapter about one thing.
fn further(
    chapter: &'static str,
    kicker: &'static str,
    file: String,
    title: &str,
    lead: Inlines,
    blocks: Vec<Block>,
) -> Page {
    Page { file, title: title.to_owned(), kicker, chapter, lead, blocks }
}
