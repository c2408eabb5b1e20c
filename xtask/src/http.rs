//! The HTTP client for programs on this machine.

use std::time::Duration;

/// Uses no proxy. A response with an error status is not an error: the caller checks the status.
pub(crate) fn agent(timeout: Duration) -> ureq::Agent {
    ureq::Agent::config_builder()
        .proxy(None)
        .http_status_as_error(false)
        .timeout_global(Some(timeout))
        .build()
        .into()
}
