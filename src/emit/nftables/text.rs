//! How free text is made to fit an nftables file, and how it says times.

use super::super::linux::one_line;

/// The longest comment that nftables takes, in bytes (`NFTNL_UDATA_COMMENT_MAXLEN`, libnftnl `udata.h`).
const MAX_COMMENT_BYTES: usize = 128;

/// Free text as a comment: nftables has no escape for `"` and none for line ends, so both are replaced; what is too
/// long is cut and ends in `...`.
pub(super) fn comment(text: &str) -> String {
    one_line(&text.replace('"', "'"), MAX_COMMENT_BYTES)
}

/// Seconds as nft lists them (`time_print`, src/datatype.c): `1d2h3m4s`, without what is zero.
pub(super) fn duration(seconds: u32) -> String {
    let parts =
        [(seconds / 86_400, 'd'), (seconds / 3_600 % 24, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')];
    parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect()
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
    fn a_duration_is_what_nft_lists() {
        let said = [1, 60, 14_400, 5_400, 93_784, 604_800].map(duration);
        assert_eq!(said, ["1s", "1m", "4h", "1h30m", "1d2h3m4s", "7d"]);
    }
}
