//! `config.json`: what the page reads at run time, so that one build serves every deployment.

use crate::deployed::Deployed;
use crate::files::write_json;
use anyhow::{Context, Result};
use serde::Serialize;
use std::path::Path;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageConfig {
    sign_in: SignIn,
}

/// The user pool as an OpenID provider. Contains all endpoints: the issuer's discovery document lacks some.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SignIn {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: String,
    logout_endpoint: String,
    client_id: String,
    scopes: [&'static str; 2],
}

impl PageConfig {
    /// `sign_in_url` is the base URL of Cognito's sign-in pages.
    pub(crate) fn of(deployed: &Deployed, sign_in_url: &str) -> Result<Self> {
        let pool = deployed.output("UserPoolId")?;
        let region = pool
            .split('_')
            .next()
            .context("a user pool's id begins with its region")?;
        Ok(Self {
            sign_in: SignIn {
                issuer: format!("https://cognito-idp.{region}.amazonaws.com/{pool}"),
                authorization_endpoint: format!("{sign_in_url}/oauth2/authorize"),
                token_endpoint: format!("{sign_in_url}/oauth2/token"),
                revocation_endpoint: format!("{sign_in_url}/oauth2/revoke"),
                logout_endpoint: format!("{sign_in_url}/logout"),
                client_id: deployed.output("UserPoolClientId")?.to_owned(),
                scopes: ["openid", "email"],
            },
        })
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        write_json(path, self)
    }
}
