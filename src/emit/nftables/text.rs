//! What may stand in an nftables file, and how free text is made to fit.

/// The longest comment that nftables takes, in bytes (`NFTNL_UDATA_COMMENT_MAXLEN`, libnftnl `udata.h`).
const MAX_COMMENT_BYTES: usize = 128;

/// True for names that the kernel takes for an interface (`dev_valid_name`, net/core/dev.c: under 16 bytes, no `/`,
/// `:` or space) and that have no meaning in a ruleset, as a trailing `*` would have.
pub(super) fn valid_interface(name: &str) -> bool {
    (1..16).contains(&name.len())
        && !matches!(name, "." | "..")
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

/// Free text as a comment: nftables has no escape for `"` and none for line ends, so both are replaced; what is too
/// long is cut and ends in `...`.
pub(super) fn comment(text: &str) -> String {
    let clean = |c: char| match c {
        '"' => '\'',
        c if crate::source::is_forbidden(c) || c.is_whitespace() => ' ',
        c => c,
    };
    let cleaned: String = text.chars().map(clean).collect();
    if cleaned.len() <= MAX_COMMENT_BYTES {
        return cleaned;
    }
    let mut kept = String::new();
    for c in cleaned.chars() {
        if kept.len() + c.len_utf8() > MAX_COMMENT_BYTES - "...".len() {
            break;
        }
        kept.push(c);
    }
    kept + "..."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_a_comment_nor_outgrow_it() {
        assert_eq!(comment("a\"; accept comment \"b\nc"), "a'; accept comment 'b c");
        let long = comment(&"ü".repeat(100));
        assert!(long.len() <= MAX_COMMENT_BYTES && long.ends_with("ü..."), "{long}");
    }

    #[test]
    fn an_interface_name_is_one_for_the_kernel_and_no_pattern() {
        for good in ["vlan230", "eth0.230", "br-lan", "a"] {
            assert!(valid_interface(good), "{good}");
        }
        for bad in ["", ".", "eth*", "Te1/1/1", "a:b", "0123456789abcdef", "a b", "a\""] {
            assert!(!valid_interface(bad), "{bad}");
        }
    }
}
