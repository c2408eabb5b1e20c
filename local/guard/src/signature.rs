//! Finds the access key that signs a request.
//!
//! The emulator treats the caller as the account's root user, without checking a signature, if the key is missing, `test`,
//! a number of 12 digits, or the one in its environment. It checks the signatures of all other keys itself. So the guard
//! accepts only the stack's own key, and keys that cannot be one of the well-known ones.

use crate::refusal::Refusal;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Uri};

/// Signature Version 4. The emulator reads other versions differently.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const CREDENTIAL: &str = "Credential=";

/// How a request is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Signature {
    /// No AWS credentials. The request can have an OAuth token.
    None,
    /// In the header `Authorization`.
    Header,
    /// In the query: a presigned URL. The value is the service in the credential's scope.
    Query(String),
}

/// Finds out how a request is signed.
///
/// # Errors
/// If the key is a well-known one, or if the emulator could read a different key than this function does.
pub(crate) fn of(uri: &Uri, headers: &HeaderMap, own_key: &str) -> Result<Signature, Refusal> {
    let query: Vec<(String, String)> = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .into_owned()
        .collect();
    let header = authorization(headers)?;
    let is_signed = header.is_some_and(|header| header.starts_with("AWS"));
    let in_query = |name: &str| query.iter().any(|(found, _)| found.eq_ignore_ascii_case(name));
    let is_presigned = ["X-Amz-Credential", "X-Amz-Signature", "X-Amz-Algorithm"]
        .iter()
        .any(|name| in_query(name));
    // Signature Version 2, which boto3 uses by default to presign URLs for S3.
    let is_presigned_2 = in_query("AWSAccessKeyId");
    match (is_signed, is_presigned) {
        _ if is_presigned_2 => {
            if is_presigned || header.is_some() || in_query("SignatureVersion") {
                return Err(unsupported());
            }
            exactly_one(&query, "Signature")?;
            exactly_one(&query, "Expires")?;
            check_key(exactly_one(&query, "AWSAccessKeyId")?, own_key)?;
            Ok(Signature::Query("s3".to_owned()))
        }
        (false, false) => Ok(Signature::None),
        (true, true) => Err(unsupported()),
        (true, false) => {
            let header = header.unwrap_or_default();
            if !header.starts_with(&format!("{ALGORITHM} ")) {
                return Err(unsupported());
            }
            let mut credentials = header.split(CREDENTIAL).skip(1);
            let (Some(credential), None) = (credentials.next(), credentials.next()) else {
                return Err(unsupported());
            };
            check_key(credential.split('/').next().unwrap_or_default(), own_key)?;
            Ok(Signature::Header)
        }
        (false, true) => {
            if header.is_some() || exactly_one(&query, "X-Amz-Algorithm")? != ALGORITHM {
                return Err(unsupported());
            }
            exactly_one(&query, "X-Amz-Signature")?;
            let credential: Vec<&str> = exactly_one(&query, "X-Amz-Credential")?.split('/').collect();
            let [key, _, _, service, _] = credential[..] else {
                return Err(unsupported());
            };
            check_key(key, own_key)?;
            Ok(Signature::Query(service.to_owned()))
        }
    }
}

/// The header `Authorization`, which must not occur twice.
pub(crate) fn authorization(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| unsupported()),
        _ => Err(unsupported()),
    }
}

/// The value of a query parameter that occurs exactly once, in exactly this spelling.
fn exactly_one<'a>(query: &'a [(String, String)], name: &str) -> Result<&'a str, Refusal> {
    let mut found = query.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name));
    match (found.next(), found.next()) {
        (Some((spelled, value)), None) if spelled == name => Ok(value),
        _ => Err(unsupported()),
    }
}

/// AWS's access keys have 16 to 128 letters and digits. The emulator's well-known ones are shorter.
fn check_key(key: &str, own_key: &str) -> Result<(), Refusal> {
    let temporary = key.len() >= 16 && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if key == own_key || temporary {
        return Ok(());
    }
    Err(Refusal {
        name: "InvalidClientTokenId",
        ..Refusal::forbidden(
            "This isn't an access key of this stack. `cargo xtask env` prints the stack's own keys.",
        )
    })
}

