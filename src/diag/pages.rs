//! The pages of `docs/diagnostics.md`, one for each code, for reading in a terminal.

use super::codes::{CODES, Code};

/// What the documentation says of all codes.
const DOCS: &str = include_str!("../../docs/diagnostics.md");

/// What the documentation says of one code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// The code.
    pub code: &'static Code,
    /// The part of the documentation that it stands in.
    pub group: &'static str,
    /// What it says, as Markdown without the heading.
    pub markdown: &'static str,
}

/// One page for each code, in the order of the codes.
pub fn pages() -> Vec<Page> {
    let mut pages = Vec::new();
    for part in DOCS.split("\n## ").skip(1) {
        let mut sections = part.split("\n### ");
        let group = sections.next().and_then(|head| head.lines().next()).unwrap_or_default();
        for section in sections {
            let (heading, markdown) = section.split_once('\n').unwrap_or((section, ""));
            let name = heading.split_once(':').map_or(heading, |(name, _)| name);
            if let Some(code) = CODES.iter().find(|code| code.code == name) {
                pages.push(Page { code, group, markdown: markdown.trim_matches('\n') });
            }
        }
    }
    pages
}

impl Page {
    /// The page as plain text, `width` columns wide but for examples. What a link leads to stands behind it in parentheses.
    pub fn plain(&self, width: usize) -> String {
        let blocks = self.markdown.split("\n\n").map(|block| {
            if block.starts_with("    ") {
                return block.to_owned();
            }
            let text: Vec<String> = block.lines().map(str::to_owned).collect();
            textwrap::fill(&without_links(&text.join(" ")), width)
        });
        blocks.collect::<Vec<_>>().join("\n\n") + "\n"
    }
}

/// A text with each `[words](target)` as `words (target)`, whose relative targets are found below `docs/`.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        plain += before;
        let parts = link.split_once("](").and_then(|(words, behind)| {
            let (target, behind) = behind.split_once(')')?;
            (!words.contains(['[', ']'])).then_some((words, target, behind))
        });
        match parts {
            Some((words, target, behind)) => {
                let below = if target.contains("://") { "" } else { "docs/" };
                plain += &match target.strip_prefix(words) {
                    Some(anchor) => format!("{below}{words}{anchor}"),
                    None => format!("{words} ({below}{target})"),
                };
                rest = behind;
            }
            None => {
                plain.push('[');
                rest = link;
            }
        }
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_a_page_that_says_something() {
        let pages = pages();
        let found: Vec<&str> = pages.iter().map(|page| page.code.code).collect();
        let codes: Vec<&str> = CODES.iter().map(|code| code.code).collect();
        assert_eq!(found, codes);
        for page in &pages {
            assert!(page.markdown.len() > 40 && !page.group.is_empty(), "{}", page.code.code);
            assert!(!page.plain(80).contains("]("), "{}", page.code.code);
        }
    }

    #[test]
    fn links_are_written_out_and_other_brackets_stay() {
        let text =
            "see [the language](language.md#group), [proof.md](proof.md#how) and `a[1]` [x](https://y.org)";
        let plain =
            "see the language (docs/language.md#group), docs/proof.md#how and `a[1]` x (https://y.org)";
        assert_eq!(without_links(text), plain);
    }
}
