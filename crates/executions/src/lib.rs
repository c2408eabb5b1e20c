//! Starts, stops and describes the executions of a state machine, and ends tasks that wait.

pub mod callback;
pub mod failure;
pub mod relabel;
pub mod unprocessed;

use aws::ServiceError;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::error::SdkError;
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::operation::get_execution_history::GetExecutionHistoryOutput;
use aws_sdk_sfn::types::{ExecutionStatus, HistoryEvent};
use jiff::{SignedDuration, Timestamp};

/// How long an execution that Step Functions does not know counts as new. DescribeExecution is eventually consistent, and its
/// documentation states no limit. Usually it takes less than a second.
const NEW_FOR: SignedDuration = SignedDuration::from_mins(5);
/// Events per page: Step Functions' limit.
const PAGE: i32 = 1000;

/// Whether an execution is running. Step Functions can answer with a state that is moments old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is running or waits for a redrive that was requested.
    Running,
    /// It has succeeded, failed, timed out, or was stopped.
    Ended,
    /// It was started so recently that Step Functions does not show it yet, or it ended more than 90 days ago.
    Unknown,
}

impl State {
    /// The state that a status stands for.
    pub fn of(status: &ExecutionStatus) -> Self {
        match status {
            ExecutionStatus::Running | ExecutionStatus::PendingRedrive => Self::Running,
            _ => Self::Ended,
        }
    }
}

/// Describes an execution. `None` if Step Functions does not know it; see [`State::Unknown`].
///
/// # Errors
/// The call fails.
pub async fn describe(
    sfn: &Client,
    execution_arn: &str,
) -> Result<Option<DescribeExecutionOutput>, ServiceError> {
    let described = sfn.describe_execution().execution_arn(execution_arn).send().await;
    match described {
        Ok(execution) => Ok(Some(execution)),
        Err(SdkError::ServiceError(context)) if context.err().is_execution_does_not_exist() => Ok(None),
        Err(error) => Err(ServiceError::of("states:DescribeExecution", &error)),
    }
}

/// Returns whether an execution is running.
///
/// # Errors
/// The call fails.
pub async fn state(sfn: &Client, execution_arn: &str) -> Result<State, ServiceError> {
    let described = describe(sfn, execution_arn).await?;
    Ok(described.map_or(State::Unknown, |execution| State::of(execution.status())))
}

/// Returns whether the execution that a record names is running. An execution that Step Functions does not know counts as running
/// for five minutes after `changed_at`, when the record has last changed (ISO 8601): it may be too new to be shown. If it counted
/// as ended, a second delivery of an event would take over the claim of the first, and the image would be labeled and paid for
/// twice.
///
/// # Errors
/// The call fails.
pub async fn is_running(sfn: &Client, execution_arn: &str, changed_at: &str) -> Result<bool, ServiceError> {
    is_running_or_new(sfn, execution_arn, changed_at, NEW_FOR).await
}

/// [`is_running`] with another time for which an execution counts as new.
async fn is_running_or_new(
    sfn: &Client,
    execution_arn: &str,
    changed_at: &str,
    new_for: SignedDuration,
) -> Result<bool, ServiceError> {
    Ok(match state(sfn, execution_arn).await? {
        State::Running => true,
        State::Ended => false,
        State::Unknown => is_recent(changed_at, new_for, Timestamp::now()),
    })
}

/// A time that is far in the future is wrong, and does not count as recent.
fn is_recent(changed_at: &str, new_for: SignedDuration, now: Timestamp) -> bool {
    let changed_at = changed_at.parse::<Timestamp>();
    changed_at.is_ok_and(|changed_at| now.duration_since(changed_at).abs() < new_for)
}

/// The events of an execution, without the input and output of states.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The first events, in their order.
    pub first: Vec<HistoryEvent>,
    /// The last events, in their order. There are others between these and the first ones. Empty if `first` has all events.
    pub last: Vec<HistoryEvent>,
}

