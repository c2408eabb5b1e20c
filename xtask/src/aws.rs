//! Deployed stacks: deploying them to AWS, and commands that work on a stack in AWS or on this machine.

pub(crate) mod account;
pub(crate) mod deploy;
pub(crate) mod elf;
pub(crate) mod import;
pub(crate) mod logs;
pub(crate) mod reconcile;
pub(crate) mod redrive;
pub(crate) mod restore_table;
pub(crate) mod since;
pub(crate) mod smoke;
pub(crate) mod status;
pub(crate) mod target;
pub(crate) mod upload;
pub(crate) mod user;
