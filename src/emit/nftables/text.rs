//! How free text is made to fit an nftables file.

use super::super::linux::one_line;

/// The longest comment that nftables takes, in bytes (`NFTNL_UDATA_COMMENT_MAXLEN`, libnftnl `udata.h`).
const MAX_COMMENT_BYTES: usize = 128;

/// Free text as a comment: nftables has no escape for `"` and none for line ends, so both are replaced; what is too
/// long is cut and ends in `...`.
pub(super) fn comment(text: &str) -> String {
    one_line(&text.replace('"', "'"), MAX_COMMENT_BYTES)
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
}
