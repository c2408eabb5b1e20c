//! Start-up shared by all functions: logs, configuration from the environment, SDK configuration,
//! and turning a step's error into the name that Step Functions matches on.

#[cfg(feature = "aws")]
pub mod aws;
mod environment;
mod step;

#[cfg(feature = "aws")]
pub use aws::ServiceError;
pub use environment::{Environment, InvalidVariable};
pub use lambda_runtime::Error;
pub use lambda_runtime::tracing::init_default_subscriber as init_logs;
pub use step::{StepError, run};
