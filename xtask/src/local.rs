//! The system on this machine.

pub(crate) mod bench_api;
pub(crate) mod deployment;
pub(crate) mod env;
pub(crate) mod invoke;
pub(crate) mod keys;
pub(crate) mod label;
pub(crate) mod services;
pub(crate) mod sign_in;
pub(crate) mod stack;
pub(crate) mod storm;
pub(crate) mod up;
