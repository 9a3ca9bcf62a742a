//! Asking a policy about packets: many at once from a table, one in words, or all that may reach somebody or be reached.

mod explain;
mod packet;
mod path;
mod reach;
mod statement;
mod table;

pub use explain::{Explanation, Nearest, explain};
pub use packet::{BadPacket, Fields, parse_packet};
pub use path::{Configs, Emitted, Hop};
pub use reach::{Ask, Asked, BadAsk, Reach, ReachRow, reach};
pub use statement::Statement;
pub use table::{BadTable, answer};
