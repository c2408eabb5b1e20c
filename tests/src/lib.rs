//! The harness of the tests that use a running stack, which the file in `ILG_STACK` describes. It uses only public
//! interfaces: the HTTP API, S3, DynamoDB, EventBridge, SQS, Lambda and Step Functions.
//!
//! The tests of a program run at the same time against one stack, which may have been used before. So each uses its own
//! owner ([`Stack::new_owner`], [`Stack::new_user`]), or its own images of the demo user. Nothing sleeps for a fixed
//! time: see [`wait::until`].

pub mod api;
pub mod bus;
pub mod consistency;
pub mod executions;
pub mod functions;
pub mod images;
pub mod imports;
pub mod json;
pub mod logs;
pub mod pictures;
pub mod proxy;
pub mod quota;
pub mod recorder;
pub mod reroute;
pub mod sam;
pub mod seed;
mod stack;
pub mod state_machine;
pub mod table;
pub mod template;
pub mod users;
pub mod wait;
pub mod xtask;

pub use stack::{Stack, run, run_on};
