//! Statements as lines: a row of a table where it fits on a line, and a block otherwise.

use super::MAX_WIDTH;
use super::fill::{filled, gap, on_one_line, part_gap, width};
use super::piece::{Piece, Pieces, Statement};
use super::table::align;
use super::token::Token;

const INDENT: &str = "  ";

/// Where a clause goes on that does not fit on its line.
const HANGING: &str = "    ";

/// The text of a file.
pub(super) fn lay_out(pieces: &Pieces) -> String {
    let mut page = Page::default();
    page.comments(&pieces.before);
    for statement in &pieces.statements {
        page.blank_line(statement.head.breaks());
        match row(statement) {
            Some(row) => page.row(row),
            None => page.block(statement),
        }
        page.comments(&statement.after);
    }
    page.end_table();
    page.text
}

/// A statement on one line, with acceptances on lines below.
struct Row<'t> {
    /// Rows of one family make a table.
    family: &'t str,
    /// The words before the `{`, in columns; then the `{`.
    head: Vec<String>,
    /// The first clause, if it is a column of the table.
    first: String,
    /// The other clauses.
    rest: String,
    /// The acceptances.
    below: Vec<String>,
    /// Comments: one behind the row, and those below it.
    comments: Vec<(bool, String)>,
}

/// The text so far.
#[derive(Default)]
struct Page<'t> {
    text: String,
    /// The rows at its end, not yet aligned.
    rows: Vec<Row<'t>>,
}

impl<'t> Page<'t> {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A blank line, if one stood before what comes next.
    fn blank_line(&mut self, breaks: usize) {
        if breaks > 1 {
            self.end_table();
            if !self.text.is_empty() {
                self.text.push('\n');
            }
        }
    }

    /// Comments behind or between statements. In a table they stay between its rows.
    fn comments(&mut self, comments: &[Token]) {
        for comment in comments {
            self.blank_line(comment.breaks);
            let is_behind = comment.breaks == 0;
            if let Some(row) = self.rows.last_mut() {
                row.comments.push((is_behind, comment.text.to_owned()));
            } else {
                if is_behind && self.text.pop().is_some() {
                    self.text.push_str(INDENT);
                }
                self.line(comment.text);
            }
        }
    }

    fn row(&mut self, row: Row<'t>) {
        if self.rows.last().is_some_and(|last| last.family != row.family) {
            self.end_table();
        }
        self.rows.push(row);
    }

    /// Writes the rows at the end of the page in columns.
    fn end_table(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        let mut heads: Vec<Vec<String>> = rows.iter().map(|row| row.head.clone()).collect();
        align(&mut heads, &[true; 3]);
        let mut bodies: Vec<Vec<String>> =
            rows.iter().map(|row| vec![row.first.clone(), row.rest.clone()]).collect();
        align(&mut bodies, &[false]);
        for ((row, head), body) in rows.iter().zip(heads).zip(bodies) {
            let mut lines = vec![head.concat() + &body.concat()];
            lines.extend(row.below.iter().map(|below| format!("{INDENT}{below}")));
            if let Some(last) = lines.last_mut() {
                last.push_str(if row.first.is_empty() && row.rest.is_empty() { "}" } else { " }" });
            }
            let mut comments = row.comments.iter().peekable();
            if let (Some(last), Some((_, comment))) =
                (lines.last_mut(), comments.next_if(|(behind, _)| *behind))
            {
                last.push_str(&format!("{INDENT}{comment}"));
            }
            lines.iter().for_each(|line| self.line(line));
            comments.for_each(|(_, comment)| self.line(comment));
        }
    }

    fn block(&mut self, statement: &Statement) {
        self.end_table();
        for line in filled(&statement.head, "", INDENT) {
            self.line(&line);
        }
        if let Some(clauses) = &statement.clauses {
            let mut block = Block::default();
            let mut comments = statement.head.after.as_slice();
            if let [first, others @ ..] = comments
                && first.breaks == 0
            {
                self.comments(&[*first]);
                comments = others;
            }
            block.comments(comments);
            clauses.iter().for_each(|clause| block.clause(clause));
            for line in block.finish() {
                self.line(&line);
            }
            self.line("}");
        }
    }
}

