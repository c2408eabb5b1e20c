//! Access tokens. They are valid for an hour, and a run can take days: this program starts the command that signs the user in
//! whenever it needs another token.

use crate::api::ApiError;
use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A token that expires sooner than this is replaced before it is used.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// Signs the user in when necessary.
pub(crate) struct SignIn {
    /// A program and its arguments. It prints an access token.
    command: Vec<String>,
    token: Mutex<Option<Token>>,
}

struct Token {
    text: String,
    claims: Claims,
}

/// The claims of an access token that this program uses.
#[derive(Deserialize)]
struct Claims {
    /// The owner of what is uploaded.
    sub: String,
    /// Seconds since 1970.
    exp: u64,
}

impl Token {
    /// Reads the claims without checking the signature: only the API trusts them.
    fn parse(text: &str) -> Result<Self> {
        let claims = text.split('.').nth(1).context("the token is not a JWT")?;
        let claims = BASE64_URL_SAFE_NO_PAD
            .decode(claims)
            .context("the token is not base64")?;
        Ok(Self {
            text: text.to_owned(),
            claims: serde_json::from_slice(&claims).context("the token has no subject or no expiration")?,
        })
    }

    fn is_fresh(&self, now: SystemTime) -> bool {
        now + MARGIN < UNIX_EPOCH + Duration::from_secs(self.claims.exp)
    }
}

impl SignIn {
    /// `command` is a JSON array: a program and its arguments.
    ///
    /// # Errors
    /// It is not such an array.
    pub(crate) fn new(command: &str) -> Result<Self> {
        let command: Vec<String> =
            serde_json::from_str(command).context("ILG_SIGN_IN is not a JSON array of strings")?;
        if command.is_empty() {
            bail!("ILG_SIGN_IN names no program");
        }
        Ok(Self {
            command,
            token: Mutex::new(None),
        })
    }

    /// The user's id in the user pool.
    ///
    /// # Errors
    /// [`ApiError::SignIn`]
    pub(crate) fn owner(&self) -> Result<String, ApiError> {
        let mut token = self.lock();
        self.fresh(&mut token).map(|token| token.claims.sub.clone())
    }

    /// A token that is valid for a few minutes at least.
    ///
    /// # Errors
    /// [`ApiError::SignIn`]
    pub(crate) fn token(&self) -> Result<String, ApiError> {
        let mut token = self.lock();
        self.fresh(&mut token).map(|token| token.text.clone())
    }

    /// A token other than `refused`, which the API did not accept. Only one of several threads signs in.
    ///
    /// # Errors
    /// [`ApiError::SignIn`]
    pub(crate) fn renew(&self, refused: &str) -> Result<String, ApiError> {
        let mut token = self.lock();
        token.take_if(|token| token.text == refused);
        self.fresh(&mut token).map(|token| token.text.clone())
    }

    fn fresh<'a>(&self, token: &'a mut Option<Token>) -> Result<&'a Token, ApiError> {
        token.take_if(|token| !token.is_fresh(SystemTime::now()));
        if token.is_none() {
            *token = Some(
                self.sign_in()
                    .map_err(|error| ApiError::SignIn(format!("{error:#}")))?,
            );
        }
        token
            .as_ref()
            .ok_or_else(|| ApiError::SignIn("no access token".to_owned()))
    }

    fn sign_in(&self) -> Result<Token> {
        let answer = Command::new(&self.command[0])
            .args(&self.command[1..])
            .stdin(Stdio::null())
            .output()
            .context("can't start the program that signs in")?;
        if !answer.status.success() {
            let printed = String::from_utf8_lossy(&answer.stderr);
            // The last line of a traceback is the error.
            let last = printed.trim().lines().last().unwrap_or("no reason given");
            bail!("{}", last.strip_prefix("error: ").unwrap_or(last));
        }
        let text = String::from_utf8(answer.stdout).context("the access token is not UTF-8")?;
        Token::parse(text.trim())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Token>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A program that prints another token each time: for the user `ada`, valid for so many seconds.
#[cfg(test)]
pub(crate) fn fake(folder: &std::path::Path, valid: u64) -> SignIn {
    let expires = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + valid;
    let claims = serde_json::json!({"sub": "ada", "exp": expires}).to_string();
    let claims = BASE64_URL_SAFE_NO_PAD.encode(claims);
    let count = folder.join("sign-ins").display().to_string();
    let script = format!("echo >> '{count}'; echo e30.{claims}.$(wc -l < '{count}')");
    SignIn::new(&serde_json::json!(["sh", "-c", script]).to_string()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_used_until_it_is_about_to_expire() {
        let folder = tempfile::tempdir().unwrap();
        let long = fake(folder.path(), 3600);
        assert_eq!(long.owner().unwrap(), "ada");
        assert_eq!(long.token().unwrap(), long.token().unwrap());
        let short = fake(folder.path(), 60);
        assert_ne!(short.token().unwrap(), short.token().unwrap());
    }

    #[test]
    fn several_threads_replace_a_refused_token_once() {
        let folder = tempfile::tempdir().unwrap();
        let sign_in = fake(folder.path(), 3600);
        let refused = sign_in.token().unwrap();
        let renewed = sign_in.renew(&refused).unwrap();
        assert_ne!(renewed, refused);
        assert_eq!(
            sign_in.renew(&refused).unwrap(),
            renewed,
            "another thread has renewed it"
        );
    }

    #[test]
    fn a_failed_sign_in_shows_the_reason() {
        let sign_in =
            |script: &str| SignIn::new(&serde_json::json!(["sh", "-c", script]).to_string()).unwrap();
        let error = |script: &str| sign_in(script).token().unwrap_err().to_string();
        assert_eq!(
            error("echo Traceback >&2; echo 'error: the password is wrong' >&2; exit 1"),
            "can't sign in: the password is wrong"
        );
        assert!(error("echo not-a-token").contains("the token is not a JWT"));
        assert!(SignIn::new("[]").is_err() && SignIn::new("python").is_err());
    }
}
