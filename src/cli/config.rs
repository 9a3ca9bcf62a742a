//! Reading a config that is not cordon's own: one that rules are spliced into, or one that is proved.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::Failure;

/// The text, of at most so many bytes, of a file or, for a dump that comes from another program, of a pipe.
pub(super) fn read_config(path: &Path, max_bytes: u64) -> Result<String, Failure> {
    let failed = |problem: String| Failure(format!("cannot read `{}`: {problem}", path.display()));
    let text = |problem: io::Error| failed(problem.to_string());
    let mut bytes = Vec::new();
    File::open(path).map_err(text)?.take(max_bytes + 1).read_to_end(&mut bytes).map_err(text)?;
    if bytes.len() as u64 > max_bytes {
        return Err(failed(format!("it is larger than {max_bytes} bytes")));
    }
    String::from_utf8(bytes)
        .map_err(|error| failed(format!("it is not UTF-8 from byte {} on", error.utf8_error().valid_up_to())))
}
