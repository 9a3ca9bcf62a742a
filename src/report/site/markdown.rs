//! Pages as Markdown (CommonMark with the tables of GitHub), with the same content.
//!
//! Every text is escaped: nothing that a policy says becomes a heading, a link, a tag of HTML or a cell of a table.

use std::fmt::Write;

use super::document::{Block, Fact, Inline, Inlines, Link, Matrix, Number, Page, Style, Table};
use super::file;
use super::html::policy_name;
use super::view::Site;
use crate::emit::OutputFile;

/// The file of a page.
pub(super) fn page(site: &Site, page: &Page) -> OutputFile {
    let mut text = format!("# {}\n\n", escaped(&page.title));
    let name = escaped(&policy_name(site));
    let kicker = if page.kicker.is_empty() { String::new() } else { format!("{}. ", escaped(page.kicker)) };
    let _ = writeln!(text, "{kicker}{name}, as of {}. [Overview](index.md)\n", site.policy.as_of);
    paragraph(&mut text, &page.lead);
    for block in &page.blocks {
        self::block(&mut text, block);
    }
    file(&format!("{}.md", page.file), &(text.trim_end().to_owned() + "\n"))
}

fn block(text: &mut String, block: &Block) {
    match block {
        Block::Heading { level, id, parts } => {
            if !id.is_empty() {
                let _ = writeln!(text, "<a id=\"{}\"></a>\n", attribute(id));
            }
            let _ = writeln!(text, "{} {}\n", "#".repeat(usize::from(*level)), line(parts));
        }
        Block::Paragraph { parts } => paragraph(text, parts),
        Block::Notice { parts } => {
            let _ = writeln!(text, "> {}\n", line(parts));
        }
        Block::List { items } => list(text, "-", items),
        Block::Checklist { items } => list(text, "- [ ]", items),
        Block::Facts { items } => facts(text, items),
        Block::Numbers { items } => numbers(text, items),
        Block::Table(table) => self::table(text, table),
        Block::Commands { lines } => {
            // Commands hold no line end, so four blanks make each a line of code.
            for line in lines {
                let _ = writeln!(text, "    {line}");
            }
            text.push('\n');
        }
        Block::Drawing(drawing) => {
            let _ = writeln!(text, "![{}]({}.svg)\n", escaped(&drawing.title), drawing.file);
        }
        Block::Matrix(matrix) => self::matrix(text, matrix),
        Block::Search => {}
    }
}

fn paragraph(text: &mut String, parts: &Inlines) {
    if !parts.is_empty() {
        let _ = writeln!(text, "{}\n", line(parts));
    }
}

fn list(text: &mut String, mark: &str, items: &[Inlines]) {
    for item in items {
        let _ = writeln!(text, "{mark} {}", line(item));
    }
    text.push('\n');
}

fn facts(text: &mut String, items: &[Fact]) {
    for item in items {
        let _ = writeln!(text, "- {}: {}", escaped(item.label), line(&item.parts));
    }
    text.push('\n');
}

fn numbers(text: &mut String, items: &[Number]) {
    for item in items {
        let _ = writeln!(text, "- **{}** [{}]({})", item.value, escaped(&item.label), address(&item.to));
    }
    text.push('\n');
}

fn table(text: &mut String, table: &Table) {
    let _ = writeln!(text, "{}\n", escaped(&table.caption));
    let head: Vec<String> = table.columns.iter().map(|column| escaped(column)).collect();
    row(text, &head);
    row(text, &vec!["---".to_owned(); head.len()]);
    for entry in &table.rows {
        let mut cells: Vec<String> = entry.cells.iter().map(|cell| line(cell)).collect();
        if let Some(first) = cells.first_mut().filter(|_| !entry.id.is_empty()) {
            *first = format!("<a id=\"{}\"></a>{first}", attribute(&entry.id));
        }
        row(text, &cells);
    }
    text.push('\n');
}

fn matrix(text: &mut String, matrix: &Matrix) {
    let _ = writeln!(text, "{}\n", escaped(&matrix.caption));
    let head = std::iter::once(String::new()).chain(matrix.columns.iter().map(inline));
    row(text, &head.collect::<Vec<_>>());
    row(text, &vec!["---".to_owned(); matrix.columns.len() + 1]);
    for entry in &matrix.rows {
        let cells = entry.cells.iter().map(|cell| match &cell.to {
            Some(to) => format!("[{}]({})", cell.count, address(to)),
            None => String::new(),
        });
        row(text, &std::iter::once(inline(&entry.zone)).chain(cells).collect::<Vec<_>>());
    }
    text.push('\n');
}

