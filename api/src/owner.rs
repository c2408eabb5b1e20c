//! Whose images a request is about. The one place that decides it.

use crate::problem::Problem;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use domain::Owner;
use lambda_http::request::RequestContext;
use std::collections::HashMap;

/// The owner that a request speaks for: the subject of its access token, which API Gateway has verified.
pub(crate) struct Caller(pub(crate) Owner);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(RequestContext::ApiGatewayV2(context)) = parts.extensions.get() else {
            return Err(Problem::not_signed_in());
        };
        let authorizer = context.authorizer.as_ref();
        let claims = authorizer.and_then(|authorizer| Some(&authorizer.jwt.as_ref()?.claims));
        claims
            .and_then(owner)
            .map(Self)
            .ok_or_else(Problem::not_signed_in)
    }
}

/// API Gateway takes ID tokens as well. They say who somebody is, for the page to show; they are not meant to open
/// anything.
fn owner(claims: &HashMap<String, String>) -> Option<Owner> {
    if claims.get("token_use")? != "access" {
        return None;
    }
    Owner::new(claims.get("sub")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(of: &[(&str, &str)]) -> HashMap<String, String> {
        of.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn an_access_token_speaks_for_its_subject() {
        let owner = owner(&claims(&[("sub", "a1"), ("token_use", "access")]));
        assert_eq!(owner, Owner::new("a1"));
    }

    #[test]
    fn other_tokens_speak_for_nobody() {
        for of in [
            &[("sub", "a1"), ("token_use", "id")][..],
            &[("sub", "a1")],
            &[("token_use", "access")],
            &[("sub", ""), ("token_use", "access")],
            &[("sub", "a/b"), ("token_use", "access")],
        ] {
            assert_eq!(owner(&claims(of)), None, "{of:?}");
        }
    }
}
