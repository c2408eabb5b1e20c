//! Authorization: the API requires a valid access token of this stack's user pool and client, and shows users only their
//! own images.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{ImageId, ImageKey};
use reqwest::Method;
use serde_json::{Value, json};
use tests::api::File;
use tests::users::{Tokens, UserPool};
use tests::{Stack, run};
use uuid::Uuid;

/// The path of an image that does not exist: an authorized request gets a 404.
fn path() -> String {
    format!("/images/{}", Uuid::now_v7())
}

async fn status(stack: &Stack, authorization: Option<&str>) -> u16 {
    let answer = stack.get_with_authorization(&path(), authorization).await;
    answer.status().as_u16()
}

/// The token with changed claims and its original signature.
fn tampered(token: &str) -> String {
    let parts: Vec<_> = token.split('.').collect();
    let claims = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
    let mut claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["sub"] = json!("somebody-else");
    let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
    format!("{}.{claims}.{}", parts[0], parts[2])
}

/// The token without a signature.
fn unsigned(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    format!("{header}.{}.", token.split('.').nth(1).unwrap())
}

async fn client(pool: &UserPool, pool_id: &str) -> String {
    let answer = pool
        .call(
            "CreateUserPoolClient",
            &json!({
                "UserPoolId": pool_id, "ClientName": "another",
                "ExplicitAuthFlows": ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
            }),
        )
        .await;
    answer["UserPoolClient"]["ClientId"].as_str().unwrap().to_owned()
}

/// Tokens of a user pool that does not belong to the stack.
async fn tokens_of_another_pool(stack: &Stack) -> Tokens {
    let answer = stack
        .user_pool
        .call("CreateUserPool", &json!({"PoolName": "another"}))
        .await;
    let id = answer["UserPool"]["Id"].as_str().unwrap().to_owned();
    let client_id = client(&stack.user_pool, &id).await;
    let pool = stack.user_pool.with_id(&id);
    pool.create_user("stranger", "a Password, for 1 stranger").await;
    pool.sign_in(&client_id, "stranger", "a Password, for 1 stranger")
        .await
}

#[test]
fn the_api_accepts_only_access_tokens_of_this_pool_and_client() {
    run(async |stack| {
        let user = stack.new_user("sign-in").await;
        let own = &user.tokens;
        let other_client = client(&stack.user_pool, &stack.user_pool.id).await;
        let (name, password) = (format!("{}@example.com", Uuid::now_v7()), "a password for two");
        stack.user_pool.create_user(&name, password).await;
        let others = stack.user_pool.sign_in(&other_client, &name, password).await;
        let strangers = tokens_of_another_pool(stack).await;

        assert_eq!(status(stack, Some(&format!("Bearer {}", own.access))).await, 404);
        for (what, token) in [
            ("no token", None),
            ("an empty token", Some(String::new())),
            ("text that is not a token", Some("cat".to_owned())),
            ("a tampered token", Some(tampered(&own.access))),
            ("an unsigned token", Some(unsigned(&own.access))),
            ("an ID token", Some(own.id.clone())),
            ("another client's token", Some(others.access)),
            ("another pool's token", Some(strangers.access)),
        ] {
            let authorization = token.map(|token| format!("Bearer {token}"));
            assert_eq!(status(stack, authorization.as_deref()).await, 401, "{what}");
        }
    });
}

#[test]
fn every_route_requires_a_token() {
    run(async |stack| {
        for path in ["/uploads", "/images/x", "/no-such-route", "/openapi.json"] {
            let answer = stack.get_with_authorization(path, None).await;
            assert_eq!(answer.status().as_u16(), 401, "{path}");
        }
    });
}

#[test]
fn a_user_cannot_see_images_of_another() {
    run(async |stack| {
        let (one, other) = (stack.new_user("one").await, stack.new_user("other").await);
        let announcement = File::cat().announcement().to_string();
        let answer = one
            .api(Method::POST, "/uploads", Some("application/json"), announcement)
            .await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let id = answer.body["imageId"].as_str().unwrap();
        let url = answer.body["upload"]["url"].as_str().unwrap();
        let key = ImageKey::for_upload(&one.owner, ImageId::parse(id).unwrap());
        assert!(
            url.contains(&format!("/{key}?")),
            "the picture is uploaded to its owner's folder"
        );

        let path = format!("/images/{id}");
        assert_eq!(one.api(Method::GET, &path, None, "").await.status, 200);
        let theirs = other.api(Method::GET, &path, None, "").await;
        let none = other.api(Method::GET, &self::path(), None, "").await;
        assert_eq!(theirs.status, 404);
        assert_eq!(
            theirs.body, none.body,
            "the same as for an image that does not exist"
        );
    });
}
