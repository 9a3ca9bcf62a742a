//! Columns: lines that belong together have what stands in them below each other.

use super::fill::width;

/// How much wider than the narrowest the widest cell of a column may be. One address list among short ones would move all
/// the others far to the right.
const MAX_SPREAD: usize = 24;

/// Pads the cells of each column to its widest. A cell that nothing follows in its line is not padded, and neither is a
/// column whose cells are too different where `may_differ` is false.
pub(super) fn align(lines: &mut [Vec<String>], may_differ: &[bool]) {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    for column in 0..columns {
        let followed = |line: &&mut Vec<String>| line.iter().skip(column + 1).any(|cell| !cell.is_empty());
        let mut cells: Vec<&mut String> =
            lines.iter_mut().filter(followed).filter_map(|line| line.get_mut(column)).collect();
        let widths = || cells.iter().map(|cell| width(cell));
        let (Some(least), Some(most)) = (widths().min(), widths().max()) else { continue };
        if most - least > MAX_SPREAD && !may_differ.get(column).copied().unwrap_or(false) {
            continue;
        }
        for cell in &mut cells {
            let missing = most - width(cell);
            cell.push_str(&" ".repeat(missing));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aligned(lines: &[&[&str]], may_differ: &[bool]) -> Vec<String> {
        let mut lines: Vec<Vec<String>> =
            lines.iter().map(|line| line.iter().map(|cell| (*cell).to_owned()).collect()).collect();
        align(&mut lines, may_differ);
        lines.iter().map(|line| line.concat()).collect()
    }

    #[test]
    fn cells_are_as_wide_as_the_widest_of_their_column() {
        assert_eq!(aligned(&[&["a", "|b"], &["ccc", "|"], &["ddddd"]], &[]), ["a  |b", "ccc|", "ddddd"]);
    }

    #[test]
    fn one_long_cell_moves_no_others() {
        let long = "l".repeat(26);
        let lines: [&[&str]; 2] = [&["a", "|"], &[&long, "|"]];
        assert_eq!(aligned(&lines, &[]), ["a|".to_owned(), format!("{long}|")]);
        assert_eq!(aligned(&lines, &[true])[0], format!("a{}|", " ".repeat(25)));
    }
}
