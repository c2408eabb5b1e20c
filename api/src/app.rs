//! The state that all routes share: clients and configuration.

use domain::FilterPolicy;
use events::EventBus;
use records::{Quotas, Records, VideoQuotas};

/// Clients and configuration.
#[derive(Debug, Clone)]
pub struct App {
    /// Presigns URLs and deletes objects.
    pub s3: aws_sdk_s3::Client,
    /// Reads and writes image records, settings and quotas.
    pub records: Records,
    /// Starts and describes executions.
    pub sfn: aws_sdk_sfn::Client,
    /// The bucket of all uploads.
    pub bucket: String,
    /// Decides which labels count for owners without settings.
    pub default_policy: FilterPolicy,
    /// How many images can be labeled in a day.
    pub quotas: Quotas,
    /// How many minutes of video can be labeled in a day.
    pub video_quotas: VideoQuotas,
    /// What labeling a minute of video costs at most, in US dollars.
    pub dollars_per_video_minute: f64,
    /// The workflow's state machine.
    pub state_machine_arn: String,
    /// The state machine to which the workflow hands videos over.
    pub video_state_machine_arn: String,
    /// The state machine of bulk jobs.
    pub jobs_state_machine_arn: String,
    /// The state machine of imports, which also cancels them.
    pub imports_state_machine_arn: String,
    /// Reports corrected labels.
    pub bus: EventBus,
}

/// The app with these clients, and an S3 client that can only presign.
#[cfg(test)]
pub(crate) fn fake_app(dynamodb: aws_sdk_dynamodb::Client, sfn: aws_sdk_sfn::Client) -> App {
    use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
    let s3 = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
        .build();
    App {
        s3: aws_sdk_s3::Client::from_conf(s3),
        records: Records::new(dynamodb, "images".into()),
        sfn,
        bucket: "pictures".into(),
        default_policy: serde_json::from_value(serde_json::json!({"minConfidence": 55, "maxLabels": 50}))
            .unwrap(),
        quotas: Quotas {
            images_per_day: 10,
            total_images_per_day: 10,
        },
        video_quotas: VideoQuotas {
            minutes_per_day: 10,
            total_minutes_per_day: 10,
        },
        dollars_per_video_minute: 0.03,
        state_machine_arn: "arn:aws:states:us-east-1:000000000000:stateMachine:label-image".into(),
        video_state_machine_arn: "arn:aws:states:us-east-1:000000000000:stateMachine:label-video".into(),
        jobs_state_machine_arn: "arn:aws:states:us-east-1:000000000000:stateMachine:run-job".into(),
        imports_state_machine_arn: "arn:aws:states:us-east-1:000000000000:stateMachine:import-objects".into(),
        bus: EventBus {
            eventbridge: aws_smithy_mocks::mock_client!(
                aws_sdk_eventbridge,
                aws_smithy_mocks::RuleMode::MatchAny,
                []
            ),
            name: "bus".into(),
        },
    }
}