fn unsupported() -> Refusal {
    Refusal {
        name: "IncompleteSignature",
        ..Refusal::forbidden(
            "Sign the request once, with Signature Version 4 in the Authorization header or in the query.",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    const OWN: &str = "LOCALKEY0123456789AB";
    const SESSION: &str = "ASIAABCDEF0123456789";

    fn by_header(values: &[&str]) -> Result<Signature, Refusal> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        of(&Uri::from_static("/"), &headers, OWN)
    }

    fn by_query(query: &str) -> Result<Signature, Refusal> {
        let uri: Uri = format!("/bucket/key?{query}").parse().unwrap();
        of(&uri, &HeaderMap::new(), OWN)
    }

    fn header(key: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential={key}/20261128/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0"
        )
    }

    fn query(key: &str) -> String {
        format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={key}%2F20261128%2Fus-east-1%2Fs3%2Faws4_request\
             &X-Amz-Signature=0"
        )
    }

    #[test]
    fn accepts_the_stacks_own_key_and_temporary_keys() {
        for key in [OWN, SESSION] {
            assert_eq!(by_header(&[&header(key)]), Ok(Signature::Header));
            assert_eq!(by_query(&query(key)), Ok(Signature::Query("s3".to_owned())));
            let version_2 = format!("AWSAccessKeyId={key}&Signature=x%3D&Expires=9999999999");
            assert_eq!(by_query(&version_2), Ok(Signature::Query("s3".to_owned())));
        }
        assert_eq!(by_header(&[]), Ok(Signature::None));
        assert_eq!(by_header(&["Bearer ey.J.h"]), Ok(Signature::None));
        assert_eq!(by_query("list-type=2"), Ok(Signature::None));
    }

    #[test]
    fn rejects_keys_that_the_emulator_treats_as_the_root_user() {
        for key in ["test", "", "000000000000", "123456789012", "x"] {
            assert!(by_header(&[&header(key)]).is_err(), "header {key}");
            assert!(by_query(&query(key)).is_err(), "query {key}");
        }
        // Python's regular expressions treat these as digits.
        let arabic: String = "٠".repeat(12);
        assert!(by_header(&[&header(&arabic)]).is_err());
    }

    #[test]
    fn rejects_signatures_that_the_emulator_could_read_differently() {
        let (good, bad) = (header(SESSION), header("test"));
        for values in [
            vec![good.as_str(), bad.as_str()],
            vec!["AWS4-HMAC-SHA256 SignedHeaders=host"],
            vec!["AWS4-HMAC-SHA256\tCredential=ASIAABCDEF0123456789/"],
            vec!["AWS4-ECDSA-P256-SHA256 Credential=ASIAABCDEF0123456789/20261128/s3/aws4_request"],
            vec!["AWS test:signature"],
            vec!["AWS4-HMAC-SHA256 Credential=ASIAABCDEF0123456789/, Credential=test/"],
        ] {
            assert!(by_header(&values).is_err(), "{values:?}");
        }
        for wrong in [
            "AWSAccessKeyId=test&Signature=x&Expires=9999999999",
            "awsaccesskeyid=test",
            "awsaccesskeyid=ASIAABCDEF0123456789&Signature=x&Expires=9999999999",
            "AWSAccessKeyId=ASIAABCDEF0123456789&Signature=x&Expires=9999999999&SignatureVersion=2",
            "AWSAccessKeyId=ASIAABCDEF0123456789&Signature=x&Expires=9999999999&AWSAccessKeyId=test",
            "AWSAccessKeyId=ASIAABCDEF0123456789",
            "X-Amz-Credential=ASIAABCDEF0123456789%2F20261128%2Fus-east-1%2Fs3%2Faws4_request",
            "x-amz-credential=ASIAABCDEF0123456789%2Fa%2Fb%2Fs3%2Fc&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0",
            "X-Amz-Signature=0",
        ] {
            assert!(by_query(wrong).is_err(), "{wrong}");
        }
        assert!(by_query(&format!("{}&{}", query(SESSION), query("test"))).is_err());
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer x"));
        let uri: Uri = format!("/b/k?{}", query(SESSION)).parse().unwrap();
        assert!(of(&uri, &headers, OWN).is_err());
    }
}
