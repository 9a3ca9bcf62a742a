//! Pages as HTML, and drawings as SVG.
//!
//! The templates escape every text. They can be given no file and no function, and a field that a page does not have is an
//! error. Pages name no other host, and a policy of content forbids what a text could make of them if it got out.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::document::{Block, Page};
use super::map::Drawing;
use super::view::Site;
use super::{LayoutError, file};
use crate::emit::OutputFile;

/// What all pages load.
pub(super) const ASSETS: [(&str, &str); 2] = [("report.js", SCRIPT), ("style.css", STYLE)];

const SCRIPT: &str = include_str!("templates/report.js");
const STYLE: &str = include_str!("templates/style.css");
const DRAWING: &str = include_str!("templates/drawing.svg.j2");
const PAGE: &str = include_str!("templates/page.html.j2");

const PAGE_NAME: &str = "page.html";
const DRAWING_NAME: &str = "drawing.svg";

/// The templates, and what stands on every page.
pub(super) struct Layout {
    environment: Environment<'static>,
    frame: Frame,
}

/// What stands on every page.
#[derive(Serialize)]
struct Frame {
    policy: String,
    as_of: String,
    version: &'static str,
    /// The digest of the files of the policy.
    digest: String,
    contents: Vec<Entry>,
}

/// A line of the contents.
#[derive(Clone, Serialize)]
pub(super) struct Entry {
    pub(super) file: &'static str,
    pub(super) title: &'static str,
}

#[derive(Serialize)]
struct PageView<'a> {
    page: &'a Page,
    site: &'a Frame,
}

#[derive(Serialize)]
struct DrawingView<'a> {
    view: &'a Drawing,
    style: String,
}

impl Layout {
    pub(super) fn new(site: &Site, contents: &[Entry]) -> Result<Self, LayoutError> {
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()
            .map_err(said)?;
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_syntax(syntax);
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.add_template_owned(PAGE_NAME, format!("{DRAWING}{PAGE}")).map_err(said)?;
        let drawing = format!("{DRAWING}{{{{ drawing(view, true) }}}}");
        environment.add_template_owned(DRAWING_NAME, drawing).map_err(said)?;
        let frame = Frame {
            policy: policy_name(site),
            as_of: site.policy.as_of.to_string(),
            version: env!("CARGO_PKG_VERSION"),
            digest: digest(site),
            contents: contents.to_vec(),
        };
        Ok(Layout { environment, frame })
    }

    /// The file of a page.
    pub(super) fn page(&self, page: &Page) -> Result<OutputFile, LayoutError> {
        let view = PageView { page, site: &self.frame };
        let text = self.render(PAGE_NAME, &view)?;
        Ok(file(&format!("{}.html", page.file), text.trim_start()))
    }

    /// A file for each drawing, which the Markdown shows.
    pub(super) fn drawings(&self, pages: &[Page]) -> Result<Vec<OutputFile>, LayoutError> {
        let drawings = pages.iter().flat_map(|page| &page.blocks).filter_map(drawing_of);
        let files = drawings.map(|drawing| {
            let text = self.render(DRAWING_NAME, &DrawingView { view: drawing, style: drawing_style() })?;
            Ok(file(&format!("{}.svg", drawing.file), text.trim_start()))
        });
        files.collect()
    }

    fn render(&self, name: &str, view: &impl Serialize) -> Result<String, LayoutError> {
        let template = self.environment.get_template(name).map_err(said)?;
        template.render(Serde(view)).map_err(said)
    }
}

fn drawing_of(block: &Block) -> Option<&Drawing> {
    if let Block::Drawing(drawing) = block { Some(drawing) } else { None }
}

/// The part of the style that a drawing by itself needs: its colours, and what is said of it.
fn drawing_style() -> String {
    const OF_DRAWINGS: [&str; 9] =
        [".drawing", ".band", ".node", ".key", ".stripe", ".hatch", ".line", "marker", ":root"];
    let wanted = |line: &&str| {
        let line = line.trim();
        let is_start = OF_DRAWINGS.iter().any(|start| line.starts_with(start))
            && !line.contains(":root { --paper: #fff");
        is_start || line.starts_with("--") || line == "}" || line.starts_with("@media (prefers-color-scheme")
    };
    let head = STYLE.lines().take_while(|line| !line.starts_with("* {"));
    let rest = STYLE.lines().skip_while(|line| !line.starts_with(".drawing {"));
    let rest = rest.take_while(|line| !line.starts_with("@media"));
    let text: Vec<&str> = head.chain(rest).filter(wanted).collect();
    text.join("\n").replace("color-scheme: light dark;", "")
}

/// What the policy is called.
pub(super) fn policy_name(site: &Site) -> String {
    site.policy.name.clone().unwrap_or_else(|| "A policy without a name".to_owned())
}

/// A digest of all files of the policy, by path.
fn digest(site: &Site) -> String {
    let mut files: Vec<(&str, &str)> =
        site.sources.files().iter().map(|file| (file.path(), file.text())).collect();
    files.sort_unstable();
    let mut hasher = Sha256::new();
    for (path, text) in files {
        hasher.update(format!("{} {path}\n{} ", path.len(), text.len()));
        hasher.update(text);
    }
    hasher.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn said(problem: minijinja::Error) -> LayoutError {
    LayoutError(format!("{problem:#}"))
}
