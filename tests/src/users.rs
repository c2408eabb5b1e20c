//! Users who have signed in.

use crate::Stack;
use crate::api::Answer;
use aws_sdk_s3::config::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Owner;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use std::time::SystemTime;
use uuid::Uuid;

/// The protocol's content type.
const JSON: &str = "application/x-amz-json-1.1";

/// How often a call is sent.
const MAX_ATTEMPTS: u32 = 3;

/// A user pool, as administrators use it.
#[derive(Debug, Clone)]
pub struct UserPool {
    pub(crate) http: reqwest::Client,
    pub(crate) endpoint: String,
    pub(crate) region: String,
    pub(crate) credentials: Credentials,
    /// Its id.
    pub id: String,
    /// The page's client.
    pub client_id: String,
    pub(crate) demo_user: String,
    pub(crate) demo_password: String,
}

/// The tokens of a user who has signed in.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The access token, which the API accepts.
    pub access: String,
    /// The ID token, which the API does not accept.
    pub id: String,
}

impl UserPool {
    /// Another user pool of the same account.
    pub fn with_id(&self, id: &str) -> Self {
        Self {
            id: id.to_owned(),
            ..self.clone()
        }
    }

    /// Signs in with a password, as a program with AWS credentials does.
    ///
    /// # Panics
    /// If Cognito refuses.
    pub async fn sign_in(&self, client_id: &str, user: &str, password: &str) -> Tokens {
        let answer = self
            .call(
                "AdminInitiateAuth",
                &json!({
                    "UserPoolId": self.id, "ClientId": client_id, "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
                    "AuthParameters": {"USERNAME": user, "PASSWORD": password},
                }),
            )
            .await;
        let token = |name: &str| {
            let token = &answer["AuthenticationResult"][name];
            token
                .as_str()
                .unwrap_or_else(|| panic!("{name}: {answer}"))
                .to_owned()
        };
        Tokens {
            access: token("AccessToken"),
            id: token("IdToken"),
        }
    }

    /// Creates a user with a password.
    ///
    /// # Panics
    /// If Cognito refuses.
    pub async fn create_user(&self, user: &str, password: &str) {
        self.call(
            "AdminCreateUser",
            &json!({
                "UserPoolId": self.id, "Username": user, "MessageAction": "SUPPRESS",
                "UserAttributes": [{"Name": "email", "Value": user}, {"Name": "email_verified", "Value": "true"}],
            }),
        )
        .await;
        self.call(
            "AdminSetUserPassword",
            &json!({"UserPoolId": self.id, "Username": user, "Password": password, "Permanent": true}),
        )
        .await;
    }

    /// Calls Cognito with the administrator's credentials.
    ///
    /// # Panics
    /// If Cognito refuses.
    pub async fn call(&self, operation: &str, input: &Value) -> Value {
        let target = format!("AWSCognitoIdentityProviderService.{operation}");
        self.call_service("cognito-idp", &target, input).await
    }

    /// Calls an operation of a service with the JSON protocol and the administrator's credentials. Repeats a call that the
    /// emulator answers with an internal error: it iterates over its users while other tests add some.
    pub(crate) async fn call_service(&self, service: &str, target: &str, input: &Value) -> Value {
        let mut attempts = 1;
        loop {
            let (status, body) = self.send(service, target, input).await;
            if status.is_success() {
                return body;
            }
            let may_repeat = status.is_server_error() && attempts < MAX_ATTEMPTS;
            assert!(may_repeat, "{target}: {status} {body}");
            attempts += 1;
        }
    }

    async fn send(&self, service: &str, target: &str, input: &Value) -> (StatusCode, Value) {
        let body = input.to_string();
        let url = format!("{}/", self.endpoint);
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .expect("parameters of a signature");
        let headers = [("content-type", JSON), ("x-amz-target", target)];
        let signable = SignableRequest::new(
            "POST",
            &url,
            headers.into_iter(),
            SignableBody::Bytes(body.as_bytes()),
        )
        .expect("a request to sign");
        let (signature, _) = sign(signable, &parameters.into())
            .expect("a signature")
            .into_parts();
        let mut request = self.http.post(&url).body(body.clone());
        for (name, value) in headers.into_iter().chain(signature.headers()) {
            request = request.header(name, value);
        }
        let answer = request.send().await.expect("an answer of the service");
        let status = answer.status();
        (status, answer.json().await.unwrap_or_default())
    }
}

/// A user who has signed in.
#[derive(Debug, Clone)]
pub struct User {
    http: reqwest::Client,
    api_url: String,
    /// The owner of their images.
    pub owner: Owner,
    /// Their tokens.
    pub tokens: Tokens,
}

impl User {
    /// Sends a request as this user. `body` is sent unchanged, `content_type` if there is one.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn api(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.api_url))
            .bearer_auth(&self.tokens.access)
            .body(body);
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let answer = request.send().await;
        Answer::read(answer.unwrap_or_else(|error| panic!("{path}: {error}"))).await
    }
}

impl Stack {
    /// The user that every local stack has.
    ///
    /// # Panics
    /// If they cannot sign in.
    pub async fn demo_user(&self) -> &User {
        self.demo_user
            .get_or_init(async || {
                let pool = &self.user_pool;
                let tokens = pool.sign_in(&pool.client_id, &pool.demo_user, &pool.demo_password);
                self.user(tokens.await)
            })
            .await
    }

    /// A new user who has signed in. `what` makes them recognizable.
    ///
    /// # Panics
    /// If Cognito refuses.
    pub async fn new_user(&self, what: &str) -> User {
        let name = format!("{what}-{}@example.com", Uuid::now_v7().simple());
        let password = Uuid::new_v4().to_string();
        self.user_pool.create_user(&name, &password).await;
        let tokens = self
            .user_pool
            .sign_in(&self.user_pool.client_id, &name, &password);
        self.user(tokens.await)
    }

    fn user(&self, tokens: Tokens) -> User {
        User {
            http: self.http.clone(),
            api_url: self.api_url.clone(),
            owner: subject(&tokens.access),
            tokens,
        }
    }

    /// Sends a GET request with any header `authorization`, or none.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn get_with_authorization(&self, path: &str, authorization: Option<&str>) -> Response {
        let mut request = self.http.get(format!("{}{path}", self.api_url));
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        request.send().await.expect("an answer of the API")
    }
}

/// The subject of a token.
///
/// # Panics
/// If it is no token of a user.
pub fn subject(token: &str) -> Owner {
    let claims = token.split('.').nth(1).expect("a JSON web token");
    let claims = URL_SAFE_NO_PAD.decode(claims).expect("claims in base64");
    let claims: Value = serde_json::from_slice(&claims).expect("claims in JSON");
    claims["sub"].as_str().and_then(Owner::new).expect("a subject")
}
