//! Start-up code of all functions: logs, metrics, traces, configuration from the environment, and the conversion of a step's error to
//! the name that Step Functions matches.

#[cfg(any(test, feature = "test-util"))]
pub mod embedded_metrics;
mod environment;
mod metric;
mod step;
mod trace;

pub use environment::{Environment, InvalidVariable};
pub use lambda_runtime::Error;
pub use lambda_runtime::tracing::init_default_subscriber as init_logs;
pub use step::run;
pub use trace::Traces;

/// The name of the stack, under which its metrics are kept.
#[derive(Debug, Clone)]
pub struct Metrics {
    stack: String,
}

impl Metrics {
    /// Reads the name of the stack.
    ///
    /// # Errors
    /// The variable is not set.
    pub fn from_environment(environment: &Environment) -> Result<Self, InvalidVariable> {
        Ok(Self {
            stack: environment.text("STACK_NAME")?,
        })
    }

    /// Writes what was measured since the last call. Called at the end of each invocation.
    pub fn write(&self) {
        metric::write(&self.stack);
    }
}