fn row(text: &mut String, cells: &[String]) {
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

/// Runs of text on one line.
fn line(parts: &[Inline]) -> String {
    parts.iter().map(inline).collect()
}

fn inline(part: &Inline) -> String {
    let text = match part.style {
        Style::Break => return "<br>".to_owned(),
        Style::Code => code(&part.text),
        Style::Strong | Style::Serious | Style::Attention => bold(&part.text),
        Style::Plain | Style::Small | Style::Good | Style::Neutral => escaped(&part.text),
    };
    match &part.to {
        Some(to) => format!("[{text}]({})", address(to)),
        None => text,
    }
}

/// Bold text; blanks at its ends would keep it from being so.
fn bold(text: &str) -> String {
    let inner = escaped(text.trim());
    if inner.is_empty() { String::new() } else { format!("**{inner}**") }
}

/// The address of a place. Names hold nothing that could leave it.
fn address(to: &Link) -> String {
    let anchor = if to.anchor.is_empty() { String::new() } else { format!("#{}", to.anchor) };
    let keep = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '#');
    format!("{}.md{anchor}", to.page).chars().filter(|c| keep(*c)).collect()
}

/// An attribute of the few tags that cordon itself writes.
fn attribute(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect()
}

/// Code that stays code, also where it holds backticks, and inside a table.
fn code(text: &str) -> String {
    let text = on_one_line(text);
    if text.contains(['`', '|', '\\']) || text.is_empty() {
        // A fence of backticks would do for the first, but nothing does for the others in every place.
        return escaped(&text);
    }
    format!("`{text}`")
}

/// Text of which no character means anything to Markdown or HTML.
pub(crate) fn escaped(text: &str) -> String {
    let text = on_one_line(text);
    let mut safe = String::with_capacity(text.len());
    for (place, character) in text.char_indices() {
        let opens_line = place == 0 && matches!(character, '#' | '+' | '-' | '=');
        // `1.` and `1)` begin a list.
        let numbers = text
            .get(..place)
            .is_some_and(|before| !before.is_empty() && before.bytes().all(|byte| byte.is_ascii_digit()));
        let ends_number = numbers && matches!(character, '.' | ')');
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | '@' => {
                safe.push('\\');
                safe.push(character);
            }
            // What looks like an address would become a link by itself.
            ':' if text.get(place..).is_some_and(|rest| rest.starts_with("://")) => safe.push_str("&#58;"),
            '.' if text.get(..place).is_some_and(|before| before.to_ascii_lowercase().ends_with("www")) => {
                safe.push_str("&#46;");
            }
            _ if opens_line || ends_number => {
                safe.push('\\');
                safe.push(character);
            }
            _ => safe.push(character),
        }
    }
    safe
}

/// Text with single blanks in the place of its white space, as HTML shows it; those at its ends stay, one each.
fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        let character = if character.is_whitespace() { ' ' } else { character };
        if character != ' ' || !line.ends_with(' ') {
            line.push(character);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::site::document::{code as code_part, plain};

    #[test]
    fn no_character_of_a_text_means_anything() {
        assert_eq!(
            escaped("<img onerror=x> & | `a` [b](javascript:c)"),
            "&lt;img onerror=x&gt; &amp; \\| \\`a\\` \\[b\\](javascript:c)"
        );
        assert_eq!(escaped("# a\n# b"), "\\# a # b");
        assert_eq!(escaped("1. a"), "1\\. a");
        assert_eq!(escaped("- a"), "\\- a");
        assert_eq!(
            escaped("see https://a.example and www.b.example"),
            "see https&#58;//a.example and www&#46;b.example"
        );
        assert_eq!(escaped("\\*a* _b_ ~c~ $d$ @e"), "\\\\\\*a\\* \\_b\\_ \\~c\\~ \\$d\\$ \\@e");
    }

    #[test]
    fn code_ends_where_it_should() {
        assert_eq!(code("tcp 104"), "`tcp 104`");
        assert_eq!(code("a`b|c"), "a\\`b\\|c");
        let parts = vec![plain("a "), code_part("b"), plain(" c")];
        assert_eq!(line(&parts), "a `b` c");
    }
}
