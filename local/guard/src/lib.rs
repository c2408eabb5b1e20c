//! Protects the services of a local stack from web pages, and the emulator from other users of the machine.
//!
//! Any web page can send requests to ports of this machine, and the emulator accepts several well-known access keys
//! without checking a signature. The binary `local-guard` is the only program that talks to the emulator: it listens on
//! the public port and forwards what [`rules::Rules`] allow to the emulator's Unix socket. `local-web`, `local-dynamodb`
//! and `local-rekognition` use this library to start, and to check their own requests.
//!
//! `local-dynamodb` and `local-rekognition` check `Host` and reject browsers, but do not check access keys: other users of
//! the machine can reach these two.

pub mod browser;
pub mod emulator;
pub mod hosts;
pub mod proxy;
pub mod refusal;
pub mod revocation;
pub mod rules;
pub mod server;
mod signature;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use emulator::Emulator;
use hosts::Hosts;
use refusal::Refusal;
use rules::{Action, Rules};
use std::path::Path;
use std::sync::Arc;

#[derive(Clone)]
struct Guard {
    rules: Arc<Rules>,
    emulator: Emulator,
}

/// Forwards the requests that `rules` allow to the emulator on this Unix socket.
pub fn router(rules: Rules, socket: &Path) -> Router {
    Router::new().fallback(guard).with_state(Guard {
        rules: Arc::new(rules),
        emulator: Emulator::new(socket),
    })
}

/// Rejects requests from browsers and for other host names than those of this machine. For services that only programs use.
pub fn programs_only(router: Router) -> Router {
    router.layer(middleware::from_fn(reject_browsers))
}

async fn reject_browsers(request: Request, next: Next) -> Response {
    let checked = Hosts::default()
        .check(request.uri(), request.headers())
        .and_then(|()| browser::refuse(request.headers()));
    match checked {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

async fn guard(State(guard): State<Guard>, request: Request) -> Response {
    let headers = request.headers().clone();
    guard
        .answer(request)
        .await
        .unwrap_or_else(|refusal| refusal.answer(&headers))
}

impl Guard {
    async fn answer(&self, request: Request) -> Result<Response, Refusal> {
        let (parts, body) = request.into_parts();
        let action = self.rules.decide(&parts).inspect_err(|refusal| {
            // Without the query, which can have a presigned URL's signature.
            eprintln!(
                "refused {} {}: {}",
                parts.method,
                parts.uri.path(),
                refusal.message
            );
        })?;
        let mut request = Request::from_parts(parts, body);
        match action {
            Action::Forward => self.emulator.send(request).await,
            Action::ForwardWithoutToken => {
                request.headers_mut().remove(AUTHORIZATION);
                self.emulator.send(request).await
            }
            Action::Revoke => revocation::revoke(&self.emulator, request, &self.rules.page).await,
        }
    }
}