/// The statement as a row, if the author did not choose a block, no comment stands in it, and it fits.
fn row<'t>(statement: &Statement<'t>) -> Option<Row<'t>> {
    let Some(clauses) = &statement.clauses else { return None };
    let is_plain = statement.head.is_plain() && clauses.iter().all(Piece::is_plain);
    if !is_plain || clauses.first().is_some_and(|first| first.breaks() > 0) {
        return None;
    }
    let keyword = statement.head.keyword();
    let head = head_cells(&statement.head.tokens);
    let texts: Vec<String> =
        clauses.iter().map(|clause| on_one_line(&clause.tokens, 0, &clause.parts)).collect();
    let accepted = clauses.iter().rev().take_while(|clause| clause.keyword() == "accepted").count();
    let fits = |text: &str, more: usize| width(text) + more <= MAX_WIDTH;
    // The widths of the head's cells count as they are, so that one row does not decide on another.
    let head_width = head.iter().map(|cell| width(cell)).sum::<usize>();
    let joined = |until: usize| {
        let shown = clauses.iter().zip(&texts).take(until);
        shown.enumerate().fold(String::new(), |text, (place, (clause, own))| {
            if place == 0 { own.clone() } else { text + gap(clause.keyword()) + own }
        })
    };
    let closing = " }".len();
    let on_line = if fits(&joined(clauses.len()), head_width + closing) {
        clauses.len()
    } else {
        clauses.len() - accepted
    };
    let below: Vec<String> = texts.iter().skip(on_line).cloned().collect();
    let closing_here = if below.is_empty() { closing } else { 0 };
    let all_fit = on_line > 0 && fits(&joined(on_line), head_width + closing_here);
    if !(clauses.is_empty() || all_fit) || !below.iter().all(|line| fits(line, INDENT.len() + closing)) {
        return None;
    }
    let whole = joined(on_line);
    let cut = match texts.first() {
        Some(first) if FIRST_IN_COLUMN.contains(&keyword) => first.len(),
        _ => 0,
    };
    let (first, rest) = whole.split_at_checked(cut).unwrap_or(("", &whole));
    Some(Row {
        family: family(keyword),
        head,
        first: first.to_owned(),
        rest: rest.to_owned(),
        below,
        comments: Vec::new(),
    })
}

/// The table that a statement belongs to, by its keyword: rules, and what consists of hosts, stand in one.
fn family(keyword: &str) -> &str {
    match keyword {
        "forbid" => "allow",
        "peer" => "class",
        other => other,
    }
}

/// The statements in whose rows the first clause is a column. In the others what stands behind it tells more than where it
/// stands.
const FIRST_IN_COLUMN: [&str; 5] = ["class", "guard", "inventory", "peer", "zone"];

/// The head of a row in columns: two words, the others, and the `{`. Each but the last ends in a blank.
fn head_cells(tokens: &[Token]) -> Vec<String> {
    let Some((_, named)) = tokens.split_last() else { return Vec::new() };
    let (first, others) = named.split_at_checked(2).unwrap_or((named, &[]));
    let cell = |tokens: &[Token]| match on_one_line(tokens, 0, &[]) {
        text if text.is_empty() => text,
        text => text + " ",
    };
    vec![cell(first), cell(others), "{ ".to_owned()]
}

/// The lines of a block.
#[derive(Default)]
struct Block {
    lines: Vec<BlockLine>,
    /// True if the last line takes no more clauses.
    is_full: bool,
}

#[derive(Default)]
struct BlockLine {
    /// What it says, in the columns of its table.
    cells: Vec<String>,
    /// The word that all lines of a table begin with; none for lines in no table.
    table: Option<String>,
    comment: String,
}

