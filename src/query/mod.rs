//! Asking a policy about packets: many at once from a table, or one in words.

mod explain;
mod packet;
mod table;

pub use explain::{Explanation, Nearest, explain};
pub use packet::{BadPacket, Fields, parse_packet};
pub use table::{BadTable, answer};