/// Reads the first `max_pages` pages of 1,000 events of an execution's history, and if there are more, also the last page. An
/// execution can have 25,000 events, and the last ones say in which state it is.
///
/// # Errors
/// A call fails.
pub async fn history(sfn: &Client, execution_arn: &str, max_pages: usize) -> Result<History, ServiceError> {
    let mut history = History::default();
    let mut next = None;
    for _ in 0..max_pages {
        let page = history_page(sfn, execution_arn, false, next).await?;
        history.first.extend(page.events);
        next = page.next_token;
        if next.is_none() {
            return Ok(history);
        }
    }
    let mut last = history_page(sfn, execution_arn, true, None).await?.events;
    last.reverse();
    let read = history.first.last().map_or(0, |event| event.id);
    last.retain(|event| event.id > read);
    // IDs are consecutive numbers.
    if last.first().is_some_and(|event| event.id == read + 1) {
        history.first.extend(last);
    } else {
        history.last = last;
    }
    Ok(history)
}

async fn history_page(
    sfn: &Client,
    execution_arn: &str,
    reverse_order: bool,
    next: Option<String>,
) -> Result<GetExecutionHistoryOutput, ServiceError> {
    sfn.get_execution_history()
        .execution_arn(execution_arn)
        .max_results(PAGE)
        .include_execution_data(false)
        .reverse_order(reverse_order)
        .set_next_token(next)
        .send()
        .await
        .map_err(|error| ServiceError::of("states:GetExecutionHistory", &error))
}

/// Starts an execution and returns its ARN. `None` if an execution with this name exists: Step Functions accepts each
/// name once in 90 days.
///
/// # Errors
/// The call fails. After [`ServiceError::ServiceUnavailable`], the execution may have started.
pub async fn start(
    sfn: &Client,
    state_machine_arn: &str,
    name: &str,
    input: String,
) -> Result<Option<String>, ServiceError> {
    let started = sfn
        .start_execution()
        .state_machine_arn(state_machine_arn)
        .name(name)
        .input(input)
        .send()
        .await;
    match started {
        Ok(started) => Ok(Some(started.execution_arn)),
        Err(SdkError::ServiceError(context)) if context.err().is_execution_already_exists() => Ok(None),
        Err(error) => Err(ServiceError::of("states:StartExecution", &error)),
    }
}

/// Stops an execution, with all that its distributed Maps run. Does nothing if it has ended. Functions that it has invoked run to
/// their end.
///
/// # Errors
/// The call fails.
pub async fn stop(sfn: &Client, execution_arn: &str, error: &str, cause: &str) -> Result<(), ServiceError> {
    let stop = sfn.stop_execution().execution_arn(execution_arn);
    let Err(error) = stop.error(error).cause(cause).send().await else {
        return Ok(());
    };
    match ServiceError::of("states:StopExecution", &error) {
        // It has ended, maybe so long ago that it is forgotten. The documentation does not say what Step Functions answers.
        ServiceError::UnexpectedAnswer(_) if state(sfn, execution_arn).await? != State::Running => Ok(()),
        error => Err(error),
    }
}

