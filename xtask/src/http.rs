//! The HTTP client for programs on this machine.

use std::time::Duration;

/// No proxy, and every answer is an answer: what its status means is the caller's to decide.
pub(crate) fn agent(timeout: Duration) -> ureq::Agent {
    ureq::Agent::config_builder()
        .proxy(None)
        .http_status_as_error(false)
        .timeout_global(Some(timeout))
        .build()
        .into()
}
