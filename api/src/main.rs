//! Wires the HTTP API to Lambda.

use api::{App, router};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use domain::bulk::dollars_per_video_minute;
use events::EventBus;
use lambda::{Environment, Error, Metrics, Traces};
use lambda_http::RequestExt;
use records::{Quotas, Records, VideoQuotas};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = aws::api_config().await;
    let app = App {
        s3: aws_sdk_s3::Client::new(&config),
        records: Records::new(
            aws_sdk_dynamodb::Client::new(&config),
            environment.text("TABLE_NAME")?,
        ),
        sfn: aws_sdk_sfn::Client::new(&config),
        bucket: environment.text("BUCKET_NAME")?,
        default_policy: environment.default_policy()?,
        quotas: Quotas {
            images_per_day: environment.parse("IMAGES_PER_DAY", "a whole number")?,
            total_images_per_day: environment.parse("TOTAL_IMAGES_PER_DAY", "a whole number")?,
        },
        video_quotas: VideoQuotas {
            minutes_per_day: environment.parse("VIDEO_MINUTES_PER_DAY", "a whole number")?,
            total_minutes_per_day: environment.parse("TOTAL_VIDEO_MINUTES_PER_DAY", "a whole number")?,
        },
        dollars_per_video_minute: dollars_per_video_minute(
            environment.parse("VIDEO_LABELS", "FRAMES or REKOGNITION")?,
            environment.parse("VIDEO_FRAME_INTERVAL", "a whole number of seconds")?,
        ),
        state_machine_arn: environment.text("STATE_MACHINE_ARN")?,
        video_state_machine_arn: environment.text("VIDEO_STATE_MACHINE_ARN")?,
        jobs_state_machine_arn: environment.text("JOBS_STATE_MACHINE_ARN")?,
        imports_state_machine_arn: environment.text("IMPORTS_STATE_MACHINE_ARN")?,
        bus: EventBus {
            eventbridge: aws_sdk_eventbridge::Client::new(&config),
            name: environment.text("EVENT_BUS_NAME")?,
        },
    };
    let metrics = Metrics::from_environment(&environment)?;
    let traces = Arc::new(Traces::from_environment(&environment));
    let measured = from_fn(move |request: Request, next: Next| {
        let (metrics, traces) = (metrics.clone(), Arc::clone(&traces));
        async move {
            let context = request.lambda_context_ref();
            let trace = traces.start(context.and_then(|context| context.xray_trace_id.as_deref()));
            let response = next.run(request).await;
            traces.send(trace);
            metrics.write();
            response
        }
    });
    lambda_http::run(router(app).layer(measured)).await
}
