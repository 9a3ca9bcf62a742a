//! What is known of the devices of a policy, and what changed since an earlier export.

mod changes;
mod picture;

pub use changes::Changes;
pub use picture::Picture;

/// A table for people: columns as wide as their widest cell, two spaces between them.
fn columns(rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        for (place, cell) in row.iter().enumerate() {
            let width = cell.chars().count();
            match widths.get_mut(place) {
                Some(widest) => *widest = (*widest).max(width),
                None => widths.push(width),
            }
        }
    }
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("  {}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// The text of an export on one line, without what acts on a terminal.
fn shown(text: &str) -> String {
    let clean = |c: char| if crate::source::is_forbidden(c) || c.is_whitespace() { ' ' } else { c };
    text.chars().map(clean).collect()
}
