//! Start-up code of all functions: logs, metrics, configuration from the environment, and the conversion of a step's error to
//! the name that Step Functions matches.

mod environment;
mod metric;
mod step;

pub use environment::{Environment, InvalidVariable};
pub use lambda_runtime::Error;
pub use lambda_runtime::tracing::init_default_subscriber as init_logs;
pub use metric::count;
pub use step::run;
