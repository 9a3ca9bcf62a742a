//! Findings as workflow commands of GitHub Actions, which shows them beside the lines that they are about.
//!
//! <https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions#setting-an-error-message>; what has to
//! be escaped is in `escapeData` and `escapeProperty` of <https://github.com/actions/toolkit>, packages/core/src/command.ts.

use super::{Findings, in_lines, primary};

/// One command a line for each finding. Columns are given only where a place is within one line: GitHub takes none otherwise.
pub fn github(findings: &Findings) -> String {
    let mut text = String::new();
    for record in &findings.records {
        let command = match record.severity {
            "error" => "error",
            "warning" => "warning",
            _ => "notice",
        };
        let mut properties = Vec::new();
        if let Some(label) = primary(record) {
            properties.push(format!("file={}", property(&label.file)));
            properties.push(format!("line={}", label.line));
            if label.line == label.end_line {
                properties.push(format!("col={}", label.column));
            }
            properties.push(format!("endLine={}", label.end_line));
            if label.line == label.end_line {
                properties.push(format!("endColumn={}", label.end_column));
            }
        }
        properties.push(format!("title={}", property(&record.code)));
        text += &format!("::{command} {}::{}\n", properties.join(","), data(&in_lines(record)));
    }
    text
}

/// The text of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::tests::record;
    use super::*;

    #[test]
    fn what_would_end_a_property_or_a_command_is_escaped() {
        let mut long = record("C0002", "warning", "long");
        long.labels[0].end_line = 5;
        let findings = vec![record("C0101", "error", "100 %: a,b\r\n::error::x"), long];
        let expected = "::error file=a%2C b%3A c%25.cordon,line=3,col=7,endLine=3,endColumn=11,title=C0101::100 %25: a,b\
                        %0D%0A::error::x%0Ahere: not <declared>\n\
                        ::warning file=a%2C b%3A c%25.cordon,line=3,endLine=5,title=C0002::long%0Ahere: not <declared>\n";
        assert_eq!(github(&Findings::new(findings, "", ".")), expected);
    }
}
