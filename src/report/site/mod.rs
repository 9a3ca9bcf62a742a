//! The report: a policy as pages for people, in HTML and in Markdown.
//!
//! In: a checked policy, its sources, and what was found in it. Out: files that link to each other and to nothing else. They
//! do not depend on the clock or on where the policy lies. A page is made in Rust as headings, sentences and tables
//! (`document`); templates lay them out, and every text is escaped there. What a page says about access comes from the sets
//! of the policy (`openings`), never from the names of rules.

mod document;
mod html;
mod map;
mod markdown;
mod pages;
mod search;
mod view;
mod words;

use thiserror::Error;

pub(crate) use self::markdown::escaped;

use self::document::Page;
use self::view::Site;
use crate::diag::Record;
use crate::emit::OutputFile;
use crate::ir::Policy;
use crate::parallel::each;
use crate::source::Sources;

/// The pages could not be laid out, which would be a bug.
#[derive(Error, Debug)]
#[error("the report could not be laid out, which is a bug in cordon: {0}")]
pub struct LayoutError(String);

/// All files of the report on a policy, by path. `findings` is what `check` said of it.
///
/// # Errors
/// If a template does not fit what it is given, which would be a bug.
pub fn report(
    policy: &Policy,
    sources: &Sources,
    findings: &[Record],
) -> Result<Vec<OutputFile>, LayoutError> {
    let site = Site::new(policy, sources, findings);
    let pages = pages::all(&site);
    let contents = pages::contents();
    let layout = html::Layout::new(&site, &contents)?;
    let rendered = each(&pages, |page: &Page| Ok([layout.page(page)?, markdown::page(&site, page)]));
    let mut files: Vec<OutputFile> =
        rendered.into_iter().collect::<Result<Vec<_>, LayoutError>>()?.into_iter().flatten().collect();
    files.extend(layout.drawings(&pages)?);
    files.extend(html::ASSETS.map(|(path, content)| file(path, content)));
    files.push(file("search.js", &search::index(&site, &pages)));
    files.sort();
    Ok(files)
}

fn file(path: &str, content: &str) -> OutputFile {
    OutputFile { path: path.to_owned(), content: content.to_owned() }
}
