//! What is installed and built on the developer's machine.

pub(crate) mod chromium;
pub(crate) mod models;
pub(crate) mod page;
pub(crate) mod programs;
pub(crate) mod python;
pub(crate) mod sam_cli;
