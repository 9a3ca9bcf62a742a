//! The paths (`a::b::c`) that stand in a Rust file.

use super::rust::{line_of, line_starts};

/// All paths in code from which texts and comments are gone, each with its line; the trees of imports are taken apart.
pub(super) fn paths(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut imported_until = 0;
    for start in line_starts(code) {
        if start < imported_until {
            continue;
        }
        let rest = code.get(start..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default();
        match import_tree(rest) {
            Some(tree) => {
                imported_until = start + tree.len();
                let mut names = Vec::new();
                expand("", tree, &mut names);
                found.extend(names.into_iter().map(|name| (line_of(code, start), name)));
            }
            None => found.extend(inline(line).map(|path| (line_of(code, start), path.to_owned()))),
        }
    }
    found
}

/// The tree of the import that a text starts with.
fn import_tree(text: &str) -> Option<&str> {
    let mut rest = text.trim_start_matches(' ');
    if let Some(behind) = rest.strip_prefix("pub") {
        rest = match behind.strip_prefix('(') {
            Some(scope) => scope.split_once(')')?.1,
            None => behind,
        };
    }
    let tree = rest.trim_start_matches(' ').strip_prefix("use ")?;
    Some(tree.split(';').next().unwrap_or(tree))
}

/// Adds the paths of a tree like `a::{b, c::{d, e}}`.
fn expand(prefix: &str, tree: &str, found: &mut Vec<String>) {
    let tree = tree.trim();
    let Some((head, group)) = tree.split_once('{') else {
        let name = tree.split(" as ").next().unwrap_or(tree).trim();
        if !name.is_empty() {
            found.push(format!("{prefix}{name}"));
        }
        return;
    };
    let prefix = format!("{prefix}{}", head.trim());
    let group = group.rsplit_once('}').map_or(group, |(inside, _)| inside);
    let mut depth = 0_usize;
    let parts = group.split(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts.for_each(|part| expand(&prefix, part, found));
}

/// The paths in a line that is no import.
fn inline(line: &str) -> impl Iterator<Item = &str> {
    let runs = line.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':')));
    runs.map(|run| run.trim_matches(':')).filter(|run| run.contains("::"))
}

/// True if a path is this one, or leads on from it.
pub(super) fn leads_through(path: &str, start: &str) -> bool {
    path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_of_imports_are_taken_apart() {
        let code =
            "pub(super) use crate::{\n    set::{Set, Point as P},\n    source,\n};\nlet x: a::b = c::d(e);\n";
        let found = paths(code);
        let names: Vec<&str> = found.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, ["crate::set::Set", "crate::set::Point", "crate::source", "a::b", "c::d"]);
        assert_eq!(found.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 1, 1, 5, 5]);
    }

    #[test]
    fn a_path_leads_through_whole_names_only() {
        assert!(leads_through("std::fs::read", "std::fs") && leads_through("std::fs", "std::fs"));
        assert!(!leads_through("std::fsx", "std::fs"));
    }
}