/// Clauses that begin a line of a block, wherever the author wrote them.
const OWN_LINE: [&str; 11] = [
    "accepted",
    "host",
    "hosts",
    "interface",
    "isolate",
    "members",
    "net",
    "ports",
    "reached",
    "reaches",
    "uplink",
];

/// Clauses that stand below each other in columns.
const IN_COLUMNS: [&str; 4] = ["interface", "isolate", "ports", "uplink"];

impl Block {
    fn blank_line(&mut self, breaks: usize) {
        if breaks > 1 && !self.lines.is_empty() {
            self.lines.push(BlockLine::default());
        }
    }

    fn comments(&mut self, comments: &[Token]) {
        for comment in comments {
            self.blank_line(comment.breaks);
            match self.lines.last_mut() {
                Some(line) if comment.breaks == 0 => line.comment = format!("{INDENT}{}", comment.text),
                _ => {
                    let comment = format!("{INDENT}{}", comment.text);
                    self.lines.push(BlockLine { comment, ..BlockLine::default() });
                }
            }
            self.is_full = true;
        }
    }

    fn clause(&mut self, clause: &Piece) {
        self.blank_line(clause.breaks());
        let (keyword, breaks) = (clause.keyword(), clause.breaks());
        let text =
            if clause.holds_comments() { None } else { Some(on_one_line(&clause.tokens, 0, &clause.parts)) };
        let fits = |text: &String| width(text) + INDENT.len() <= MAX_WIDTH;
        match text.filter(fits) {
            None => {
                let lines = filled(clause, INDENT, HANGING);
                self.lines.extend(
                    lines.into_iter().map(|line| BlockLine { cells: vec![line], ..BlockLine::default() }),
                );
                self.is_full = true;
            }
            Some(text) => {
                let starts_line = breaks > 0 || self.is_full || OWN_LINE.contains(&keyword);
                let added = gap(keyword).len() + width(&text);
                match self.lines.last_mut().filter(|line| !starts_line && line.width() + added <= MAX_WIDTH) {
                    Some(line) => {
                        line.cells.push(gap(keyword).to_owned() + &text);
                    }
                    None => self.lines.push(BlockLine::new(clause)),
                }
                self.is_full = false;
            }
        }
        self.comments(&clause.after);
    }

    /// The lines with their columns aligned.
    fn finish(mut self) -> Vec<String> {
        let mut rest = self.lines.as_mut_slice();
        while let [line, ..] = rest {
            let table = line.table.clone();
            let belongs = |other: &BlockLine| {
                other.table == table || (other.cells.is_empty() && !other.comment.is_empty())
            };
            let length =
                if table.is_some() { rest.iter().take_while(|line| belongs(line)).count() } else { 1 };
            let Some((run, others)) = rest.split_at_mut_checked(length) else { break };
            if table.is_some() {
                let mut cells: Vec<Vec<String>> =
                    run.iter_mut().map(|line| std::mem::take(&mut line.cells)).collect();
                align(&mut cells, &[]);
                run.iter_mut().zip(cells).for_each(|(line, cells)| line.cells = cells);
            }
            rest = others;
        }
        self.lines.into_iter().map(|line| line.cells.concat() + &line.comment).collect()
    }
}

impl BlockLine {
    /// A line with one clause, in its columns.
    fn new(clause: &Piece) -> BlockLine {
        let table =
            Some(clause.keyword().to_owned()).filter(|keyword| IN_COLUMNS.contains(&keyword.as_str()));
        let starts = std::iter::once(0).chain(clause.parts.iter().copied());
        let ends = clause.parts.iter().copied().chain([clause.tokens.len()]);
        let cells = starts.zip(ends).map(|(start, end)| {
            let tokens = clause.tokens.get(start..end).unwrap_or_default();
            let before = match tokens.first() {
                Some(first) if start > 0 => part_gap(first.text),
                _ => INDENT,
            };
            before.to_owned() + &on_one_line(tokens, start, &[])
        });
        BlockLine { cells: cells.collect(), table, comment: String::new() }
    }

    fn width(&self) -> usize {
        self.cells.iter().map(|cell| width(cell)).sum()
    }
}
