//! placeholder
/// c
pub struct Code;
/// c
pub const CODES: [Code; 0] = [];
