//! Decides which owner a request is from. No other module does.

use crate::http::problem::Problem;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use domain::Owner;
use lambda_http::request::RequestContext;
use std::collections::HashMap;

/// The owner: the subject of the request's access token, which API Gateway has verified.
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

/// API Gateway also accepts ID tokens. They identify a user to the page and must not authorize requests.
fn owner(claims: &HashMap<String, String>) -> Option<Owner> {
    if claims.get("token_use")? != "access" {
        return None;
    }
    Owner::new(claims.get("sub")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(claims: &[(&str, &str)]) -> HashMap<String, String> {
        claims
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn the_owner_is_the_subject_of_an_access_token() {
        let owner = owner(&claims(&[("sub", "a1"), ("token_use", "access")]));
        assert_eq!(owner, Owner::new("a1"));
    }

    #[test]
    fn other_tokens_have_no_owner() {
        for other in [
            &[("sub", "a1"), ("token_use", "id")][..],
            &[("sub", "a1")],
            &[("token_use", "access")],
            &[("sub", ""), ("token_use", "access")],
            &[("sub", "a/b"), ("token_use", "access")],
        ] {
            assert_eq!(owner(&claims(other)), None, "{other:?}");
        }
    }
}
