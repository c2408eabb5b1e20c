//! Tells a topic that a job has ended.

use crate::object::config;
use crate::video::request::{Channel, StartLabelDetection};
use aws_sdk_sns::Client;
use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};

/// Publishes messages with the credentials of the server's environment. AWS would assume the role of the channel.
#[derive(Debug, Clone)]
pub struct Notifier {
    client: Client,
}

impl Notifier {
    /// Creates a client for SNS at `endpoint`, or for AWS.
    pub async fn connect(endpoint: Option<&str>) -> Self {
        Self {
            client: Client::new(&config(endpoint).await),
        }
    }

    /// Publishes the message once. If SNS does not accept it, the job stays as it is: clients have to ask, as in AWS, where
    /// a message can get lost, too.
    pub(crate) async fn notify(
        &self,
        channel: &Channel,
        job: &str,
        status: &str,
        request: &StartLabelDetection,
    ) {
        let timestamp = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis();
        let mut message = json!({
            "JobId": job,
            "Status": status,
            "API": "StartLabelDetection",
            "Timestamp": u64::try_from(timestamp).unwrap_or_default(),
            "Video": { "S3ObjectName": request.video.key, "S3Bucket": request.video.bucket },
        });
        if let Some(tag) = &request.job_tag {
            message["JobTag"] = json!(tag);
        }
        let publish = self
            .client
            .publish()
            .topic_arn(&channel.topic)
            .message(message.to_string());
        if let Err(error) = publish.send().await {
            let error = aws_sdk_sns::error::DisplayErrorContext(&error);
            tracing::error!(job, topic = channel.topic, %error, "cannot publish that a job has ended");
        }
    }
}