/// The ARN of the execution with this name. It does not contain the alias or the version with which the execution was
/// started ("Resource types defined by AWS Step Functions" in the Service Authorization Reference).
pub fn arn(state_machine_arn: &str, name: &str) -> String {
    // arn:aws:states:region:account:stateMachine:name, with or without a qualifier
    let unqualified: Vec<_> = state_machine_arn.split(':').take(7).collect();
    let executions = unqualified.join(":").replace(":stateMachine:", ":execution:");
    format!("{executions}:{name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sfn::config::http::HttpResponse;
    use aws_sdk_sfn::operation::describe_execution::DescribeExecutionError;
    use aws_sdk_sfn::primitives::DateTime;
    use aws_sdk_sfn::types::HistoryEventType;
    use aws_sdk_sfn::types::error::ExecutionDoesNotExist;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    #[test]
    fn an_execution_that_waits_for_its_redrive_is_running() {
        assert_eq!(State::of(&ExecutionStatus::PendingRedrive), State::Running);
        assert_eq!(State::of(&ExecutionStatus::Running), State::Running);
        for status in [
            ExecutionStatus::Succeeded,
            ExecutionStatus::Failed,
            ExecutionStatus::TimedOut,
            ExecutionStatus::Aborted,
        ] {
            assert_eq!(State::of(&status), State::Ended, "{status}");
        }
    }

    #[tokio::test]
    async fn an_execution_that_step_functions_does_not_know_is_not_an_error() {
        let describe = mock!(Client::describe_execution).then_error(|| {
            DescribeExecutionError::ExecutionDoesNotExist(ExecutionDoesNotExist::builder().build())
        });
        let sfn = mock_client!(aws_sdk_sfn, RuleMode::MatchAny, [&describe]);
        assert_eq!(state(&sfn, "arn").await, Ok(State::Unknown));
    }

    #[test]
    fn a_change_is_recent_for_five_minutes() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        for (changed_at, expected) in [
            ("2026-11-22T11:59:59.900Z", true),
            ("2026-11-22T11:55:01.000Z", true),
            // The clock of the function that has written it is ahead.
            ("2026-11-22T12:00:00.100Z", true),
            ("2026-11-22T11:55:00.000Z", false),
            ("2026-11-23T12:00:00.000Z", false),
            ("", false),
        ] {
            assert_eq!(is_recent(changed_at, NEW_FOR, now), expected, "{changed_at}");
        }
    }

    #[tokio::test]
    async fn a_refused_stop_is_an_error_only_while_the_execution_runs() {
        for (status, is_stopped) in [
            (ExecutionStatus::Succeeded, true),
            (ExecutionStatus::Aborted, true),
            (ExecutionStatus::Running, false),
        ] {
            let stop = mock!(Client::stop_execution).then_http_response(|| {
                let body = r#"{"__type": "ValidationException"}"#;
                HttpResponse::new(400.try_into().unwrap(), body.into())
            });
            let described = status.clone();
            let describe = mock!(Client::describe_execution).then_output(move || {
                let execution = DescribeExecutionOutput::builder().execution_arn("arn");
                let execution = execution.state_machine_arn("machine").status(described.clone());
                execution.start_date(DateTime::from_secs(0)).build().unwrap()
            });
            let sfn = mock_client!(aws_sdk_sfn, RuleMode::MatchAny, [&stop, &describe]);
            let stopped = super::stop(&sfn, "arn", "Canceled", "").await;
            assert_eq!(stopped.is_ok(), is_stopped, "{status}");
        }
    }

    /// The IDs of the events that are read if an execution has this number of them, and a page has two.
    async fn read(events: i64) -> (Vec<i64>, Vec<i64>) {
        let page = mock!(Client::get_execution_history).then_compute_output(move |request| {
            let start: i64 = request.next_token().map_or(0, |token| token.parse().unwrap());
            let end = events.min(start + 2);
            let is_reverse = request.reverse_order() == Some(true);
            let event = |number: i64| {
                let event = HistoryEvent::builder()
                    .id(if is_reverse { events + 1 - number } else { number })
                    .r#type(HistoryEventType::TaskScheduled)
                    .timestamp(DateTime::from_secs(0));
                event.build().unwrap()
            };
            GetExecutionHistoryOutput::builder()
                .set_events(Some((start + 1..=end).map(event).collect()))
                .set_next_token((end < events).then(|| end.to_string()))
                .build()
                .unwrap()
        });
        let sfn = mock_client!(aws_sdk_sfn, RuleMode::MatchAny, [&page]);
        let history = history(&sfn, "arn", 2).await.unwrap();
        assert!(page.num_calls() <= 3);
        let ids = |events: Vec<HistoryEvent>| events.iter().map(|event| event.id).collect::<Vec<_>>();
        (ids(history.first), ids(history.last))
    }

    /// The state in which a long execution is must not depend on how many events it has.
    #[tokio::test]
    async fn reads_the_first_and_the_last_events_of_a_long_history() {
        assert_eq!(read(3).await, (vec![1, 2, 3], vec![]));
        assert_eq!(read(4).await, (vec![1, 2, 3, 4], vec![]));
        assert_eq!(read(5).await, (vec![1, 2, 3, 4, 5], vec![]));
        assert_eq!(read(6).await, (vec![1, 2, 3, 4, 5, 6], vec![]));
        assert_eq!(read(20).await, (vec![1, 2, 3, 4], vec![19, 20]));
    }

    #[test]
    fn the_arn_of_an_execution_follows_from_its_state_machine() {
        let machine = "arn:aws:states:us-east-1:000000000000:stateMachine:label-image";
        for started_with in [
            machine.to_owned(),
            format!("{machine}:live"),
            format!("{machine}:7"),
        ] {
            assert_eq!(
                arn(&started_with, "relabel-1"),
                "arn:aws:states:us-east-1:000000000000:execution:label-image:relabel-1"
            );
        }
    }
}
