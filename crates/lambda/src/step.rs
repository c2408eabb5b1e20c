//! Runs a step: parses its input, serializes its output, and reports its errors by the names that the state machine
//! matches.

use crate::{Environment, Metrics, Traces};
use domain::metric::{self, Function};
use domain::trace;
use domain::{ErrorClass, ErrorName, HasSubject, StepError, Subject};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::time::{Duration, Instant};
use tracing::field::{Empty, display};
use tracing::{Instrument, Span};

/// The maximum length of a reported error message, in characters. Parsers quote the invalid input, and the state of the
/// execution contains the message, so the size of the input must not determine the size of the message.
const MAX_MESSAGE_CHARS: usize = 1000;

/// The error that is reported to Lambda.
///
/// `lambda_runtime::Error` would report the boxed error's Rust type as the name, and no `ErrorEquals` could match it.
struct Failure {
    name: ErrorName,
    message: String,
}

/// The runtime logs every error by its `Debug` output. The message is not part of it, since it can quote the input or the
/// name of a file. Lambda and Step Functions get it.
impl std::fmt::Debug for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Failure").field(&self.name).finish()
    }
}

impl Failure {
    fn new(name: ErrorName, error: &dyn std::error::Error) -> Self {
        Self {
            name,
            message: error.to_string().chars().take(MAX_MESSAGE_CHARS).collect(),
        }
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self {
            error_type: failure.name.as_str().to_owned(),
            error_message: failure.message,
        }
    }
}

/// Handles invocations of a step or a listener until the process is stopped. Each writes its metrics and one log line with
/// the image, the execution, the duration and the error's name.
///
/// # Errors
/// A variable of the environment is missing, or Lambda's runtime API cannot be reached.
pub async fn run<I, O, E>(function: Function, handle: impl AsyncFn(I) -> Result<O, E>) -> Result<(), Error>
where
    I: DeserializeOwned + HasSubject,
    O: Serialize,
    E: StepError,
{
    let metrics = Metrics::from_environment(&Environment::process())?;
    let traces = Traces::from_environment(&Environment::process());
    let (handle, metrics, traces) = (&handle, &metrics, &traces);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let trace = traces.start(event.context.xray_trace_id.as_deref());
        let result = respond(function, handle, event.payload).await;
        traces.send(trace);
        metrics.write();
        result
    }))
    .await
}

async fn respond<I, O, E>(
    function: Function,
    handle: impl AsyncFn(I) -> Result<O, E>,
    payload: Value,
) -> Result<O, Failure>
where
    I: DeserializeOwned + HasSubject,
    E: StepError,
{
    let started = Instant::now();
    // A listener records the image later, if it has to find it first.
    let span = tracing::info_span!(
        "invocation",
        function = function.as_str(),
        imageId = Empty,
        execution = Empty
    );
    // Parsed here and not by the runtime, which would report an invalid payload by another error name.
    let (subject, result) = match serde_json::from_value::<I>(payload) {
        Ok(input) => {
            let subject = input.subject();
            record(&span, &subject);
            // Boxed, because the nested futures of the SDK, the step and the runtime are too deep for the compiler.
            let handled = Box::pin(handle(input)).instrument(span.clone()).await;
            (
                subject,
                handled.map_err(|error| Failure::new(error.name(), &error)),
            )
        }
        Err(error) => {
            let failure = Failure::new(ErrorName::InvalidInput, &error);
            (Subject::default(), Err(failure))
        }
    };
    let duration = started.elapsed();
    metric::handled(function, duration, subject.age());
    span.in_scope(|| log(duration, result.as_ref().err()));
    result
}

fn record(span: &Span, subject: &Subject) {
    if let Some(image_id) = subject.image_id {
        span.record("imageId", display(image_id));
        trace::about(image_id);
    }
    if let Some(execution) = &subject.execution_arn {
        span.record("execution", execution);
    }
}

