//! What the workflow tests stand on: a running stack, described by the file that `ILG_STACK` names,
//! and ways to use it as anybody could who has its address and credentials. Nothing here reaches
//! into a process: only the HTTP API, S3, DynamoDB, EventBridge, SQS, Lambda and Step Functions.
//!
//! All tests run at the same time against one stack, which may have been used before. So each keeps
//! to an owner of its own ([`Stack::new_owner`], [`Stack::new_user`]), or to its own images of the demo
//! user. Nothing sleeps for a fixed time: see [`wait::until`].

pub mod api;
pub mod bus;
pub mod consistency;
pub mod executions;
pub mod functions;
pub mod images;
pub mod json;
pub mod pictures;
pub mod proxy;
pub mod reroute;
pub mod seed;
mod stack;
pub mod state_machine;
pub mod table;
pub mod users;
pub mod wait;
pub mod xtask;

pub use stack::{Stack, run, run_on};
