//! Configuration of the AWS SDK's clients, and classification of the errors of AWS services.

mod config;
mod reconnect;
mod service_error;
mod traced;

pub use config::{CALL_TIMEOUT, PAID_CALL_TIMEOUT, api_config, for_paid_calls, has_timed_out, step_config};
pub use service_error::ServiceError;
