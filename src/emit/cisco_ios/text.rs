//! What may stand in a configuration of IOS, and how free text is made to fit.

use sha2::{Digest, Sha256};

/// The longest remark that IOS keeps, in characters.
const MAX_REMARK: usize = 100;

/// The longest name of an interface here, so that the name of a list stays under 64 characters.
const MAX_INTERFACE: usize = 32;

/// Characters next to letters and digits that have no meaning anywhere in a configuration. `!` starts a comment, `?`
/// asks for help, `"` and `|` mean something behind some commands, `^` often delimits a banner.
const HARMLESS: &str = " .,:;-_/()+=@&'";

/// True for names such as `Vlan230`, `GigabitEthernet1/0/1`, `Te1/1/1.20` or `Port-channel5`: letters and `-`, then
/// numbers with `/` or `.` between them.
pub(super) fn valid_interface(name: &str) -> bool {
    let kind = name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '/' | '.'));
    let numbers = name.strip_prefix(kind).unwrap_or_default();
    name.len() <= MAX_INTERFACE
        && kind.starts_with(|c: char| c.is_ascii_alphabetic())
        && kind.ends_with(|c: char| c.is_ascii_alphabetic())
        && kind.chars().all(|c| c.is_ascii_alphabetic() || c == '-')
        && numbers.split(['/', '.']).all(|number| !number.is_empty())
}

/// Free text in closed characters: others become `_`, and runs of spaces one space.
pub(super) fn harmless(text: &str) -> String {
    let clean = |c: char| match c {
        c if c.is_ascii_alphanumeric() || HARMLESS.contains(c) => c,
        c if c.is_whitespace() => ' ',
        _ => '_',
    };
    let cleaned: String = text.chars().map(clean).collect();
    cleaned.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Free text as a remark; what is too long is cut and ends in `...`.
pub(super) fn remark(text: &str) -> String {
    let cleaned = harmless(text);
    if cleaned.len() <= MAX_REMARK {
        return cleaned;
    }
    let kept: String = cleaned.chars().take(MAX_REMARK - "...".len()).collect();
    format!("{}...", kept.trim_end())
}

/// True if a remark is that of lines for a statement, or for the replies to what it allows.
pub(in crate::emit) fn is_label_of(remark: &str, id: &str) -> bool {
    let rest = remark.strip_prefix("all but this for ").unwrap_or(remark);
    let rest = rest.strip_prefix("replies to ").unwrap_or(rest);
    let rest = rest.strip_prefix("rule ").or_else(|| rest.strip_prefix("manage "));
    let after = rest.and_then(|rest| rest.strip_prefix(id));
    after.is_some_and(|after| after.is_empty() || after.starts_with([',', ':']))
}

/// Eight digits that stand for a content.
pub(super) fn digest<'t>(lines: impl IntoIterator<Item = &'t str>) -> String {
    let mut digest = Sha256::new();
    for line in lines {
        digest.update(line);
        digest.update("\n");
    }
    digest.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// The name of an interface inside of the name of a list.
pub(super) fn in_name(interface: &str) -> String {
    interface.replace(['/', '.'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_a_remark_nor_outgrow_it() {
        let hostile = "a\nno ip access-list\r! b ? \"c\" \u{202e}\u{7} ^d | e\\ \u{fc}";
        assert_eq!(remark(hostile), "a no ip access-list _ b _ _c_ __ _d _ e_ _");
        assert!(is_label_of("rule images: C-STORE", "images") && is_label_of("manage admin", "admin"));
        assert!(is_label_of("all but this for replies to rule images, during a", "images"));
        assert!(!is_label_of("rule images-old: C-STORE", "images") && !is_label_of("images", "images"));
        let long = remark(&"word ".repeat(50));
        assert!(long.len() <= MAX_REMARK && long.ends_with("..."), "{long}");
    }

    #[test]
    fn an_interface_is_letters_and_then_numbers() {
        for good in ["Vlan230", "GigabitEthernet1/0/1", "Te1/1/1.20", "Port-channel5", "Gi0/0"] {
            assert!(valid_interface(good), "{good}");
        }
        for bad in [
            "",
            "Vlan",
            "230",
            "Vlan 230",
            "Vlan-1",
            "Vlan1//2",
            "Vlan1/",
            "Vlan1a",
            "Vlan1\nno",
            "V!1",
            "-a1",
        ] {
            assert!(!valid_interface(bad), "{bad}");
        }
    }
}
