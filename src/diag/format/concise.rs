//! Findings in one line each, as compilers print them: editors and terminals make links of such places.

use super::{Findings, primary};

/// One line for each finding: `file:line:column: severity[code]: message`. Control characters become spaces.
pub fn concise(findings: &Findings) -> String {
    let mut text = String::new();
    for record in &findings.records {
        let place = match primary(record) {
            Some(label) => format!("{}:{}:{}", label.file, label.line, label.column),
            None => findings.place.clone(),
        };
        let code = if record.code.is_empty() { String::new() } else { format!("[{}]", record.code) };
        let line = format!("{place}: {}{code}: {}", record.severity, record.message);
        text.extend(line.chars().map(|c| if c.is_control() { ' ' } else { c }));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::tests::record;
    use super::*;

    #[test]
    fn a_message_of_several_lines_stays_in_one() {
        let mut nowhere = record("C0720", "warning", "no place");
        nowhere.labels.clear();
        let findings = vec![record("C0101", "error", "first\nsecond"), nowhere];
        let expected =
            "site/a, b: c%.cordon:3:7: error[C0101]: first second\nsite: warning[C0720]: no place\n";
        assert_eq!(concise(&Findings::new(findings, "site/", "site")), expected);
    }
}
