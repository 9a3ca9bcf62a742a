//! Asking a policy about packets: many at once from a table, one in words, one statement, or
//! all that may reach somebody or be reached.

mod explain;
mod flow;
mod guarding;
mod packet;
mod path;
mod placed;
mod reach;
mod rule;
mod rule_text;
mod statement;
mod table;

pub use explain::{Explanation, Nearest, explain};
pub use flow::Flow;
pub use guarding::Guarding;
pub use packet::{BadPacket, Fields, parse_packet};
pub use path::{Configs, Emitted, Hop};
pub use placed::Placed;
pub use reach::{Ask, Asked, BadAsk, Reach, ReachRow, reach};
pub use rule::{
    Accepted, ConduitRow, RuleExplanation, RuleState, Share, explain_ended, explain_rule, explainable,
};
pub use statement::Statement;
pub use table::{BadTable, answer};