/// Logs the end of an invocation. Of the messages, only those of failed calls to AWS are logged: they contain no more than
/// the call and the error code. Others can quote the input, or the name of a file.
fn log(duration: Duration, failure: Option<&Failure>) {
    let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let Some(Failure { name, message }) = failure else {
        return tracing::info!(milliseconds, "handled");
    };
    let error = name.as_str();
    match (name.class(), name) {
        (ErrorClass::Transient, _) => tracing::warn!(milliseconds, error, cause = message, "failed"),
        (_, ErrorName::AccessDenied) => tracing::error!(milliseconds, error, cause = message, "failed"),
        (ErrorClass::Fatal, _) => tracing::error!(milliseconds, error, "failed"),
        _ => tracing::info!(milliseconds, error, "ended"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;
    use std::io::Write;
    use std::sync::{Arc, Mutex, PoisonError};

    const IMAGE: &str = "0193a5a0-0000-7000-8000-000000000001";
    const EXECUTION: &str = "arn:aws:states:us-east-1:000000000000:execution:label-image:one";

    /// An input with a subject.
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Input {
        number: u32,
        #[serde(default)]
        requested_at: Option<String>,
    }

    impl HasSubject for Input {
        fn subject(&self) -> Subject {
            Subject {
                image_id: domain::ImageId::parse(IMAGE),
                execution_arn: Some(EXECUTION.into()),
                requested_at: self.requested_at.as_ref().and_then(|time| time.parse().ok()),
            }
        }
    }

    #[derive(Debug)]
    struct Refused(ErrorName, &'static str);

    impl std::fmt::Display for Refused {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.1)
        }
    }

    impl std::error::Error for Refused {}

    impl StepError for Refused {
        fn name(&self) -> ErrorName {
            self.0
        }
    }

    async fn reject(_: Input) -> Result<(), Refused> {
        Err(Refused(ErrorName::StaleEvent, "a later event has been seen"))
    }

    async fn respond_to<O>(
        handle: impl AsyncFn(Input) -> Result<O, Refused>,
        payload: Value,
    ) -> Result<O, Failure> {
        respond(Function::Validate, handle, payload).await
    }

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// The lines that an invocation logs.
    async fn logged(handle: impl AsyncFn(Input) -> Result<(), Refused>, payload: Value) -> Vec<Value> {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_writer(move || writer.clone())
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        drop(respond_to(handle, payload).await);
        drop(guard);
        let bytes = log.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = std::str::from_utf8(&bytes).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[tokio::test]
    async fn reports_the_steps_error_name() {
        let diagnostic = Diagnostic::from(respond_to(reject, json!({"number": 1})).await.unwrap_err());
        assert_eq!(diagnostic.error_type, "StaleEvent");
        assert_eq!(diagnostic.error_message, "a later event has been seen");
    }

    #[tokio::test]
    async fn reports_an_invalid_payload_as_invalid_input() {
        let diagnostic = Diagnostic::from(respond_to(reject, json!({"a": 1})).await.unwrap_err());
        assert_eq!(diagnostic.error_type, "InvalidInput");
    }

    #[tokio::test]
    async fn truncates_the_message_about_a_huge_invalid_value() {
        let payload = json!({"number": "é".repeat(200_000)});
        let diagnostic = Diagnostic::from(respond_to(reject, payload).await.unwrap_err());
        assert!(
            diagnostic.error_message.starts_with("invalid type: string"),
            "{}",
            diagnostic.error_message
        );
        assert_eq!(diagnostic.error_message.chars().count(), MAX_MESSAGE_CHARS);
    }

    /// The saved query of `template.yaml` selects lines by these fields.
    #[tokio::test]
    async fn every_line_of_an_invocation_names_the_image_and_the_execution() {
        let handle = async |input: Input| {
            tracing::warn!(input.number, "in the middle");
            Ok(())
        };
        let lines = logged(handle, json!({"number": 5})).await;
        let messages: Vec<_> = lines
            .iter()
            .map(|line| line["fields"]["message"].as_str())
            .collect();
        assert_eq!(messages, [Some("in the middle"), Some("handled")]);
        for line in lines {
            assert_eq!(line["span"]["imageId"], IMAGE, "{line}");
            assert_eq!(line["span"]["execution"], EXECUTION);
            assert_eq!(line["span"]["function"], "validate");
        }
    }

    #[tokio::test]
    async fn the_log_names_an_error_and_only_quotes_those_of_calls_to_aws() {
        let lines = |name, message| logged(async move |_| Err(Refused(name, message)), json!({"number": 1}));
        for (name, message, level, cause) in [
            (ErrorName::InvalidImage, "cat.jpg is damaged", "INFO", None),
            (ErrorName::UnexpectedAnswer, "found \"cat.jpg\"", "ERROR", None),
            (
                ErrorName::Throttled,
                "s3:GetObject was throttled",
                "WARN",
                Some("s3:GetObject was throttled"),
            ),
            (
                ErrorName::AccessDenied,
                "s3:GetObject was denied",
                "ERROR",
                Some("s3:GetObject was denied"),
            ),
        ] {
            let lines = lines(name, message).await;
            assert_eq!(lines[0]["fields"]["error"], name.as_str());
            assert_eq!(lines[0]["level"], level, "{name:?}");
            assert_eq!(lines[0]["fields"]["cause"].as_str(), cause);
        }
        let failure = Failure::new(
            ErrorName::InvalidImage,
            &Refused(ErrorName::InvalidImage, "cat.jpg"),
        );
        assert_eq!(
            format!("{failure:?}"),
            "Failure(InvalidImage)",
            "as the runtime logs it"
        );
        let refused = logged(reject, json!({"number": "uploads/demo/cat.jpg"})).await;
        assert_eq!(refused[0]["fields"]["error"], "InvalidInput");
        assert!(!refused[0].to_string().contains("cat.jpg"), "{}", refused[0]);
    }

    #[tokio::test]
    async fn measures_the_duration_and_the_age_of_the_picture() {
        metric::take();
        let payload = json!({"number": 1, "requestedAt": "2026-01-01T00:00:00Z"});
        respond_to(async |_| Ok(()), payload).await.unwrap();
        respond_to(reject, json!({})).await.unwrap_err();
        let measured: Vec<_> = metric::take()
            .into_iter()
            .map(|measurement| measurement.metric.name)
            .collect();
        assert_eq!(
            measured,
            ["Duration", "PictureAge", "Duration"],
            "failed attempts count as well"
        );
    }
}
